// Which user a token is: by the JSON map files of XRootD's SciTokens plugin
// (name_mapfile), and by a line of a map file of HTCondor or HTCondor-CE.
import { isObject } from '../token/compact.ts';
import { normalisePath } from '../token/scope.ts';
import {
  type Explanation,
  type Place,
  type Steps,
  type TokenQuestion,
  addTokenSteps,
  createSteps,
  signatureCaveat,
} from './token-steps.ts';
import { type MapFile, type Mapping, findMapping } from '@credmon/core/classad';

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

/** The question to a map file. */
export interface MapQuestion extends TokenQuestion {
  readonly map: MapFile;
  /** The path of the map file; included files have their own. */
  readonly file: string;
  /** `SCITOKENS_SERVER_AUDIENCE`; without it the audience is not checked. */
  readonly audience?: readonly string[] | undefined;
  /** An authorization of HTCondor that the token must have: READ, WRITE... */
  readonly operation?: string | undefined;
}

/** The method of the lines for SciTokens and WLCG tokens. */
const METHOD = 'SCITOKENS';

/**
 * Explains the decision of a daemon with this `CERTIFICATE_MAPFILE`. It asks no list of
 * issuers: every issuer that a line matches is trusted.
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/security.html
 */
export function explainMap(question: MapQuestion): Explanation {
  const { map, file, token, audience, operation, signature } = question;
  const steps = createSteps();
  for (const { file: included, line, problem } of map.problems)
    steps.note('map', `the line is ignored: ${problem}`, { file: included ?? file, line });
  const { iss } = token.claims;
  if (typeof iss === 'string') steps.ok('issuer', iss);
  else steps.refuse('issuer', 'iss is missing or not a string');
  const audiences =
    audience === undefined ? undefined : { values: audience.map((value) => ({ value, line: 0 })) };
  const { subject, acls } = addTokenSteps(steps, question, audiences);
  const user =
    typeof iss === 'string' && subject !== undefined
      ? addMapping(steps, question, iss, subject)
      : undefined;
  const permitted = acls?.flatMap(({ authz, path }) =>
    authz === 'condor' && path !== '/' ? [path.slice(1)] : [],
  );
  if (permitted !== undefined) addPermissions(steps, permitted, operation);
  const accepted = !steps.isRefused();
  const refusal = steps.all.find(({ state }) => state === 'refused');
  const verdict = accepted
    ? `accepted: the token is ${user ?? ''}${signatureCaveat(signature)}`
    : `refused: the token (${refusal?.step ?? ''})`;
  return {
    accepted,
    signature: signature.state,
    steps: steps.all,
    ...(accepted && user !== undefined ? { user } : {}),
    verdict,
  };
}

/** @returns the user, if a line matches */
function addMapping(
  steps: Steps,
  { map, file }: MapQuestion,
  issuer: string,
  subject: string,
): string | undefined {
  const identity = `${issuer},${subject}`;
  steps.ok('identity', identity);
  const placeOf = ({ entry }: Mapping): Place => ({
    file: entry.file ?? file,
    line: entry.line,
  });
  const found = findMapping(map, METHOD, identity);
  if (found !== undefined) {
    steps.ok('user', found.canonical, placeOf(found));
    if (found.canonical.startsWith('PLUGIN:'))
      steps.note('user', 'the user comes from a plugin of SEC_SCITOKENS_PLUGIN_NAMES');
    return found.canonical;
  }
  const count = map.entries.filter(({ method }) => method === METHOD.toLowerCase()).length;
  const lines = count === 0 ? 'the file has no SCITOKENS line' : `no line of ${count} matches`;
  steps.refuse('user', `${lines}: the token is not mapped`);
  const other = issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`;
  for (const [near, what] of [
    [`${other},${subject}`, `an issuer that differs in the slash at its end: ${other}`],
    [`${identity}/`, 'a slash at the end (see SEC_SCITOKENS_ALLOW_EXTRA_SLASH)'],
    [issuer, 'the issuer alone, without a comma and the subject'],
  ] as const) {
    const match = findMapping(map, METHOD, near);
    if (match !== undefined) steps.note('user', `a line matches ${what}`, placeOf(match));
  }
  return undefined;
}

/** The authorizations of the token limit the user's own. */
function addPermissions(
  steps: Steps,
  permitted: readonly string[],
  operation: string | undefined,
): void {
  const shown = [...new Set(permitted)].join(', ');
  if (operation === undefined) {
    if (shown === '')
      steps.note('permits', 'no condor:/READ or condor:/WRITE, and no compute scopes for them');
    else steps.ok('permits', shown);
  } else if (permitted.includes(operation)) steps.ok('permits', operation);
  else
    steps.refuse(
      'permits',
      `no ${operation}: the scopes give ${shown === '' ? 'nothing' : shown}` +
        (operation === 'WRITE'
          ? ' (needs compute.modify, compute.create and compute.cancel, or condor:/WRITE)'
          : ''),
    );
}
