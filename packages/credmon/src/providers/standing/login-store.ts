// The refresh tokens of standing tokens: a credential directory of their own, which only
// the daemon's user can read, with the same rotation as those of users.
import { CodedError, isCoded, jwtClaims } from '@credmon/core/base';
import {
  changedToken,
  identityOf,
  sameIdentity,
  type FileIdentity,
  type FileState,
  type Instant,
  type TokenSnapshot,
  type TokenTimes,
} from '@credmon/core/credential';
import {
  progressFields,
  topAfter,
  type CredentialStore,
  type Scan,
  type TokenChange,
  type TokenFiles,
  type TokenWrite,
} from '@credmon/core/store';
import { accessTokenIn } from '../common/granted-scopes.ts';
import type { LoginStanding } from '../../settings/standing.ts';
import { loginProblem } from './login.ts';
import { STANDING, type StandingReading } from './ports.ts';
import { fingerprintInput, provenanceIn, type Known, type Provenance } from './provenance.ts';

/** The only user in the directory of the logins. */
export const LOGIN_USER = 'standing';

const NO_FILES: TokenFiles = {
  top: { ok: false, reason: 'is missing' },
  topIdentity: undefined,
  meta: { ok: false, reason: 'is missing' },
};

const NO_SCAN: Scan = { tokens: [], keyFiles: [], temporaries: [], problems: [] };

/** A store without tokens. */
export const EMPTY_STORE: CredentialStore = {
  scan: async () => NO_SCAN,
  read: () => NO_FILES,
  apply: () => undefined,
  write: async () => undefined,
  settle: () => undefined,
};

/**
 * Returns the store of the logins with {@link STANDING} as its user, as in all snapshots
 * and messages.
 */
export function asStanding(store: CredentialStore): CredentialStore {
  const prefix = (path: string, from: string, to: string): string =>
    path.startsWith(`${from}/`) ? `${to}${path.slice(from.length)}` : path;
  const renamed = <T>(act: () => T): T => {
    try {
      return act();
    } catch (error) {
      if (!isCoded(error)) throw error;
      const { code, message, fields, cause } = error;
      throw new CodedError(code, prefix(message, LOGIN_USER, STANDING), fields, cause);
    }
  };
  const apply = (change: TokenChange): void =>
    renamed(() => store.apply({ ...change, user: LOGIN_USER }));
  const read: CredentialStore['read'] = (_user, stem) => store.read(LOGIN_USER, stem);
  return {
    scan: async (now, habits) => {
      const scan = await store.scan(now, habits);
      return {
        ...scan,
        tokens: scan.tokens.map((token) => changedToken(token, { user: STANDING })),
        temporaries: scan.temporaries.map((file) => ({
          ...file,
          path: prefix(file.path, LOGIN_USER, STANDING),
        })),
      };
    },
    read,
    apply,
    write: async (change) => {
      apply(change);
      return topAfter({ read }, change);
    },
    settle: (path, target) => store.settle(prefix(path, STANDING, LOGIN_USER), target),
  };
}

/** A scan of the logins; `why`: they cannot be read. */
export interface LoginScan {
  readonly scan: Scan;
  readonly why: string | undefined;
}

/** Scans the logins; an error is a problem of the scan, and hides no other token. */
export async function scanLogins(
  logins: CredentialStore,
  now: Instant,
  stopped: (() => boolean) | undefined,
): Promise<LoginScan> {
  try {
    return { scan: await logins.scan(now, stopped ? { stopped } : {}), why: undefined };
  } catch (error) {
    if (!isCoded(error)) throw error;
    const text = `standing tokens with a login are not renewed: ${error.message}`;
    return { scan: { ...NO_SCAN, problems: [text] }, why: 'cannot be read' };
  }
}

/** The file of a token, with what is known of it. */
export interface LoginFile {
  readonly token: LoginStanding;
  readonly reading: StandingReading;
  readonly use: FileState<TokenTimes>;
  readonly known: Known | undefined;
  readonly seen: Instant;
}

/**
 * Returns the snapshot of a token: `.top` from the directory of the logins, `.use` from
 * its file. The two may be on different disks with different clocks, so their times are
 * not compared: a file is known to come from a `.top`, or it is renewed.
 */
export function loginSnapshot(
  { token, reading, use, known, seen }: LoginFile,
  { scan, why }: LoginScan,
  logins: CredentialStore,
): TokenSnapshot {
  const found = scan.tokens.find(({ stem }) => stem === token.name);
  const top: TokenSnapshot['top'] =
    why === undefined ? (found?.top ?? { kind: 'missing' }) : { kind: 'broken', reason: why };
  const problem =
    top.kind === 'valid' ? loginProblem(token, logins.read(STANDING, token.name).top) : undefined;
  const fits = known !== undefined && comesFrom(known, token, reading, identityOf(top));
  return {
    user: STANDING,
    stem: token.name,
    top,
    use: fits && use.kind === 'valid' && top.kind === 'valid' ? notOlder(use, top.identity) : use,
    meta: problem === undefined ? { kind: 'missing' } : { kind: 'broken', reason: problem },
    renewal: found?.renewal,
    seen,
    overtaken: !fits,
  };
}

/** A JWT whose file was touched or copied is still the same token. */
function comesFrom(
  known: Known,
  token: LoginStanding,
  reading: StandingReading,
  top: FileIdentity | undefined,
): boolean {
  if (known.stands !== fingerprintInput(token) || !sameIdentity(known.top, top)) return false;
  if (reading.kind !== 'text') return false;
  if (sameIdentity(known.identity, reading.identity)) return true;
  return jwtClaims(accessTokenIn(reading.text, token.format) ?? '')?.['exp'] !== undefined;
}

function notOlder(
  use: Extract<FileState<TokenTimes>, { kind: 'valid' }>,
  { mtime }: FileIdentity,
): FileState<TokenTimes> {
  return { ...use, identity: { ...use.identity, mtime: Math.max(use.identity.mtime, mtime) } };
}

/** Writes the file of a token. */
export type WriteFile = (use: string, provenance: Provenance, top: FileIdentity) => void;

/**
 * Applies a change: the rotated `.top` is durable before the new access token is visible.
 * @throws CodedError `CRED_SUPERSEDED` if another login was stored meanwhile, or the
 * configuration changed; `CRED_FILE_IO`: `restOf` returns the remaining writes
 */
export function applyLogin(
  logins: CredentialStore,
  token: LoginStanding | undefined,
  change: TokenChange,
  writeFile: WriteFile,
): void {
  const { stem, writes } = change;
  const tops = writes.filter(({ kind }) => kind === 'top');
  if (tops.length > 0 || change.unsynced) logins.apply({ ...change, writes: tops });
  const { top, topIdentity } = logins.read(STANDING, stem);
  const written = tops.at(-1)?.text;
  const isOurs =
    tops.length === 0 ? sameIdentity(topIdentity, change.from) : top.ok && top.value === written;
  if (!isOurs || topIdentity === undefined)
    throw superseded(stem, 'another login was stored during the renewal and is kept');
  const textOf = (wanted: TokenWrite['kind']): string | undefined =>
    writes.find(({ kind }) => kind === wanted)?.text;
  const use = textOf('use');
  const rest = writes.filter(({ kind }) => kind === 'renewal');
  const failing = (done: number, act: () => void): void => {
    try {
      act();
    } catch (error) {
      if (!isCoded(error, 'CRED_FILE_IO')) throw error;
      const progress = progressFields({ done, from: topIdentity });
      throw new CodedError(error.code, error.message, { ...error.fields, ...progress }, error);
    }
  };
  if (use !== undefined) {
    const provenance = provenanceIn(textOf('meta') ?? '');
    if (
      !token ||
      provenance?.stands !== fingerprintInput(token) ||
      accessTokenIn(use, token.format) === undefined
    )
      throw superseded(stem, 'its configuration changed during the renewal');
    failing(tops.length, () => writeFile(use, provenance, topIdentity));
  }
  if (rest.length > 0)
    failing(writes.length - rest.length, () =>
      logins.apply({ ...change, from: topIdentity, writes: rest }),
    );
}

function superseded(stem: string, what: string): CodedError {
  const token = `${STANDING}/${stem}`;
  return new CodedError('CRED_SUPERSEDED', `${token}: ${what}; nothing more was written`, {
    token,
  });
}
