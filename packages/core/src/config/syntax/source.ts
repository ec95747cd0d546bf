// A text that statements are read from, where it came from, and how errors in it are
// told.
import { CodedError } from '../../base/errors/errors.ts';
import type { Origin } from '../table/config.ts';

/** A text to read statements from. `file` is what messages and origins name. */
export interface Source {
  readonly file: string;
  readonly text: string;
  /** How many files and templates lead here; 0 for a file that nothing includes. */
  readonly depth: number;
  /**
   * Set for the text of a template: `CATEGORY:NAME`, and the line of the `use` statement.
   */
  readonly template?: { readonly label: string; readonly line: number };
  /**
   * The file whose owner answers for commands asked for here; differs from `file` for a
   * command's output.
   */
  readonly asker: string;
}

/** What was wrong in a source: `file:line: message`. */
export function syntaxError(source: Source, line: number, message: string): CodedError {
  const where = source.template
    ? `${source.file}:${source.template.line}: in use ${source.template.label}, line ${line}`
    : `${source.file}:${line}`;
  return new CodedError('CONFIG_SYNTAX', `${where}: ${message}`, {
    file: source.file,
    line: source.template?.line ?? line,
  });
}

/** The origin of a knob that this line of this source sets. */
export function originOf(source: Source, line: number): Origin {
  const { file, template } = source;
  if (!template) return { kind: 'file', file, line };
  return { kind: 'file', file, line: template.line, template: `${template.label}+${line}` };
}
