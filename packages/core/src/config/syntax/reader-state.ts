// The state of reading one configuration: the knobs so far, the host, warnings and
// sources.
import { isCoded, type CodedError } from '../../base/errors/errors.ts';
import type { ConfigWarning, Origin } from '../table/config.ts';
import type { ConditionContext } from '../macros/conditions.ts';
import type { Expansion } from '../macros/expansion.ts';
import type { Table } from '../table/table.ts';
import type { Template, Templates } from './templates.ts';

/** The result of a program: `missing` if it cannot be started. */
export type CommandResult =
  | { readonly kind: 'done'; readonly output: Uint8Array; readonly status: number }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'stopped'; readonly reason: string };

/** The host from which configurations are read. Every call is synchronous and bounded. */
export interface SourceHost {
  /**
   * Returns a file's bytes; none for a directory; `undefined` if there is no such file.
   * @throws the system's error
   */
  readFile(path: string): Uint8Array | undefined;
  isDirectory(path: string): boolean;
  /**
   * Returns the names of the regular files in a directory; `undefined` if it cannot be
   * read.
   */
  listFiles(path: string): readonly string[] | undefined;
  /** Runs a program without a shell and waits for it. */
  run(command: readonly string[]): CommandResult;
  /**
   * Returns the text of the template `CATEGORY:NAME` in the installed HTCondor;
   * `undefined` if HTCondor is not installed, does not answer in time, or does not know
   * the name.
   */
  templateText(label: string): string | undefined;
  /**
   * Writes the cached output of a command.
   * @throws the system's error
   */
  writeFile(path: string, bytes: Uint8Array): void;
  /**
   * Returns why users other than root and the process's own user can change this file or
   * a parent directory; `undefined` if they cannot.
   */
  writableByOthers(path: string): string | undefined;
}

/** One reading of a configuration. */
export interface Reading {
  readonly table: Table;
  readonly host: SourceHost;
  readonly templates: Templates;
  /**
   * Returns a template of the table, or else of the installed HTCondor; `undefined` for
   * an unknown one.
   */
  findTemplate(category: string, name: string): Template | undefined;
  readonly conditions: ConditionContext;
  readonly commandsAllowed: boolean;
  readonly warnings: ConfigWarning[];
  readonly sources: string[];
  expansion(): Expansion;
  expand(text: string): string;
  /** Stores a value after expanding references to the knob itself. */
  assign(name: string, value: string, origin: Origin): void;
  /**
   * Called with each error; the statement or source is then skipped. Without it the first
   * error ends the reading.
   */
  readonly tolerate?: ((error: CodedError) => void) | undefined;
}

/**
 * Runs `action`. If the reading tolerates errors, an error does not end the reading.
 * @throws CodedError thrown by `action`
 */
export function tolerantly({ tolerate }: Pick<Reading, 'tolerate'>, action: () => void): void {
  if (!tolerate) return action();
  try {
    action();
  } catch (error) {
    if (!isCoded(error)) throw error;
    tolerate(error);
  }
}
