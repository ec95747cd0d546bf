// Finds a user's groups in the map files; a changed file is read again.
import { dirname, isAbsolute, join } from 'node:path';
import { CodedError } from '@credmon/core/base';
import {
  DEFAULT_LIMITS,
  parseMapFile,
  textOf,
  userMapOf,
  type MapFile,
  type UserMap,
} from '@credmon/core/classad';
import type { UserMapSettings } from '../../authz/requirement.ts';
import type { LocalPorts } from './keys.ts';
import type { LocalIssuer } from '../../settings/local.ts';

/** Groups of users, and userMap() for expressions. */
export interface LocalGroups {
  /**
   * Returns the groups of a user in order.
   * @throws CodedError `MAP_UNREADABLE` when a requirement needs a map that cannot be
   * read, `CLASSAD_LIMIT`
   */
  readonly groupsOf: (user: string, issuer: LocalIssuer) => readonly string[];
  readonly userMap: UserMap;
  /** Changes when a map of this issuer changes. */
  readonly version: (issuer: LocalIssuer) => string;
}

/** A map, its source files and their versions. */
interface Loaded {
  readonly files: readonly string[];
  readonly version: string;
  readonly map: MapFile;
}

type Load = (path: string, prefix?: boolean) => MapFile | undefined;

/** Creates the group look-up for these settings. */
export function localGroups(userMaps: readonly UserMapSettings[], ports: LocalPorts): LocalGroups {
  const loaded = new Map<string, Loaded>();
  const ignored = new Map<string, readonly string[]>();
  const versionOf = (files: readonly string[]): string =>
    files.map((file) => ports.version(file)).join(' ');

  const load: Load = (path, prefix = false) => {
    const key = `${prefix} ${path}`;
    const known = loaded.get(key);
    if (known && versionOf(known.files) === known.version) return known.map;
    const found = read(path, prefix, ports, ignored);
    if (found) loaded.set(key, { ...found, version: versionOf(found.files) });
    return found?.map;
  };

  const mapOf = ({ file, data, prefix }: UserMapSettings): MapFile | undefined =>
    file === undefined ? parseMapFile(data ?? '', { prefix }) : load(file, prefix);
  const mapsNow = (): Map<string, MapFile> =>
    new Map(
      userMaps.flatMap((settings) => {
        const map = mapOf(settings);
        return map ? [[settings.name, map] as const] : [];
      }),
    );
  const filesOf = (path: string, prefix: boolean): readonly string[] =>
    loaded.get(`${prefix} ${path}`)?.files ?? [path];
  return {
    groupsOf: (user, issuer) => groupsOf(user, issuer, load),
    userMap: (name, input, budget) => userMapOf(mapsNow())(name, input, budget),
    version: ({ groupMapFile }) =>
      versionOf([
        ...(groupMapFile === undefined ? [] : filesOf(groupMapFile, false)),
        ...userMaps.flatMap(({ file, prefix }) =>
          file === undefined ? [] : filesOf(file, prefix),
        ),
      ]),
  };
}

/**
 * Reads a map file; `ignored` has the lines that were ignored at the last read, by file.
 */
function read(
  path: string,
  prefix: boolean,
  ports: LocalPorts,
  ignored: Map<string, readonly string[]>,
): Omit<Loaded, 'version'> | undefined {
  const text = ports.readText(path);
  if (!text.ok) {
    ports.warn(`the map file ${path} ${text.reason}`, path);
    return undefined;
  }
  ports.recovered?.(path);
  const files = [path];
  const include = (name: string): readonly string[] => {
    const included = isAbsolute(name) ? name : join(dirname(path), name);
    files.push(included);
    const about = `${path} includes ${included}`;
    if (ports.version(included) === '') ports.warn(`${about}, which is missing`, about);
    else ports.recovered?.(about);
    return ports.readAll(included);
  };
  const map = parseMapFile(text.value, { prefix, include });
  const problems = map.problems.map(
    ({ file = path, line, problem }) => `${file}, line ${line}, is ignored: ${problem}`,
  );
  const before = ignored.get(path) ?? [];
  for (const text of before) if (!problems.includes(text)) ports.recovered?.(text);
  for (const text of problems) ports.warn(text);
  if (problems.length > 0) ignored.set(path, problems);
  else ignored.delete(path);
  return { files, map };
}

function groupsOf(
  user: string,
  { service, groupMapFile, groupRequirement }: LocalIssuer,
  load: Load,
): readonly string[] {
  if (groupMapFile === undefined) return [];
  const map = load(groupMapFile);
  if (map) return groupsIn(map, user);
  if (groupRequirement === undefined) return [];
  const text = `cannot sign tokens of ${service}: their group requirement needs ${groupMapFile}, which cannot be read`;
  throw new CodedError('MAP_UNREADABLE', text, { service, about: `provider ${service}` });
}

function groupsIn(map: MapFile, user: string): readonly string[] {
  const budget = { left: DEFAULT_LIMITS.matchSteps, limits: DEFAULT_LIMITS };
  const groups = userMapOf(new Map([['groups', map]]))('groups', user, budget) ?? '';
  return textOf(groups)
    .split(',')
    .map((group) => group.trim())
    .filter(Boolean);
}
