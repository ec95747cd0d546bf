// Joins the physical lines of one source to logical lines, with HTCondor's rules for blanks,
// continuations and comments, and executes its statements in order.
import { CodedError, isCoded } from '../../base/errors/errors.ts';
import { evaluateCondition } from '../macros/conditions.ts';
import { LIMITS } from '../macros/expansion.ts';
import { trim } from '../macros/text.ts';
import { type Source, originOf, readInclude, syntaxError } from './include.ts';
import { type Reading, tolerantly } from './reader-state.ts';
import { type Statement, parseConditional, parseStatement } from './statements.ts';
import { type TemplateUse, fillArguments, parseUses } from './templates.ts';

interface Position {
  readonly reading: Reading;
  readonly source: Source;
  readonly lines: LineReader;
  readonly line: number;
  strict: boolean;
}

/**
 * Reads a source into the knobs of `reading`.
 * @throws CodedError `CONFIG_SYNTAX`, `CONFIG_READ` or `CONFIG_LIMIT`, each with file and
 * line
 */
export function readSource(reading: Reading, source: Source): void {
  const lines = createLineReader(source.text);
  const ifs = createIfStack();
  let strict = false;
  let last = 0;
  for (let logical = lines.next(); logical; logical = lines.next()) {
    last = logical.line;
    const position: Position = { reading, source, lines, line: logical.line, strict };
    tolerantly(reading, () =>
      withPosition(position, () => {
        const conditional = parseConditional(logical.text);
        if (logical.text.startsWith('#')) {
          applyOption(logical.text, position);
        } else if (conditional) {
          const problem = ifs.apply(conditional, (condition) => decide(condition, position));
          if (problem !== undefined) throw syntaxError(source, position.line, problem);
        } else if (ifs.active) execute(parseStatement(logical.text, ifs.depth > 0), position);
      }),
    );
    strict = position.strict;
  }
  if (ifs.depth > 0) throw syntaxError(source, last, 'if without endif');
}

/** Adds file and line to an exceeded limit. */
function withPosition({ source, line }: Position, action: () => void): void {
  try {
    action();
  } catch (error) {
    if (!isCoded(error, 'CONFIG_LIMIT') || error.fields['file'] !== undefined) throw error;
    const { file } = source;
    throw new CodedError(
      'CONFIG_LIMIT',
      `${file}:${line}: ${error.message}`,
      { ...error.fields, file, line },
      error,
    );
  }
}

function decide(condition: string, { reading, source, line }: Position): boolean {
  const result = evaluateCondition(condition, reading.conditions);
  if ('value' in result) return result.value;
  throw syntaxError(
    source,
    line,
    `${condition} is not a valid if condition because ${result.refused}`,
  );
}

function execute(statement: Statement, position: Position): void {
  const { reading, source, line } = position;
  switch (statement.kind) {
    case 'include':
      return readInclude(statement, reading, { source, line }, readSource);
    case 'use':
      return readTemplates(statement, position);
    case 'error':
      throw syntaxError(source, line, reading.expand(statement.message));
    case 'warning':
      reading.warnings.push({
        message: reading.expand(statement.message),
        file: source.file,
        line: source.template?.line ?? line,
      });
      return;
    case 'assign':
      return assign(statement.name, statement.value, statement.colon, position);
    case 'append':
      return append(statement, position);
    case 'block':
      return readBlock(statement.name, statement.tag, position);
    case 'invalid':
      throw syntaxError(source, line, 'not a valid configuration statement');
    default:
      return undefined;
  }
}

/** Applies the comment `#opt:...`, which counts in skipped lines and values, too. */
function applyOption(comment: string, position: Position): void {
  switch (comment.replace(/\\$/, '').toLowerCase()) {
    case '#opt:oldcomment':
      return position.lines.setOldComments(true);
    case '#opt:newcomment':
      return position.lines.setOldComments(false);
    case '#opt:strict':
      position.strict = true;
  }
}

/** Returns the name to set. Names in files may contain macros, those in templates not. */
function knobName(text: string, { reading, source, line }: Position): string {
  const name = text.includes('$') && !source.template ? reading.expand(text) : text;
  if (/^[A-Za-z0-9_./]+$/.test(name)) return name;
  throw syntaxError(source, line, `Illegal Identifier: <${name}>`);
}

function assign(text: string, value: string, colon: boolean, position: Position): void {
  const { reading, source, line } = position;
  if (colon && !source.template && text.toLowerCase() !== 'runbenchmarks') {
    const message = `obsolete use of ':' for parameter assignment at ${text} : ${value}`;
    if (position.strict) throw syntaxError(source, line, message);
    reading.warnings.push({ message, file: source.file, line });
  }
  reading.assign(knobName(text, position), value, originOf(source, line));
}

function append(statement: Statement & { kind: 'append' }, position: Position): void {
  const { reading, source, line } = position;
  const name = knobName(statement.name, position);
  const old = reading.table.lookup(name)?.raw ?? '';
  const { separator, value } = statement;
  const joiner = separator.length === 2 ? ` ${separator} ` : separator || ' ';
  reading.assign(name, old === '' ? value : old + joiner + value, originOf(source, line));
}

function readBlock(text: string, tag: string, position: Position): void {
  const { reading, source, lines } = position;
  const name = knobName(text, position);
  const end = `@${tag}`;
  const body: string[] = [];
  for (let logical = lines.next(); logical; logical = lines.next()) {
    if (logical.text === end)
      return reading.assign(name, body.join('\n'), originOf(source, logical.line));
    if (logical.text.startsWith('#')) applyOption(logical.text, position);
    else if (trim(logical.text) !== '') body.push(logical.text);
  }
  throw syntaxError(source, position.line, `value of ${name} not terminated: line ${end} missing`);
}

function readTemplates(statement: Statement & { kind: 'use' }, position: Position): void {
  const { reading, source, line } = position;
  const category = trim(reading.expand(statement.category));
  if (category === '')
    throw syntaxError(source, line, `use needs a keyword before : ${statement.items}`);
  for (const use of parseUses(statement.items))
    readTemplate(reading, { ...source, text: '' }, line, category, use);
}

/**
 * Warns of an unknown template, because HTCondor gets new ones with each version. An
 * unknown category is an error, like in HTCondor.
 * @throws CodedError `CONFIG_SYNTAX` for a category that HTCondor does not know
 */
function skipUnknown(
  { templates, warnings }: Reading,
  source: Source,
  line: number,
  category: string,
  { name }: TemplateUse,
): void {
  const meant = templates.meant(category, name);
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`;
  if (!templates.hasCategory(category))
    throw syntaxError(source, line, `use ${category}: does not recognise ${name}${hint}`);
  const message =
    `use ${category}:${name} is ignored and its settings are missing: unknown ` +
    `template${hint}; if HTCondor has it, replace this line with the output of ` +
    `"condor_config_val use ${category}:${name}"`;
  warnings.push({ message, file: source.file, line: source.template?.line ?? line });
}

/**
 * Reads one template as if its text were in `source` at `line`.
 * @throws CodedError `CONFIG_SYNTAX` for a name that HTCondor rejects, an unknown
 * category, and arguments that are missing
 */
export function readTemplate(
  reading: Reading,
  source: Source,
  line: number,
  category: string,
  use: TemplateUse,
): void {
  const found = reading.findTemplate(category, use.name);
  if (!found) return skipUnknown(reading, source, line, category, use);
  if (source.depth >= LIMITS.includeDepth)
    throw syntaxError(source, line, 'templates nested too deep');
  if (found.lines === null)
    throw syntaxError(source, line, `use ${found.label}: HTCondor rejects this template`);
  const text = found.lines.map((part) => `${fillArguments(part, use.arguments)}\n`).join('');
  const template = { label: found.label, line: source.template?.line ?? line };
  readSource(reading, {
    file: source.file,
    asker: source.asker,
    text,
    depth: source.depth + 1,
    template,
  });
}

// The open conditionals of a source, which decide on the lines that are read.

interface Frame {
  readonly outer: boolean;
  active: boolean;
  taken: boolean;
  afterElse: boolean;
}

/** The open conditionals of one source. */
interface IfStack {
  /** True while lines are read. */
  readonly active: boolean;
  readonly depth: number;
  /**
   * Applies a conditional statement; calls `decide` only if its result is needed. Returns
   * the error, if any.
   */
  apply(statement: Statement, decide: (condition: string) => boolean): string | undefined;
}

/** An empty stack. */
function createIfStack(): IfStack {
  const frames: Frame[] = [];
  const isActive = (): boolean => frames.at(-1)?.active ?? true;
  const open = (condition: string, decide: (condition: string) => boolean): string | undefined => {
    if (frames.length >= LIMITS.ifDepth) return 'if nesting too deep!';
    const outer = isActive();
    const active = outer && decide(condition);
    frames.push({ outer, active, taken: active, afterElse: false });
    return undefined;
  };
  return {
    get active() {
      return isActive();
    },
    get depth() {
      return frames.length;
    },
    apply: (statement, decide) => {
      if (statement.kind === 'if') return open(statement.condition, decide);
      const frame = frames.at(-1);
      if (!frame) return `${statement.kind} without matching if`;
      if (statement.kind === 'endif') return void frames.pop();
      if (frame.afterElse) return `${statement.kind} after else`;
      frame.afterElse = statement.kind === 'else';
      const wanted = frame.outer && !frame.taken;
      frame.active = wanted && (statement.kind !== 'elif' || decide(statement.condition));
      frame.taken ||= frame.active;
      return undefined;
    },
  };
}

/** A statement's text and the number of its last physical line, from 1. */
interface LogicalLine {
  readonly text: string;
  readonly line: number;
}

/** Returns one logical line after the other. */
export interface LineReader {
  next(): LogicalLine | undefined;
  /**
   * `true`: a comment may be continued, and is not recognised inside a continuation
   * (`#opt:oldcomment`).
   */
  setOldComments(old: boolean): void;
}

/**
 * Reads logical lines:
 *
 *     logical  := { physical '\' newline } physical
 *     physical := text without blanks at both ends; the last line of a file without
 * newline is unchanged
 *
 * What is tested for the `\` is the joined text, so a line without text continues a text
 * that ended in two of them. A comment is not continued. Inside a continuation a comment
 * line that ends in `\` is omitted; otherwise it ends the statement and leaves its last
 * character, like in HTCondor. A NUL hides the rest of its line.
 */
export function createLineReader(text: string): LineReader {
  let position = 0;
  let line = 0;
  let oldComments = false;
  const next = (): LogicalLine | undefined => {
    // The pieces of the logical line so far, none empty: joined once, at its end.
    const logical: string[] = [];
    let pending = '';
    while (position < text.length) {
      const newline = text.indexOf('\n', position);
      const physical = text.slice(position, newline < 0 ? text.length : newline);
      position = newline < 0 ? text.length : newline + 1;
      line += 1;
      const nul = physical.indexOf('\0');
      pending += nul < 0 ? physical : physical.slice(0, nul);
      if (nul >= 0) continue;
      if (newline < 0) break;
      const isFirst = logical.length === 0;
      const piece = keptPart(trim(pending), !isFirst && !oldComments);
      pending = '';
      const startsComment = isFirst && !oldComments && piece.startsWith('#');
      if (piece !== '') logical.push(piece);
      const last = logical.pop() ?? '';
      if (!last.endsWith('\\') || startsComment) {
        logical.push(last);
        return { text: logical.join(''), line };
      }
      if (last.length > 1) logical.push(last.slice(0, -1));
    }
    const rest = logical.join('') + pending;
    return rest === '' ? undefined : { text: rest, line };
  };
  return { next, setOldComments: (old) => void (oldComments = old) };
}

function keptPart(piece: string, commentsVanish: boolean): string {
  return commentsVanish && piece.startsWith('#') ? piece.slice(-1) : piece;
}
