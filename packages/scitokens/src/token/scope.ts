// Scopes: the authorization of each one, and the translation of WLCG names to those of
// SciTokens. Ambiguous scopes are neither signed nor accepted.
import { CodedError, decodeComponent } from '@credmon/core/base';

/**
 * One authorization: a name such as `read`, and the normalised absolute path of the
 * permitted subtree, without percent escapes.
 */
export interface Authorization {
  readonly authz: string;
  readonly path: string;
}

const CONTROL = /\p{Cc}/u;
const NEEDS_PATH = /^(?:read|write|create|modify|storage\..+)$/;

/** Splits a scope claim at blanks and drops empty scopes. */
export function splitScope(scope: string): string[] {
  return scope.split(' ').filter((part) => part !== '');
}

/**
 * Normalises a path: removes empty and `.` segments and a trailing slash; `..` removes
 * the segment before it. A path without a leading slash starts at the root, like in
 * scitokens-cpp.
 */
export function normalisePath(path: string): string {
  const kept: string[] = [];
  for (const segment of path.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

/**
 * Returns why a requested path differs between services that decode it and services that
 * do not; `undefined` if it is unambiguous. A requested path is not decoded: percent signs
 * that encode neither a separator, a NUL, a dot segment nor another percent sign are
 * ordinary characters.
 */
export function ambiguousEncoding(path: string): string | undefined {
  if (path.includes('\0') || /%00/.test(path)) return 'a NUL';
  if (/%2f|%5c/i.test(path)) return 'an encoded separator';
  if (/%25/.test(path)) return 'a double encoding';
  const encodedDots = /(?:^|\/)(?:\.|%2e){1,2}(?=\/|$)/gi;
  for (const [segment] of path.matchAll(encodedDots))
    if (segment.includes('%')) return 'an encoded dot segment';
  return undefined;
}

/**
 * Parses one scope of a verified token. The components of its path are decoded once.
 * Without a path it permits everything (`/`).
 * @throws CodedError `TOKEN_BAD_SCOPE` for a scope that a verifier could misread
 */
export function readAuthorization(scope: string): Authorization {
  const { authz, path } = splitAtColon(scope);
  const decoded = decodePath(path ?? '');
  const problem =
    (authz.includes('\\') ? 'a backslash' : ambiguousEncoding(authz)) ?? decoded.problem;
  if (problem !== undefined) throw badScope(scope, `contains ${problem}`);
  return { authz, path: normalisePath(decoded.path) };
}

/** Decodes each component of a path once; `problem` is that of the first bad one. */
function decodePath(path: string): { readonly path: string; readonly problem?: string } {
  const texts: string[] = [];
  for (const component of path.split('/')) {
    const decoded = decodeComponent(component);
    if ('problem' in decoded) return { path, problem: decoded.problem };
    texts.push(decoded.text);
  }
  return { path: texts.join('/') };
}

/**
 * Checks a scope before signing, and returns it.
 * @throws CodedError `TOKEN_BAD_SCOPE` for scopes that a known verifier may misread: a
 * relative path, `.` and `..`, invalid escapes, encoded separators, dots, percent signs and
 * control characters, and storage scopes without a path
 */
export function checkScopeForSigning(scope: string): string {
  const { authz, path } = splitAtColon(scope);
  const problem = characterProblem(scope) ?? ambiguousEncoding(authz) ?? pathProblem(authz, path);
  if (problem !== undefined) throw badScope(scope, `contains ${problem}`);
  return scope;
}

function splitAtColon(scope: string): { authz: string; path: string | undefined } {
  const colon = scope.indexOf(':');
  return colon < 0
    ? { authz: scope, path: undefined }
    : { authz: scope.slice(0, colon), path: scope.slice(colon + 1) };
}

function characterProblem(scope: string): string | undefined {
  if (scope === '' || scope.startsWith(':')) return 'no authorization name';
  for (const character of scope) {
    const point = character.codePointAt(0) ?? 0;
    if (point <= 0x20 || (point >= 0x7f && point <= 0xa0)) return 'a blank or control character';
    if (character === '"' || character === '\\')
      return 'a quote or backslash (RFC 6749 section 3.3)';
    if (point >= 0xd800 && point <= 0xdfff) return 'an unpaired surrogate';
  }
  return undefined;
}

function pathProblem(authz: string, path: string | undefined): string | undefined {
  if (path === undefined)
    return NEEDS_PATH.test(authz) ? `no path (write ${authz}:/ for everything)` : undefined;
  if (!path.startsWith('/')) return 'a relative path';
  const decoded = decodePath(path);
  if (decoded.problem !== undefined) return decoded.problem;
  if (CONTROL.test(decoded.path)) return 'an encoded control character';
  return path.split('/').includes('.') ? 'a dot segment' : undefined;
}

function badScope(scope: string, problem: string): CodedError {
  const shown = JSON.stringify(scope.slice(0, 200));
  return new CodedError('TOKEN_BAD_SCOPE', `the scope ${shown} ${problem}`, {
    scope: shown,
    problem,
  });
}

const STORAGE: Readonly<Record<string, readonly string[]>> = {
  'storage.read': ['read'],
  'storage.create': ['write', 'create'],
  'storage.modify': ['write', 'modify'],
};
const COMPUTE_WRITE = ['compute.modify', 'compute.create', 'compute.cancel'];

/**
 * Translates WLCG names to those of SciTokens, like scitokens-cpp; keeps names without a
 * counterpart.
 */
export function translateWlcg(granted: readonly Authorization[]): Authorization[] {
  const translated = granted.flatMap(({ authz, path }): Authorization[] => {
    if (authz === 'compute.read') return [{ authz: 'condor', path: '/READ' }];
    const names = Object.hasOwn(STORAGE, authz) ? STORAGE[authz] : undefined;
    return (names ?? [authz]).map((name) => ({ authz: name, path }));
  });
  const writes = COMPUTE_WRITE.every((name) => granted.some(({ authz }) => authz === name));
  return writes ? [...translated, { authz: 'condor', path: '/WRITE' }] : translated;
}

/** True for `path` itself and paths below it, by whole segments. */
export function isWithin(path: string, base: string): boolean {
  return base === '/' || path === base || path.startsWith(`${base}/`);
}
