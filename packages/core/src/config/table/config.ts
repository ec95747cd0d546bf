// What every reader of the configuration sees: names, values and where each came from.

/**
 * Where a knob's value was set. `line` counts from 1; `template` is
 * `CATEGORY:NAME+offset` when a `use` statement set it.
 */
export type Origin =
  | {
      readonly kind: 'file';
      readonly file: string;
      readonly line: number;
      readonly template?: string;
    }
  | { readonly kind: 'environment' }
  | { readonly kind: 'default' }
  | { readonly kind: 'detected' };

/** A message about a configuration source that did not stop the reading. */
export interface ConfigWarning {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/**
 * A configuration read once: knob names compare without case, and a lookup tries
 * `LOCALNAME.X`, `SUBSYS.X`, `X`, each with its default.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 */
export interface Config {
  readonly subsystem: string;
  readonly localName: string | undefined;
  readonly warnings: readonly ConfigWarning[];
  /** The files that were read, in order. */
  readonly sources: readonly string[];
  /**
   * The expanded value; `undefined` when the knob is not set or expands to nothing.
   * @throws CodedError `CONFIG_LIMIT` on endless expansion.
   */
  get(name: string): string | undefined;
  /** The value as written, unexpanded; `undefined` when not set at all. */
  raw(name: string): string | undefined;
  /** Where the value that {@link get} answers with was set; `undefined` when not set. */
  origin(name: string): Origin | undefined;
  /** Expands macros in any text as if it were a value. */
  expand(text: string): string;
  /**
   * Every knob that is set or has a default, in the spelling first used, sorted without
   * case.
   */
  names(): readonly string[];
}

/**
 * `file, line N`, `<Environment>`, `<Default>` or `<Detected>`: an origin as
 * `condor_config_val -v` prints it.
 */
export function originText(origin: Origin | undefined): string {
  switch (origin?.kind) {
    case 'file':
      return `${origin.file}, line ${origin.line}${origin.template === undefined ? '' : `, use ${origin.template}`}`;
    case 'environment':
      return '<Environment>';
    case 'default':
      return '<Default>';
    case 'detected':
      return '<Detected>';
    case undefined:
      return '<not set>';
  }
}

/** A warning with its place, `file, line N: message`, where it has one. */
export function warningText({ message, file, line }: ConfigWarning): string {
  return file === undefined || line === undefined ? message : `${file}, line ${line}: ${message}`;
}
