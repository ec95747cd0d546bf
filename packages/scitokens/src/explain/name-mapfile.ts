// The JSON map files of XRootD's SciTokens plugin (name_mapfile): which user a token is.
import { isObject } from '../token/compact.ts';
import { normalisePath } from '../token/scope.ts';

/**
 * One rule: every condition that is set must hold. `path` is below the issuer's base path.
 */
export interface NameRule {
  readonly line: number;
  readonly result: string;
  readonly sub: string;
  readonly username: string;
  readonly path: string;
  readonly group: string;
}

/** A parsed map file. With `error` XRootD does not load the configuration. */
export interface NameMap {
  readonly file: string;
  readonly rules: readonly NameRule[];
  readonly warnings: readonly { readonly line: number; readonly problem: string }[];
  readonly error?: { readonly line: number; readonly problem: string };
}

/** What a rule is compared with. `path` is the requested path. */
export interface NameQuestion {
  readonly sub: string;
  readonly username: string;
  readonly groups: readonly string[];
  readonly path: string;
  readonly basePaths: readonly string[];
}

const TEXTS = ['result', 'group', 'sub', 'path'] as const;

/**
 * Parses a map file: a list of objects.
 * @see https://github.com/xrootd/xrootd/tree/master/src/XrdSciTokens
 */
export function parseNameMap(text: string, file: string): NameMap {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return failed(file, 1, 'is not JSON');
  }
  if (!Array.isArray(value)) return failed(file, 1, 'is not a list');
  const lines = linesOfItems(text);
  const rules: NameRule[] = [];
  const warnings: { line: number; problem: string }[] = [];
  for (const [index, item] of value.entries()) {
    const line = lines[index] ?? 1;
    if (!isObject(item)) return failed(file, line, 'the rule is not an object');
    if (typeof item['ignore'] === 'string') continue;
    if (item['ignore'] !== undefined)
      warnings.push({ line, problem: 'ignore is not a string: the rule is not ignored' });
    const rule = readRule(item, line);
    if (typeof rule === 'string') return failed(file, line, rule);
    rules.push(rule);
  }
  return { file, rules, warnings };
}

function failed(file: string, line: number, problem: string): NameMap {
  return { file, rules: [], warnings: [], error: { line, problem } };
}

function readRule(item: Readonly<Record<string, unknown>>, line: number): NameRule | string {
  for (const name of TEXTS)
    if (item[name] !== undefined && typeof item[name] !== 'string')
      return `${name} is not a string`;
  const text = (name: string): string => (typeof item[name] === 'string' ? item[name] : '');
  if (text('result') === '') return 'the rule has no result';
  const path = text('path');
  if (item['path'] !== undefined && !path.startsWith('/'))
    return 'path does not begin with a slash';
  return {
    line,
    result: text('result'),
    sub: text('sub'),
    username: text('username'),
    path: path === '' ? '' : normalisePath(path),
    group: text('group'),
  };
}

/**
 * Returns the first matching rule. A rule's path is compared as text: `/home/al` also
 * matches `/home/alice`.
 */
export function findRule({ rules }: NameMap, question: NameQuestion): NameRule | undefined {
  const { sub, username, groups, path, basePaths } = question;
  return rules.find(
    (rule) =>
      (rule.sub === '' || rule.sub === sub) &&
      (rule.username === '' || rule.username === username) &&
      (rule.group === '' || groups.includes(rule.group)) &&
      basePaths.some((base) => path.startsWith(`${base}${rule.path}`.replace('//', '/'))),
  );
}

/** The line of each item of a list. `json` is valid. */
function linesOfItems(json: string): number[] {
  const lines: number[] = [];
  let depth = 0;
  let line = 1;
  let isStart = false;
  for (const [token] of json.matchAll(/\n|"(?:[^"\\]|\\.)*"|[[\]{},]|[^\s"[\]{},]+/g)) {
    if (token === '\n') {
      line += 1;
      continue;
    }
    if (depth === 1 && isStart && token !== ']') lines.push(line);
    isStart = depth === 1 ? token === ',' : depth === 0;
    if (token === '[' || token === '{') depth += 1;
    else if (token === ']' || token === '}') depth -= 1;
  }
  return lines;
}
