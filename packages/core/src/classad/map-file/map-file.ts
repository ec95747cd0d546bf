// Map files: map a name by exact text, by prefix, or by regular expression.
import { bytesOf, lowerAscii, textOf, trimBlanks } from '../language/value.ts';
import type { UserMap } from '../operate/context.ts';
import { DEFAULT_LIMITS, limitError, type Limits } from '../../regexp/node.ts';
import { compile, groupCount, search, type Regexp } from '../../regexp/regexp.ts';
import type { Budget } from '../../regexp/match.ts';

/**
 * One line of a map: `principal` is a text or a regular expression; `canonical` may
 * contain `\0` to `\9`. All bytes. `prefix`: the text also maps the names that begin with
 * it. `file` is the path of an included file, and `line` is counted from 1.
 */
export interface MapEntry {
  readonly method: string;
  readonly principal: string | Regexp;
  readonly canonical: string;
  readonly prefix: boolean;
  readonly file: string | undefined;
  readonly line: number;
}

/**
 * A skipped line, counted from 1, and the reason. `file` is the path of an included file.
 */
export interface MapProblem {
  readonly file: string | undefined;
  readonly line: number;
  readonly problem: string;
}

/** A parsed map file. */
export interface MapFile {
  readonly entries: readonly MapEntry[];
  readonly problems: readonly MapProblem[];
}

export interface MapFileOptions {
  /**
   * `CLASSAD_USER_MAP_PREFIX_<name>`: the file has prefixes and no regular expressions; the
   * files that it includes do not have prefixes. Default false.
   */
  readonly prefix?: boolean;
  /**
   * True: every principal is a regular expression, and slashes do not delimit it, as in
   * the map of `CERTIFICATE_MAPFILE` without `CERTIFICATE_MAPFILE_ASSUME_HASH_KEYS`;
   * default false.
   */
  readonly everyPrincipalIsRegexp?: boolean;
  /**
   * Returns the texts of `@include path`: one file, or all files of a directory, with
   * their paths where they differ; without it includes are problems.
   */
  readonly include?: (path: string) => readonly (string | IncludedMap)[];
  readonly limits?: Partial<Limits>;
}

/** One file of an included directory. */
export interface IncludedMap {
  readonly file: string;
  readonly text: string;
}

/**
 * Parses `method principal canonical` lines. Invalid lines are skipped and listed.
 * @throws CLASSAD_LIMIT for a regular expression that is too long; errors of `include`
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/security.html
 * @example
 * ```ts
 * import { findMapping, parseMapFile } from '@credmon/core/classad';
 *
 * const map = parseMapFile('SCITOKENS /^issuer\\.example,(.*)$/ vo_\\1');
 * console.log(findMapping(map, 'scitokens', 'issuer.example,alice')?.canonical);
 * // prints vo_alice
 * ```
 */
export function parseMapFile(text: string, options: MapFileOptions = {}): MapFile {
  const reader = new MapReader({ ...DEFAULT_LIMITS, ...options.limits }, options);
  reader.read(text, undefined, options.prefix ?? false);
  return { entries: reader.entries, problems: reader.problems };
}

class MapReader {
  readonly entries: MapEntry[] = [];
  readonly problems: MapProblem[] = [];
  readonly #limits: Limits;
  readonly #include: MapFileOptions['include'];
  readonly #delimited: boolean;

  constructor(limits: Limits, { include, everyPrincipalIsRegexp = false }: MapFileOptions) {
    this.#limits = limits;
    this.#include = include;
    this.#delimited = !everyPrincipalIsRegexp;
  }

  read(text: string, file: string | undefined, prefix: boolean): void {
    bytesOf(text)
      .split('\n')
      .forEach((line, index) => {
        const problem = this.#line(trimBlanks(line), { file, line: index + 1, prefix });
        if (problem !== undefined) this.problems.push({ file, line: index + 1, problem });
      });
  }

  /** @returns the error of the line */
  #line(
    line: string,
    place: { readonly file: string | undefined; readonly line: number; readonly prefix: boolean },
  ): string | undefined {
    const method = readField(line, 0, false);
    if (method === undefined || method.text.startsWith('#')) return undefined;
    const include = method.text === '@include';
    const delimited = this.#delimited && !include && !place.prefix;
    const principal = readField(line, method.end, delimited);
    if (include) return this.#included(textOf(principal?.text ?? ''), place.file);
    const canonical = principal && readField(line, principal.end, false);
    if (!principal?.text || !canonical?.text || method.text === '') return 'three fields expected';
    const pattern =
      principal.kind === 'regexp' || !this.#delimited
        ? compile(principal.text, principal.options, this.#limits)
        : principal.text;
    if (pattern === undefined) return 'invalid regular expression';
    this.entries.push({
      ...place,
      method: lowerAscii(method.text),
      principal: pattern,
      canonical: canonical.text,
      prefix: place.prefix && typeof pattern === 'string',
    });
    return undefined;
  }

  #included(path: string, file: string | undefined): string | undefined {
    if (file !== undefined) return 'an included file cannot include another';
    if (path === '') return 'a path expected';
    if (this.#include === undefined) return 'includes are not allowed';
    for (const one of this.#include(path))
      if (typeof one === 'string') this.read(one, path, false);
      else this.read(one.text, one.file, false);
    return undefined;
  }
}

/** The entry that maps a name, and the result, as text. */
export interface Mapping {
  readonly entry: MapEntry;
  readonly canonical: string;
}

/**
 * Maps `name` (text) under `method`, by the first matching entry in the order of the
 * file. Of adjacent prefixes the longest one counts.
 * @throws CLASSAD_LIMIT
 */
export function findMapping(map: MapFile, method: string, name: string): Mapping | undefined {
  const budget = { left: DEFAULT_LIMITS.matchSteps, limits: DEFAULT_LIMITS };
  const found = mapName(map, method, bytesOf(name), budget);
  return found && { entry: found.entry, canonical: textOf(found.canonical) };
}

/** Like {@link findMapping}, but in bytes and within a budget. */
function mapName(map: MapFile, method: string, input: string, budget: Budget): Mapping | undefined {
  const key = lowerAscii(method);
  let longest: (MapEntry & { principal: string }) | undefined;
  for (const entry of map.entries) {
    if (entry.method !== key) continue;
    if (longest !== undefined && !entry.prefix) break;
    const { principal, canonical } = entry;
    if (typeof principal !== 'string') {
      const match = search(principal, input, 0, budget);
      if (match !== undefined)
        return { entry, canonical: canonicalOf(canonical, groupsOf(input, match), budget) };
    } else if (!entry.prefix) {
      if (principal === input)
        return { entry, canonical: canonicalOf(canonical, [principal], budget) };
    } else if (
      input.startsWith(principal) &&
      principal.length > (longest?.principal.length ?? -1)
    ) {
      longest = { ...entry, principal };
    }
  }
  return (
    longest && {
      entry: longest,
      canonical: canonicalOf(longest.canonical, [longest.principal], budget),
    }
  );
}

/** Returns the texts of the groups up to the last one that took part. */
const groupsOf = (input: string, match: Int32Array): string[] =>
  Array.from({ length: groupCount(match) }, (_, group) =>
    input.slice(Math.max(match[2 * group] ?? 0, 0), Math.max(match[2 * group + 1] ?? 0, 0)),
  );

/**
 * Replaces `\0` to `\9`; one without a group is kept.
 * @throws CLASSAD_LIMIT if the result is too long
 */
function canonicalOf(canonical: string, groups: readonly string[], { limits }: Budget): string {
  let length = 0;
  return canonical.replace(/\\(?:(\d)|[^])/g, (text, digit: string | undefined) => {
    const replaced = digit === undefined ? text : (groups[Number(digit)] ?? text);
    length += replaced.length;
    if (length > limits.textLength) throw limitError('textLength', limits);
    return replaced;
  });
}

/**
 * Creates the implementation of `userMap()` from maps by name. `name` uses the method
 * `*`, `name.method` another one; names are case-insensitive.
 */
export function userMapOf(maps: ReadonlyMap<string, MapFile>): UserMap {
  const byName = new Map([...maps].map(([name, map]) => [lowerAscii(bytesOf(name)), map]));
  return (name, input, budget) => {
    const dot = name.indexOf('.');
    const map = byName.get(lowerAscii(dot < 0 ? name : name.slice(0, dot)));
    return map === undefined
      ? undefined
      : mapName(map, dot < 0 ? '*' : name.slice(dot + 1), input, budget)?.canonical;
  };
}

// One line of a map file: three fields, each quoted, a regular expression, or plain.

/**
 * A field and the offset after it. `options` are those after a regular expression: `i` and
 * `U`. Other text there begins the next field.
 */
interface MapField {
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
function readField(line: string, at: number, regexps: boolean): MapField | undefined {
  BLANKS.lastIndex = at;
  BLANKS.test(line);
  const start = BLANKS.lastIndex;
  if (start >= line.length) return undefined;
  if (line[start] === '"') {
    const { text, end } = readDelimited(line, start);
    return { text, kind: 'quoted', options: '', end };
  }
  if (regexps && line[start] === '/') {
    const { text, end } = readDelimited(line, start);
    const options = /^[iU]*/.exec(line.slice(end))?.[0] ?? '';
    return { text, kind: 'regexp', options, end: end + options.length };
  }
  const text = plainAt(line, start);
  return { text, kind: 'plain', options: '', end: start + text.length };
}

/**
 * Reads to the delimiter that closes the one at `at`, or to the end of the line; removes
 * a backslash before the delimiter or another backslash.
 */
function readDelimited(line: string, at: number): { text: string; end: number } {
  const delimiter = line[at] ?? '';
  let text = '';
  for (let from = at + 1; from < line.length; from += 1) {
    const char = line[from] ?? '';
    if (char === delimiter) return { text, end: from + 1 };
    const next = char === '\\' ? (line[from + 1] ?? '') : '';
    if (next !== '') from += 1;
    text += next === '' || (next !== delimiter && next !== '\\') ? char + next : next;
  }
  return { text, end: line.length };
}

function plainAt(line: string, at: number): string {
  PLAIN.lastIndex = at;
  return PLAIN.exec(line)?.[0] ?? '';
}
