// The interface of a configuration: names, values and their origins.

/**
 * The origin of a knob's value. `line` counts from 1; `template` is
 * `CATEGORY:NAME+offset` if a `use` statement set it.
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

/** A message about a configuration source that did not end the reading. */
export interface ConfigWarning {
  readonly message: string;
  readonly file?: string;
  readonly line?: number;
}

/**
 * A configuration. Knob names are case-insensitive. A lookup tries `LOCALNAME.X`,
 * `SUBSYS.X` and `X`, each followed by its default.
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
   * Returns the expanded value; `undefined` if the knob is not set or expands to an empty
   * text.
   * @throws CodedError `CONFIG_LIMIT` on endless expansion
   */
  get(name: string): string | undefined;
  /** Returns the value as written, unexpanded; `undefined` if it is not set. */
  raw(name: string): string | undefined;
  /**
   * Returns the name under which a lookup finds the knob, with its prefix and in the
   * spelling first used; `undefined` if it is not set.
   */
  foundName(name: string): string | undefined;
  /** Returns the origin of the value of {@link get}; `undefined` if it is not set. */
  origin(name: string): Origin | undefined;
  /** Expands macros in any text as if it were a value. */
  expand(text: string): string;
  /**
   * Returns all knobs with a value or default, in the spelling first used, sorted
   * case-insensitively.
   */
  names(): readonly string[];
}

/**
 * Returns an origin in the format of `condor_config_val -v`: `file, line N`,
 * `<Environment>`, `<Default>` or `<Detected>`.
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

/** Returns a warning with its position, if known: `file, line N: message`. */
export function warningText({ message, file, line }: ConfigWarning): string {
  return file === undefined || line === undefined ? message : `${file}, line ${line}: ${message}`;
}
