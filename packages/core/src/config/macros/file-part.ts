// `$F...(path)`: parts of a file name, chosen by letters.

interface Region {
  readonly start: number;
  readonly end: number;
}

/**
 * The parts of `value` that the letters choose, in any order and case: `p` directory, `d`
 * last directory (once per level), `n` name, `x` extension; `b` leaves out the slash or
 * dot at the edge, `q` quotes (`a`: with single quotes), `w` and `u` turn slashes.
 * Without a part letter, all of it. Quotes around `value` are removed first.
 */
export function filePart(value: string, letters: string): string {
  const wanted = letters.toLowerCase();
  const path = turnSlashes(unquote(value), wanted);
  const region = chooseRegion(path, wanted);
  const part = path.slice(region.start, region.end);
  if (!wanted.includes('q')) return part;
  const quote = wanted.includes('a') ? "'" : '"';
  return part === '' && !closesEmpty(path, wanted) ? quote : quote + part + quote;
}

function turnSlashes(path: string, wanted: string): string {
  if (wanted.includes('w')) return path.replaceAll('/', '\\');
  return wanted.includes('u') ? path.replaceAll('\\', '/') : path;
}

function unquote(value: string): string {
  const first = value[0];
  if (first !== '"' && first !== "'") return value;
  return value.length > 1 && value.endsWith(first) ? value.slice(1, -1) : value.slice(1);
}

/**
 * The chosen parts lie side by side: from the first one that exists to the end of the
 * last one chosen.
 */
function chooseRegion(path: string, wanted: string): Region {
  const base = path.lastIndexOf('/') + 1;
  const dot = path.lastIndexOf('.');
  const extension = dot > base ? dot : path.length;
  const has = (letter: string): boolean => wanted.includes(letter);
  const levels = wanted.split('d').length - 1;
  if (!has('p') && !has('n') && !has('x') && levels === 0) return { start: 0, end: path.length };
  const bare = has('b');
  const end = has('x') ? path.length : has('n') ? extension : base;
  if (base > 0 && (has('p') || levels > 0)) {
    const slash = bare && !has('n') && !has('x') ? 1 : 0;
    return { start: levels > 0 ? parentStart(path, base, levels) : 0, end: end - slash };
  }
  if (has('n')) return { start: base, end };
  if (has('x')) return { start: extension + (bare && extension < path.length ? 1 : 0), end };
  return { start: base, end: base };
}

/** Where the directory `levels` above the name begins; never before the path. */
function parentStart(path: string, base: number, levels: number): number {
  let start = base;
  for (let level = 0; level < levels && start > 0; level += 1) {
    start = start < 2 ? 0 : path.lastIndexOf('/', start - 2) + 1;
  }
  return start;
}

/**
 * HTCondor closes the quotes around nothing only in these cases; otherwise one lone quote
 * is left.
 */
function closesEmpty(path: string, wanted: string): boolean {
  if (path === '') return wanted.includes('n') || !/[pdx]/.test(wanted);
  return wanted.includes('d');
}

/** `$BASENAME(path[,suffix])`: the last part, without `suffix` when it ends so. */
export function baseName(value: string, suffix: string): string {
  const name = filePart(value, 'nx');
  return suffix !== '' && name.endsWith(suffix) ? name.slice(0, -suffix.length) : name;
}
