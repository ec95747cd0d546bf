// Names of users, services and files in the credential directory.
import { temporaryOwner } from '../base/files/atomic-write.ts';

/**
 * The maximum length of a name in bytes: with an extension and a temporary suffix it
 * still fits a file name.
 */
const LONGEST_NAME = 200;

/** A token's service and handle; `handle` is empty if there is none. */
export interface ServiceAndHandle {
  readonly service: string;
  readonly handle: string;
}

/**
 * True for a name in CredD's alphabet (ASCII letters, digits, `-+=_.`) that is safe as a
 * file name: not empty, no leading dot, at most 200 bytes. CredD itself accepts `.` and
 * `..`; this function does not.
 */
export function isCredName(text: string): boolean {
  return /^[A-Za-z0-9+=_-][A-Za-z0-9+=_.-]*$/.test(text) && text.length <= LONGEST_NAME;
}

/** Returns the user name without its domain: everything before the first `@`. */
export function cutDomain(user: string): string {
  const at = user.indexOf('@');
  return at < 0 ? user : user.slice(0, at);
}

/** Returns the file stem of a service and handle: `mytok`, or `mytok_h1`. */
export function stemOf(service: string, handle: string): string {
  return handle === '' ? service : `${service}_${handle}`;
}

/**
 * Splits a stem at its first `_` into service and handle. With `specialNames` (knob
 * CREDMON_ALLOW_SPECIAL_CHAR_NAMES) the whole stem is the service. Returns `undefined`
 * for a stem that ends in `_`: it belongs to no service.
 */
export function splitStem(stem: string, specialNames: boolean): ServiceAndHandle | undefined {
  if (!isCredName(stem)) return undefined;
  if (specialNames) return { service: stem, handle: '' };
  if (stem.endsWith('_')) return undefined;
  const cut = stem.indexOf('_');
  if (cut === 0) return undefined;
  return cut < 0
    ? { service: stem, handle: '' }
    : { service: stem.slice(0, cut), handle: stem.slice(cut + 1) };
}

/**
 * True for a provider name that is allowed in a `*_CREDMON_PROVIDER_NAMES` list without
 * CREDMON_ALLOW_SPECIAL_CHAR_NAMES.
 */
export function isPlainProviderName(name: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(name);
}

/** A configured provider, and the knob that names it. */
interface Provider {
  readonly name: string;
  readonly knob: string;
}

/**
 * A configured provider whose name contains `_`. `base` is the configured provider to
 * which HTCondor's rule assigns its tokens: then the provider is rejected. `text` names
 * the problem and the fix.
 */
export interface NameProblem extends Provider {
  readonly base: string | undefined;
  readonly text: string;
}

/**
 * The rules for names. `specialNames` is CREDMON_ALLOW_SPECIAL_CHAR_NAMES; `configured`
 * are all configured providers, in upper case.
 */
export interface NameRules {
  readonly problems: readonly NameProblem[];
  readonly specialNames: boolean;
  readonly configured: ReadonlySet<string>;
}

/**
 * Checks the names of all configured providers. Without `specialNames`, a token's file
 * name is split into service and handle at the first `_`: tokens of `keycloak_extra` are
 * read as those of `keycloak`. Names are compared without case, like knobs.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#CREDMON_ALLOW_SPECIAL_CHAR_NAMES
 */
export function judgeProviderNames(names: {
  readonly providers: readonly Provider[];
  readonly specialNames: boolean;
}): NameRules {
  const { providers, specialNames } = names;
  const configured = new Set(providers.map(({ name }) => name.toUpperCase()));
  if (specialNames) return { problems: [], specialNames, configured };
  const known = new Map(providers.map(({ name }) => [name.toUpperCase(), name]));
  const problems = providers
    .filter(({ name }) => name.includes('_'))
    .map(({ name, knob }) => {
      const base = known.get(baseOf(name).toUpperCase());
      return { name, knob, base, text: problemText(name, base, known) };
    });
  return { problems, specialNames, configured };
}

/**
 * Returns why a token must not be used for a login or a renewal, or `undefined`: its name
 * is that of a rejected provider (with or without a handle), so its secrets could reach
 * another provider's issuer.
 */
export function refusedName(stem: string, { problems }: NameRules): string | undefined {
  const name = stem.toUpperCase();
  return problems.find(
    (one) =>
      one.base !== undefined &&
      (name === one.name.toUpperCase() || name.startsWith(`${one.name.toUpperCase()}_`)),
  )?.text;
}

/**
 * Returns why there is no login for this provider of a key file, or `undefined`: the part
 * of its name before the first `_` is a configured provider, and a token of that one with
 * a handle would have the same name.
 */
export function refusedProvider(
  provider: string,
  { specialNames, configured }: NameRules,
): string | undefined {
  if (specialNames || !provider.includes('_') || !configured.has(baseOf(provider).toUpperCase()))
    return undefined;
  const known = new Map([...configured].map((name) => [name, name]));
  return problemText(provider, baseOf(provider), known);
}

/** Returns why a login for a token with a handle is rejected if handles are off. */
export function noHandles(provider: string, handle: string): string {
  return (
    `${provider} with the handle "${handle}" rejected: CREDMON_ALLOW_SPECIAL_CHAR_NAMES ` +
    '= true turns handles off; remove the handle'
  );
}

function baseOf(name: string): string {
  return name.slice(0, name.indexOf('_'));
}

function problemText(
  name: string,
  base: string | undefined,
  known: ReadonlyMap<string, string>,
): string {
  const remedy =
    `fix: rename it to ${freeName(name, known)}, or set ` +
    'CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true (turns handles off)';
  const handle = name.slice(name.indexOf('_') + 1);
  if (base !== undefined)
    return (
      `${name} is ambiguous: it is also the handle "${handle}" of the provider ` +
      `"${base}"; no login and no renewal of ${name}; ${remedy}`
    );
  if (name.startsWith('_') || name.endsWith('_'))
    return `${name} begins or ends with "_", so no token belongs to it; ${remedy}`;
  return `${name} is read as the handle "${handle}" of a provider "${baseOf(name)}"; ${remedy}`;
}

/** Returns the name without `_`, with a number if that name is taken. */
function freeName(name: string, known: ReadonlyMap<string, string>): string {
  const plain = name.replaceAll('_', '');
  const taken = (one: string): boolean => one === '' || known.has(one.toUpperCase());
  if (!taken(plain)) return plain;
  for (let n = 2; ; n += 1) if (!taken(`${plain}${n}`)) return `${plain}${n}`;
}

/** The daemon's process id, decimal. */
export const PID_FILE = 'pid';
/** Touched after each pass. */
export const COMPLETE_FILE = 'CREDMON_COMPLETE';
/** Locked by the only daemon of the directory; contains its process id. */
export const LOCK_FILE = '.condor_credmon.lock';
/** Disk space reserved for rotated refresh tokens; see `openReserve`. */
export const RESERVE_FILE = '.credmon-reserve';
/** A request by CredD: 64 lower-case hex digits. */
export const KEY_FILE_NAME: RegExp = /^[0-9a-f]{64}$/;

/** The kinds of file of one token. */
export type TokenFileKind = 'top' | 'use' | 'meta' | 'renewal' | 'issued';

/** The kinds of our own state files, whose names begin with a dot. */
export const STATE_KINDS: ReadonlySet<TokenFileKind> = new Set(['renewal', 'issued']);

/**
 * Returns the name of a token's file: `S.top`, `S.use`, `S.meta`, or `.S.renewal` and
 * `.S.issued`, which only condor_credmon and the portal use.
 */
export function tokenFileName(stem: string, kind: TokenFileKind): string {
  return STATE_KINDS.has(kind) ? `.${stem}.${kind}` : `${stem}.${kind}`;
}

/** The meaning of a name in a user's directory. */
export type UserEntry =
  | { readonly kind: TokenFileKind; readonly stem: string }
  | {
      readonly kind: 'temporary';
      readonly pid: number;
      readonly locked: boolean;
      readonly target: string;
    }
  | { readonly kind: 'other' };

/** Classifies a name in a user's directory. */
export function classifyUserEntry(name: string): UserEntry {
  const owner = temporaryOwner(name);
  if (owner)
    return {
      kind: 'temporary',
      ...owner,
      target: name.slice(1).replace(/\.d?\d+\.\d+\.credmon-tmp$/, ''),
    };
  const state = /^\.(.+)\.(renewal|issued)$/s.exec(name);
  if (state?.[1] !== undefined) return { kind: state[2] as TokenFileKind, stem: state[1] };
  const file = /^(.+)\.(top|use|meta)$/s.exec(name);
  if (file?.[1] !== undefined && !name.startsWith('.'))
    return { kind: file[2] as TokenFileKind, stem: file[1] };
  return { kind: 'other' };
}

/**
 * True when a change of this name in the top directory may concern a token: a key file
 * that was created or removed (the web portal removes it after the last login), or a
 * user's directory. False for the daemon's own files, except the lock file: its removal
 * or replacement must be noticed.
 */
export function hintsAtTokens(name: string): boolean {
  if (KEY_FILE_NAME.test(name) || name === LOCK_FILE) return true;
  return isCredName(name) && name !== PID_FILE && name !== COMPLETE_FILE && !name.endsWith('.mark');
}
