// The configuration of XRootD's SciTokens plugin (scitokens.cfg): audiences and issuers.
import { nearest } from '@credmon/core/base';
import { normalisePath } from '../token/scope.ts';
import { parseIni, type LineProblem, type Section, type Setting } from './ini.ts';
import { parseNameMap, type NameMap } from './name-mapfile.ts';

/** The ways by which an issuer's tokens may be authorized. */
export type Strategy = 'capability' | 'group' | 'mapping';
/** Operations for which an issuer is required or acceptable. */
export type Operations = 'read' | 'write' | 'all' | 'none';

/** An `[Issuer ...]` section. */
export interface XrootdIssuer {
  readonly section: string;
  readonly line: number;
  readonly issuer: Setting;
  /** Normalised. */
  readonly basePaths: readonly Setting[];
  readonly restrictedPaths: readonly Setting[];
  readonly mapSubject: Setting | undefined;
  readonly defaultUser: Setting | undefined;
  readonly usernameClaim: Setting | undefined;
  readonly groupsClaim: string;
  readonly strategies: readonly Strategy[];
  readonly required: Operations;
  readonly acceptable: Operations;
  readonly names: NameMap | undefined;
}

/** A configuration. With `errors` the plugin does not load. */
export interface XrootdConfig {
  readonly file: string;
  readonly audiences: readonly Setting[];
  /** What happens to a request that the token does not allow. */
  readonly onMissing: Setting;
  readonly issuers: readonly XrootdIssuer[];
  readonly errors: readonly LineProblem[];
  readonly warnings: readonly (LineProblem & { readonly section: string | undefined })[];
}

const GLOBAL = ['audience', 'audience_json', 'onmissing'];
const ISSUER = [
  'issuer',
  'base_path',
  'restricted_path',
  'map_subject',
  'default_user',
  'username_claim',
  'groups_claim',
  'name_mapfile',
  'authorization_strategy',
  'required_authorization',
  'acceptable_authorization',
];

interface Findings {
  readonly errors: LineProblem[];
  readonly warnings: LineProblem[];
}

/**
 * Parses a scitokens.cfg. `readMap` returns the text of a `name_mapfile`, or `undefined` if
 * it cannot be read.
 * @see https://github.com/xrootd/xrootd/tree/master/src/XrdSciTokens
 */
export function readXrootdConfig(
  text: string,
  file: string,
  readMap: (path: string) => string | undefined,
): XrootdConfig {
  const ini = parseIni(text);
  const found: Findings = { errors: [...ini.errors], warnings: [...ini.warnings] };
  let audiences: readonly Setting[] = [];
  let onMissing: Setting = { value: 'passthrough', line: 0 };
  const issuers: XrootdIssuer[] = [];
  // The plugin goes through the sections in the order of their names.
  for (const section of [...ini.sections].sort((one, other) => (one.name < other.name ? -1 : 1))) {
    const kind = section.name.toLowerCase();
    if (kind.startsWith('global')) {
      warnOfUnknown(section, GLOBAL, found);
      audiences = [...audiences, ...audiencesOf(section, found)];
      onMissing = onMissingOf(section, found) ?? onMissing;
    } else if (kind.startsWith('issuer ')) {
      warnOfUnknown(section, ISSUER, found);
      const issuer = issuerOf(section, readMap, found);
      if (issuer !== undefined) addIssuer(issuers, issuer, found);
    } else found.warnings.push({ line: section.line, problem: `[${section.name}] is ignored` });
  }
  const warnings = found.warnings.map((one) => ({ ...one, section: ini.sectionAt(one.line) }));
  return { file, audiences, onMissing, issuers, errors: found.errors, warnings };
}

function warnOfUnknown(section: Section, known: readonly string[], { warnings }: Findings): void {
  for (const [name, { line }] of section.settings) {
    if (known.includes(name)) continue;
    const near = nearest(name, known);
    const hint = near === undefined ? '' : `; did you mean ${near}?`;
    warnings.push({ line, problem: `unknown setting ${name} in [${section.name}]${hint}` });
  }
}

function audiencesOf({ settings }: Section, { errors }: Findings): Setting[] {
  const plain = wordsOf(settings.get('audience'));
  const json = settings.get('audience_json');
  if (json === undefined || json.value === '') return plain;
  const list = parseJson(json.value);
  if (!Array.isArray(list) || !list.every((one) => typeof one === 'string')) {
    errors.push({ line: json.line, problem: 'audience_json is not a JSON list of strings' });
    return plain;
  }
  return [...plain, ...list.map((value) => ({ value, line: json.line }))];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function onMissingOf({ settings }: Section, { errors }: Findings): Setting | undefined {
  const setting = settings.get('onmissing');
  if (setting === undefined || setting.value === '') return undefined;
  if (['passthrough', 'allow', 'deny'].includes(setting.value)) return setting;
  errors.push({
    line: setting.line,
    problem: 'onmissing must be passthrough, allow or deny',
  });
  return undefined;
}

function issuerOf(
  section: Section,
  readMap: (path: string) => string | undefined,
  found: Findings,
): XrootdIssuer | undefined {
  const { settings, line } = section;
  const get = (name: string): Setting | undefined => {
    const setting = settings.get(name);
    return setting?.value === '' ? undefined : setting;
  };
  const [issuer, base] = [get('issuer'), get('base_path')];
  const mapFile = get('name_mapfile');
  // The map file is read before base_path is looked at, and a bad one ends the loading.
  const names = mapFile === undefined ? undefined : namesOf(mapFile, readMap, found);
  if (issuer === undefined || base === undefined) {
    const name = issuer === undefined ? 'issuer' : 'base_path';
    found.warnings.push({ line, problem: `[${section.name}] is ignored: it has no ${name}` });
    return undefined;
  }
  return {
    section: section.name,
    line,
    issuer,
    basePaths: pathsOf(base, 'base_path', found),
    restrictedPaths: pathsOf(get('restricted_path'), 'restricted_path', found),
    mapSubject: /^(?:true|yes|on|1)$/i.test(get('map_subject')?.value ?? '')
      ? get('map_subject')
      : undefined,
    defaultUser: get('default_user'),
    usernameClaim: get('username_claim'),
    groupsClaim: get('groups_claim')?.value ?? 'wlcg.groups',
    strategies: strategiesOf(get('authorization_strategy'), found),
    required: operationsOf(get('required_authorization'), 'none', found),
    acceptable: operationsOf(get('acceptable_authorization'), 'all', found),
    names,
  };
}

/** Of two sections for one issuer, the plugin uses the first in the order of names. */
function addIssuer(issuers: XrootdIssuer[], issuer: XrootdIssuer, { warnings }: Findings): void {
  const same = issuers.find((one) => one.issuer.value === issuer.issuer.value);
  if (same === undefined) issuers.push(issuer);
  else
    warnings.push({
      line: same.line,
      problem: `[${issuer.section}] of line ${issuer.line} for the same issuer is ignored`,
    });
}

/** Words between blanks and commas. */
function wordsOf(setting: Setting | undefined): Setting[] {
  const words = setting?.value.split(/[, ]+/).filter((word) => word !== '') ?? [];
  return words.map((value) => ({ value, line: setting?.line ?? 0 }));
}

function pathsOf(setting: Setting | undefined, name: string, { warnings }: Findings): Setting[] {
  return wordsOf(setting).flatMap(({ value, line }) => {
    if (value.startsWith('/')) return [{ value: normalisePath(value), line }];
    warnings.push({ line, problem: `${name} ${value} is ignored: it is not an absolute path` });
    return [];
  });
}

function strategiesOf(setting: Setting | undefined, { warnings }: Findings): Strategy[] {
  const all: readonly Strategy[] = ['capability', 'group', 'mapping'];
  if (setting === undefined) return [...all];
  const words = setting.value.toLowerCase().split(' ');
  for (const word of words)
    if (word !== '' && !all.some((one) => one === word))
      warnings.push({
        line: setting.line,
        problem: `authorization_strategy ${word} is ignored: must be one of ${all.join(', ')}`,
      });
  return all.filter((one) => words.includes(one));
}

function operationsOf(
  setting: Setting | undefined,
  missing: Operations,
  { warnings }: Findings,
): Operations {
  if (setting === undefined) return missing;
  const known: readonly Operations[] = ['read', 'write', 'all', 'none'];
  const found = known.find((one) => one === setting.value.toLowerCase());
  if (found === undefined)
    warnings.push({ line: setting.line, problem: `must be one of ${known.join(', ')}` });
  return found ?? missing;
}

function namesOf(
  setting: Setting,
  readMap: (path: string) => string | undefined,
  { errors, warnings }: Findings,
): NameMap | undefined {
  const file = setting.value;
  const text = readMap(file);
  if (text === undefined) {
    errors.push({ line: setting.line, problem: `name_mapfile ${file} cannot be read` });
    return undefined;
  }
  const names = parseNameMap(text, file);
  const at = ({ line, problem }: LineProblem): LineProblem => ({
    line: setting.line,
    problem: `${file}:${line}: ${problem}`,
  });
  if (names.error !== undefined) errors.push(at(names.error));
  for (const one of names.warnings) warnings.push(at(one));
  return names;
}
