// What is shared while one configuration is read: the knobs so far, the world behind a
// port, warnings and sources.
import { isCoded, type CodedError } from '../../base/errors/errors.ts';
import type { ConfigWarning, Origin } from '../table/config.ts';
import type { ConditionContext } from '../macros/condition.ts';
import type { Expansion } from '../macros/expansion.ts';
import type { Table } from '../table/table.ts';
import type { Templates } from './templates.ts';

/** How a program ended: `missing` when it cannot be started. */
export type CommandResult =
  | { readonly kind: 'done'; readonly output: Uint8Array; readonly status: number }
  | { readonly kind: 'missing'; readonly reason: string }
  | { readonly kind: 'stopped'; readonly reason: string };

/**
 * The part of the world that configurations are read from. Every call is synchronous and
 * bounded.
 */
export interface SourceHost {
  /**
   * A file's bytes; none for a directory; `undefined` when there is no such file.
   * @throws the system's error.
   */
  readFile(path: string): Uint8Array | undefined;
  isDirectory(path: string): boolean;
  /** Names of the regular files in a directory; `undefined` when it cannot be read. */
  listFiles(path: string): readonly string[] | undefined;
  /** Runs a program without a shell and waits for it. */
  run(command: readonly string[]): CommandResult;
  /** Writes a command's kept output. @throws the system's error. */
  writeFile(path: string, bytes: Uint8Array): void;
  /**
   * Why this file, or a directory above it, can be changed by someone other than root and
   * the process's own user; `undefined` when not.
   */
  writableByOthers(path: string): string | undefined;
}

/** One reading of a configuration. */
export interface Reading {
  readonly table: Table;
  readonly host: SourceHost;
  readonly templates: Templates;
  readonly conditions: ConditionContext;
  readonly commandsAllowed: boolean;
  readonly warnings: ConfigWarning[];
  readonly sources: string[];
  expansion(): Expansion;
  expand(text: string): string;
  /** Stores a value after expanding references to the knob itself. */
  assign(name: string, value: string, origin: Origin): void;
  /**
   * Learns of each mistake; the statement or source is then skipped. Without it the first
   * mistake ends the reading.
   */
  readonly tolerate?: ((error: CodedError) => void) | undefined;
}

/**
 * Does `action`; where the reading tolerates mistakes, one in it does not end the
 * reading.
 * @throws CodedError what `action` throws
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
