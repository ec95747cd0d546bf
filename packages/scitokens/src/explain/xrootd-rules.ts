// What an issuer's section of scitokens.cfg makes of the scopes of a token: operations on
// paths of the storage.
import { isWithin, normalisePath, type Authorization } from '../token/scope.ts';
import type { Setting } from './ini.ts';
import type { XrootdIssuer } from './xrootd-config.ts';

/**
 * The operations that can be asked for, with the authorizations that allow each. `create`
 * makes a new file; `write` also replaces one.
 */
export const OPERATIONS: Readonly<Record<string, readonly string[]>> = {
  read: ['read'],
  list: ['read'],
  stat: ['read', 'create', 'modify', 'write'],
  create: ['create', 'modify', 'write'],
  write: ['modify', 'write'],
  delete: ['modify', 'write'],
  mkdir: ['create', 'modify', 'write'],
  rename: ['create', 'modify', 'write'],
  chmod: ['modify', 'write'],
  stage: ['storage.stage'],
  poll: ['storage.stage', 'storage.poll'],
};

const KNOWN = new Set(Object.values(OPERATIONS).flat());

/** Operations that are also allowed on the directories above a permitted path. */
const ON_PARENTS = ['stat', 'mkdir'];
const READING = ['read', 'list', 'stat', 'poll'];

/** True if an operation counts as reading for `required_authorization`. */
export function isReading(operation: string): boolean {
  return READING.includes(operation);
}

/** An authorization on a path of the storage, and the settings that it comes from. */
export interface PathRule {
  readonly acl: Authorization;
  /** Below the base path. */
  readonly path: string;
  readonly base: Setting;
  readonly restricted: Setting | undefined;
}

/**
 * Returns the rules of a token's authorizations below the base paths, by XRootD 5.7 and
 * later. A scope above a restricted path allows the restricted path only.
 */
export function pathRules(
  { basePaths, restrictedPaths }: XrootdIssuer,
  acls: readonly Authorization[],
): PathRule[] {
  const known = acls.filter(({ authz }) => KNOWN.has(authz));
  const rules = known.flatMap((acl) =>
    allowedPaths(acl, restrictedPaths).flatMap(({ path, restricted }) =>
      basePaths.map((base): PathRule => {
        return { acl, path: normalisePath(base.value + path), base, restricted };
      }),
    ),
  );
  // WLCG's create and modify also come as write, which would allow more.
  const exact = new Set(rules.filter(({ acl }) => isExact(acl)).map(({ path }) => path));
  return rules.filter(({ acl, path }) => acl.authz !== 'write' || !exact.has(path));
}

const isExact = ({ authz }: Authorization): boolean => authz === 'create' || authz === 'modify';

function allowedPaths(
  { path }: Authorization,
  restrictedPaths: readonly Setting[],
): { path: string; restricted: Setting | undefined }[] {
  if (restrictedPaths.length === 0) return [{ path, restricted: undefined }];
  const above = restrictedPaths.find(({ value }) => isWithin(path, value));
  if (above !== undefined) return [{ path, restricted: above }];
  return restrictedPaths
    .filter(({ value }) => isWithin(value, path))
    .map((restricted) => ({ path: restricted.value, restricted }));
}

/** Returns the first rule that allows an operation on a path of the storage. */
export function ruleFor(
  rules: readonly PathRule[],
  operation: string,
  path: string,
): PathRule | undefined {
  const names = OPERATIONS[operation] ?? [];
  return rules.find(
    (rule) =>
      names.includes(rule.acl.authz) &&
      (isWithin(path, rule.path) || (ON_PARENTS.includes(operation) && isWithin(rule.path, path))),
  );
}

/**
 * True if XRootD 5.5 allows the operation: it compares the beginnings of texts, not
 * whole names, and knows neither scopes above a restricted path nor directories above a
 * permitted path.
 */
export function olderAllows(
  { basePaths, restrictedPaths }: XrootdIssuer,
  acls: readonly Authorization[],
  operation: string,
  path: string,
): boolean {
  const rules = acls
    .filter(
      (acl) =>
        restrictedPaths.length === 0 ||
        restrictedPaths.some(({ value }) => acl.path.startsWith(value)),
    )
    .flatMap((acl) =>
      basePaths.map((base) => ({ acl, path: normalisePath(base.value + acl.path) })),
    );
  const exact = rules.filter(({ acl }) => isExact(acl)).map((rule) => rule.path);
  const names = OPERATIONS[operation] ?? [];
  return rules.some(
    ({ acl, path: start }) =>
      names.includes(acl.authz) &&
      path.startsWith(start) &&
      (acl.authz !== 'write' || !exact.includes(start)),
  );
}
