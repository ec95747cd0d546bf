// One line of a map file: three fields, quoted, as a regular expression, or plain.

/**
 * A field that was read, and where it ends. `options` are the letters after a regular
 * expression.
 */
export interface MapField {
  readonly text: string;
  readonly kind: 'plain' | 'quoted' | 'regexp';
  readonly options: string;
  readonly end: number;
}

const BLANKS = /[ \t\r\n]*/y;
const PLAIN = /[^ \t\r\n]*/y;

/**
 * Reads the field at or after `at`; undefined at the end of the line.
 * @param regexps whether `/.../` is a regular expression here
 */
export function readField(line: string, at: number, regexps: boolean): MapField | undefined {
  BLANKS.lastIndex = at;
  BLANKS.test(line);
  const start = BLANKS.lastIndex;
  if (start >= line.length) return undefined;
  if (line[start] === '"') {
    const { text, end } = readDelimited(line, start, (next) => next === '"' || next === '\\');
    return { text, kind: 'quoted', options: '', end };
  }
  if (regexps && line[start] === '/') {
    const { text, end } = readDelimited(line, start, (next) => next === '/');
    const options = plainAt(line, end);
    return { text, kind: 'regexp', options, end: end + options.length };
  }
  const text = plainAt(line, start);
  return { text, kind: 'plain', options: '', end: start + text.length };
}

/**
 * Reads up to the delimiter that opens at `at`, or to the end of the line; a backslash
 * before what `drops` names is dropped.
 */
function readDelimited(
  line: string,
  at: number,
  drops: (next: string) => boolean,
): { text: string; end: number } {
  const delimiter = line[at] ?? '';
  let text = '';
  for (let from = at + 1; from < line.length; from += 1) {
    const char = line[from] ?? '';
    if (char === delimiter) return { text, end: from + 1 };
    const next = char === '\\' ? (line[from + 1] ?? '') : '';
    if (next !== '') from += 1;
    text += next === '' || !drops(next) ? char + next : next;
  }
  return { text, end: line.length };
}

function plainAt(line: string, at: number): string {
  PLAIN.lastIndex = at;
  return PLAIN.exec(line)?.[0] ?? '';
}
