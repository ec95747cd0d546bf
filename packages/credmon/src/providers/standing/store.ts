// Adds standing tokens to the credential directory's store: one more user in every scan,
// with files at the configured paths.
import { CodedError, messageOf, systemCode } from '@credmon/core/base';
import {
  digestUse,
  parseRenewal,
  sameIdentity,
  type FileIdentity,
  type FileState,
  type Instant,
  type RenewalState,
  type TokenSnapshot,
  type TokenTimes,
} from '@credmon/core/credential';
import { topAfter, type CredentialStore, type TokenChange } from '@credmon/core/store';
import { accessTokenIn } from '../common/granted-scopes.ts';
import { STANDING, type StandingFiles, type StandingOwner, type StandingReading } from './ports.ts';
import { standingSnapshot } from './standing.ts';
import type { LoginStanding, StandingToken } from '../../settings/standing.ts';
import {
  applyLogin,
  loginSnapshot,
  EMPTY_STORE,
  scanLogins,
  type LoginScan,
} from './login-store.ts';
import {
  fingerprintInput,
  knownFor,
  provenanceIn,
  recall,
  remember,
  tryStoreKnown,
  type IssuedLifetime,
  type Provenance,
} from './provenance.ts';
import { differs } from './signed.ts';

/** Returns the standing tokens of the current configuration. */
type StandingTokens = () => readonly StandingToken[];

/** Reads and writes standing tokens, and remembers what this process wrote. */
interface StandingState {
  readonly snapshotOf: (token: StandingToken, now: Instant, scan: LoginScan) => TokenSnapshot;
  readonly apply: (change: TokenChange) => void;
}

function standingState(
  tokens: StandingTokens,
  files: StandingFiles,
  logins: CredentialStore,
): StandingState {
  const renewals = new Map<string, RenewalState>();
  const seen = new Map<string, { readonly state: FileState<TokenTimes>; readonly at: Instant }>();
  const issued = recall(files);

  const snapshotOf: StandingState['snapshotOf'] = (token, now, scan) => {
    const reading = files.read(token.path);
    const known =
      token.kind === 'fetched' ? knownFor(token, reading, issued) : issued.get(token.name);
    const state = stateOf(token, reading, known?.lifetime, files);
    const before = seen.get(token.name);
    const at = before && sameState(before.state, state) ? before.at : now;
    seen.set(token.name, { state, at });
    if (token.kind === 'login')
      return loginSnapshot({ token, reading, use: state, known, seen: at }, scan, logins);
    const changed =
      token.kind === 'fetched' && known !== undefined && known.stands !== fingerprintInput(token);
    return standingSnapshot(token.name, state, changed, renewals.get(token.name), at);
  };

  const noteWritten = (
    token: StandingToken,
    from: Provenance | undefined,
    top?: FileIdentity,
  ): void => {
    remember(issued, token.name, from, files.read(token.path), top);
    const names = tokens().map(({ name }) => name);
    tryStoreKnown(files, issued, names);
  };

  const applyTo = (
    token: Exclude<StandingToken, LoginStanding>,
    { stem, writes }: TokenChange,
  ): void => {
    const textOf = (kind: string): string | undefined =>
      writes.find((each) => each.kind === kind)?.text;
    const use = textOf('use');
    if (use !== undefined) {
      const provenance = provenanceIn(textOf('top') ?? '');
      requireMatch(token, use, provenance);
      write(token, use, files);
      if (token.kind === 'fetched') noteWritten(token, provenance);
    }
    if (writes.some(({ kind }) => kind === 'renewal'))
      rememberFailure(renewals, stem, textOf('renewal'));
  };

  const apply = (change: TokenChange): void => {
    const { stem, from } = change;
    const token = tokens().find(({ name }) => name === stem);
    // A rotated refresh token is stored also for a token that is no longer configured.
    const isOfLogin = sameIdentity(logins.read(STANDING, stem).topIdentity ?? NO_FILE, from);
    if (token?.kind === 'login' || isOfLogin) {
      const login = token?.kind === 'login' ? token : undefined;
      return applyLogin(logins, login, change, (use, provenance, top) => {
        if (!login) return;
        write(login, use, files);
        noteWritten(login, provenance, top);
      });
    }
    if (token) return applyTo(token, change);
    throw new CodedError(
      'CRED_SUPERSEDED',
      `${STANDING}/${stem}: it is no longer configured; nothing was written`,
    );
  };
  return { snapshotOf, apply };
}

/**
 * Adds standing tokens to a store. Failures of signed and fetched ones are kept in memory:
 * their directories belong to others. `logins` is the store of their refresh tokens.
 */
export function withStanding(
  store: CredentialStore,
  tokens: StandingTokens,
  files: StandingFiles,
  logins: CredentialStore = EMPTY_STORE,
): CredentialStore {
  const { snapshotOf, apply } = standingState(tokens, files, logins);
  // Also a token that was configured when its renewal began.
  const mayHaveLogin = (stem: string): boolean =>
    (tokens().find(({ name }) => name === stem)?.kind ?? 'login') === 'login';
  return {
    scan: async (now, options) => {
      if (options?.only !== undefined && options.only !== STANDING) return store.scan(now, options);
      const names = tokens().flatMap(({ owner }) => owner ?? []);
      const [scan, ofLogins] = await Promise.all([
        store.scan(now, options),
        scanLogins(logins, now, options?.stopped),
        files.lookUpOwners?.(names),
      ]);
      const { temporaries, problems } = ofLogins.scan;
      return {
        ...scan,
        tokens: [...scan.tokens, ...tokens().map((token) => snapshotOf(token, now, ofLogins))],
        temporaries: [...scan.temporaries, ...temporaries],
        problems: [...scan.problems, ...problems],
      };
    },
    // A scan leaves nothing unread of standing tokens.
    ...(store.unread ? { unread: store.unread } : {}),
    read: (user, stem) => {
      if (user !== STANDING) return store.read(user, stem);
      return (mayHaveLogin(stem) ? logins : EMPTY_STORE).read(user, stem);
    },
    apply: (change) => (change.user === STANDING ? apply(change) : store.apply(change)),
    write: async (change) => {
      if (change.user !== STANDING) return store.write(change);
      // They are few, and their files are in other directories.
      apply(change);
      return topAfter(logins, change);
    },
    settle: (path, target) =>
      (path.startsWith(`${STANDING}/`) ? logins : store).settle(path, target),
  };
}

/** Not the identity of any file, and not that of a missing one. */
const NO_FILE: FileIdentity = { ino: -1, mtime: 0, size: 0 };

/**
 * A token requested under an earlier configuration must not be written for the current
 * one.
 */
function requireMatch(
  token: Exclude<StandingToken, LoginStanding>,
  use: string,
  provenance: Provenance | undefined,
): void {
  const other =
    token.kind === 'signed'
      ? differs(use, token) !== undefined
      : provenance?.stands !== fingerprintInput(token) ||
        accessTokenIn(use, token.format) === undefined;
  if (other)
    throw new CodedError(
      'CRED_SUPERSEDED',
      `${STANDING}/${token.name}: its configuration changed during the renewal; nothing was written`,
    );
}

function rememberFailure(
  renewals: Map<string, RenewalState>,
  name: string,
  text: string | undefined,
): void {
  const state = text === undefined ? undefined : parseRenewal(text);
  if (state) renewals.set(name, state);
  else renewals.delete(name);
}

function sameState(before: FileState<TokenTimes>, after: FileState<TokenTimes>): boolean {
  return (
    before.kind === 'valid' &&
    after.kind === 'valid' &&
    sameIdentity(before.identity, after.identity)
  );
}

function stateOf(
  token: StandingToken,
  reading: StandingReading,
  lifetime: IssuedLifetime | undefined,
  files: StandingFiles,
): FileState<TokenTimes> {
  if (reading.kind !== 'text') return reading;
  const { text, identity, mode, uid } = reading;
  const owner = ownerOf(token, files);
  const problem =
    (mode !== token.mode ? `has mode ${mode.toString(8)}` : undefined) ??
    (owner && owner.uid !== uid ? `belongs to user id ${uid}` : undefined) ??
    (token.kind === 'signed' ? differs(text, token) : formatProblem(text, token));
  if (problem !== undefined) return { kind: 'broken', reason: problem, identity };
  const seconds = lifetime === 'unlimited' ? Number.POSITIVE_INFINITY : lifetime;
  const byDefault = token.kind === 'signed' ? token.lifetime : (seconds ?? token.defaultLifetime);
  const times = digestUse(text, identity.mtime, byDefault);
  return times.ok
    ? { kind: 'valid', value: times.value, identity }
    : { kind: 'broken', reason: times.reason, identity };
}

function formatProblem(text: string, { format }: StandingToken): string | undefined {
  return accessTokenIn(text, format) === undefined
    ? `is not a token in the format ${format}`
    : undefined;
}

function ownerOf({ owner }: StandingToken, files: StandingFiles): StandingOwner | undefined {
  return owner === undefined ? undefined : files.owner(owner);
}

function write(token: StandingToken, text: string, files: StandingFiles): void {
  const { name, path, mode } = token;
  const owner = ownerOf(token, files);
  const fail = (what: string, error?: unknown): CodedError =>
    new CodedError(
      'CRED_FILE_IO',
      `${STANDING}/${name}: cannot write ${path}: ${what}`,
      { token: name, path },
      error,
    );
  if (token.owner !== undefined && !owner)
    throw fail(`user ${token.owner} not found (or the name service is not available)`);
  try {
    files.write(path, text, mode, owner);
  } catch (error) {
    throw fail(systemCode(error) ?? messageOf(error), error);
  }
}
