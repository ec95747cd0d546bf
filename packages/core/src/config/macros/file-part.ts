// `$F...(path)`: parts of a file name, selected by letters. The selection is made on the
// text with its added quotes, so that a part may lack one of them, as in HTCondor.

/** The selected part: from `start` to `end` of the quoted text. */
interface Part {
  readonly start: number;
  readonly end: number;
}

/** What the letters ask for. */
interface Wanted {
  readonly directory: boolean;
  /** The number of directories before the name. */
  readonly levels: number;
  readonly name: boolean;
  readonly extension: boolean;
  readonly bare: boolean;
  /** The quote to add; empty for none. */
  readonly quote: string;
  /** The only slash in the result; empty to keep both. */
  readonly slash: string;
}

/**
 * Returns the selected parts of `value`. Letters in any order and case: `p` directory,
 * `d` last directory (once per level), `n` name, `x` extension; `b` omits the slash or
 * dot at the edge, `q` adds quotes (`a`: single quotes), `w` and `u` convert slashes.
 * Without a part letter, the whole value. Quotes around `value` are removed first.
 */
export function filePart(value: string, letters: string): string {
  const wanted = wantedBy(letters.toLowerCase());
  const { quote, slash } = wanted;
  const path = withSlashes(unquoted(value, quote), slash);
  const text = quote + path + quote;
  return closed(text, select(text, wanted), quote);
}

function wantedBy(letters: string): Wanted {
  const has = (letter: string): boolean => letters.includes(letter);
  const slashes = letters.replace(/[^wu]/g, '').at(-1);
  return {
    directory: has('p'),
    levels: letters.split('d').length - 1,
    name: has('n'),
    extension: has('x'),
    bare: has('b'),
    quote: has('q') ? (has('a') ? "'" : '"') : '',
    slash: slashes === undefined ? '' : slashes === 'w' ? '\\' : '/',
  };
}

/**
 * Removes a pair of quotes, then one more double quote or quote of the wanted kind at the
 * start, with its partner at the end if there is one.
 */
function unquoted(value: string, quote: string): string {
  const first = value[0] ?? '';
  const paired = value.length > 1 && (first === '"' || first === "'") && value.endsWith(first);
  const inner = paired ? value.slice(1, -1) : value;
  const open = inner[0] ?? '';
  if (open !== '"' && (open === '' || open !== quote)) return inner;
  const rest = inner.slice(1);
  return rest.endsWith(open) ? rest.slice(0, -1) : rest;
}

function withSlashes(path: string, slash: string): string {
  return slash === '' ? path : path.replaceAll(slash === '/' ? '\\' : '/', slash);
}

function select(text: string, wanted: Wanted): Part {
  const name = text.lastIndexOf('/') + 1;
  const dot = text.lastIndexOf('.');
  // A dot at the start of a name does not begin an extension.
  const extension = dot > name ? dot : text.length;
  const file = wanted.name || wanted.extension;
  const directories = wanted.directory || wanted.levels > 0;
  if (!file && !directories) return { start: 0, end: text.length };
  if (name === 0 && file) return fileOnly(text, 0, extension, wanted);
  if (!directories) return fileOnly(text, name, extension, wanted);
  if (name === 0 && wanted.levels > 0) return { start: 1, end: 1 };
  const directoryEnd = wanted.bare && name > 0 ? name - 1 : name;
  return {
    start: wanted.levels > 0 ? levelStart(text, wanted.levels) : 0,
    end: wanted.extension ? text.length : wanted.name ? extension : directoryEnd,
  };
}

function fileOnly(text: string, name: number, extension: number, wanted: Wanted): Part {
  if (wanted.name) return { start: name, end: wanted.extension ? text.length : extension };
  const skipped = wanted.bare && extension < text.length ? 1 : 0;
  return { start: extension + skipped, end: text.length };
}

/**
 * Returns the start of the directory `levels` above the name. Both slashes separate; two
 * backslashes at the start, or `\\.\`, count once.
 */
function levelStart(text: string, levels: number): number {
  const starts = [...text.matchAll(/^\\\\(?:\.\\)?|[/\\]/g)].map(
    ({ index, 0: slash }) => index + slash.length,
  );
  return starts.slice(0, -levels).at(-1) ?? 0;
}

/**
 * Returns the part with a quote before it, unless it begins with one, and a quote at its
 * end. A part that ends before its start is the rest of the text.
 */
function closed(text: string, { start, end }: Part, quote: string): string {
  if (quote === '') return text.slice(start, end < start ? text.length : end);
  const characters = text.split('');
  const first = characters[start] === quote ? start : start - 1;
  characters[first] = quote;
  const last = end > 1 && characters[end - 1] === quote ? end - 1 : end;
  characters[last] = quote;
  return characters.slice(first, last < first - 1 ? undefined : last + 1).join('');
}
