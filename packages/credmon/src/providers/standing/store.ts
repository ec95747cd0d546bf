// Adds standing tokens to the credential directory's store: one more user in every scan,
// with files at the configured paths.
import { CodedError, messageOf, systemCode, isRecord } from '@credmon/core/base';
import {
  digestUse,
  parseRenewal,
  sameIdentity,
  type FileState,
  type Instant,
  type RenewalState,
  type TokenSnapshot,
  type TokenTimes,
  parseObject,
  type FileIdentity,
} from '@credmon/core/credential';
import type { CredentialStore, TokenChange } from '@credmon/core/store';
import {
  contradicts,
  fingerprintInput,
  isLifetime,
  provenanceIn,
  type FetchedLifetime,
  type Provenance,
} from './fetched.ts';
import { accessTokenIn } from '../common/granted-scopes.ts';
import { STANDING, standingSnapshot } from './standing.ts';
import type { StandingFiles, StandingOwner, StandingReading } from './ports.ts';
import type { FetchedStanding, StandingToken } from '../../settings/standing.ts';
import { differs } from './signed.ts';

/** Returns the standing tokens of the current configuration. */
type StandingTokens = () => readonly StandingToken[];

/**
 * Adds standing tokens to a store. Their failures are kept in memory: their directories
 * belong to others.
 */
export function withStanding(
  store: CredentialStore,
  tokens: StandingTokens,
  files: StandingFiles,
): CredentialStore {
  const renewals = new Map<string, RenewalState>();
  const seen = new Map<string, { readonly state: FileState<TokenTimes>; readonly at: Instant }>();
  const fetched = recall(files);

  const snapshotOf = (token: StandingToken, now: Instant): TokenSnapshot => {
    const reading = files.read(token.path);
    const known = token.kind === 'fetched' ? knownFor(token, reading, fetched) : undefined;
    const state = stateOf(token, reading, known?.lifetime, files);
    const changed =
      token.kind === 'fetched' && known !== undefined && known.stands !== fingerprintInput(token);
    const before = seen.get(token.name);
    const at = before && sameState(before.state, state) ? before.at : now;
    seen.set(token.name, { state, at });
    return standingSnapshot(token.name, state, changed, renewals.get(token.name), at);
  };

  const apply = ({ stem, writes }: TokenChange): void => {
    const token = tokens().find(({ name }) => name === stem);
    if (!token)
      throw new CodedError(
        'CRED_SUPERSEDED',
        `${STANDING}/${stem}: it is no longer configured; nothing was written`,
      );
    const textOf = (kind: string): string | undefined =>
      writes.find((each) => each.kind === kind)?.text;
    const use = textOf('use');
    if (use !== undefined) {
      const provenance = provenanceIn(textOf('top') ?? '');
      requireMatch(token, use, provenance);
      write(token, use, files);
      if (token.kind === 'fetched') {
        remember(fetched, stem, provenance, files.read(token.path));
        const names = tokens().map(({ name }) => name);
        tryStoreKnown(files, fetched, names);
      }
    }
    if (writes.some(({ kind }) => kind === 'renewal'))
      rememberFailure(renewals, stem, textOf('renewal'));
  };

  return {
    scan: async (now, options) => {
      const names = tokens().flatMap(({ owner }) => owner ?? []);
      const [scan] = await Promise.all([store.scan(now, options), files.lookUpOwners?.(names)]);
      return {
        ...scan,
        tokens: [...scan.tokens, ...tokens().map((token) => snapshotOf(token, now))],
      };
    },
    read: (user, stem) => (user === STANDING ? NOTHING : store.read(user, stem)),
    apply: (change) => (change.user === STANDING ? apply(change) : store.apply(change)),
    settle: (path, target) => store.settle(path, target),
  };
}

/**
 * A token requested under an earlier configuration must not be written for the current
 * one.
 */
function requireMatch(token: StandingToken, use: string, provenance: Provenance | undefined): void {
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

const NOTHING = {
  top: { ok: false, reason: 'is missing' },
  topIdentity: undefined,
  meta: { ok: false, reason: 'is missing' },
} as const;

function rememberFailure(
  renewals: Map<string, RenewalState>,
  name: string,
  text: string | undefined,
): void {
  const state = text === undefined ? undefined : parseRenewal(text);
  if (state) renewals.set(name, state);
  else renewals.delete(name);
}

function remember(
  fetched: Map<string, Known>,
  name: string,
  provenance: Provenance | undefined,
  reading: StandingReading,
): void {
  if (provenance && reading.kind === 'text')
    fetched.set(name, { ...provenance, identity: reading.identity });
  else fetched.delete(name);
}

/**
 * Without this file the next start fetches once more; a directory that cannot be written
 * is reported elsewhere.
 */
function tryStoreKnown(
  files: StandingFiles,
  fetched: ReadonlyMap<string, Known>,
  names: readonly string[],
): void {
  try {
    keep(files, fetched, names);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

/**
 * For a file that we did not write, the claims are compared with the configuration once;
 * later only the configuration is compared.
 */
function knownFor(
  token: FetchedStanding,
  reading: StandingReading,
  fetched: Map<string, Known>,
): Known | undefined {
  if (reading.kind !== 'text') return undefined;
  const { identity, text } = reading;
  const known = fetched.get(token.name);
  if (known && sameIdentity(known.identity, identity)) return known;
  const found = { identity, stands: contradicts(text, token) ? '' : fingerprintInput(token) };
  fetched.set(token.name, found);
  return found;
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
  lifetime: FetchedLifetime | undefined,
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

// What is known of fetched standing tokens, stored in the credential directory for
// restarts and `condor_credmon status`.

/**
 * A known fetched token: the version of its file, the configuration that it was requested
 * with, and its lifetime.
 */
interface Known {
  readonly identity: FileIdentity;
  readonly stands: string;
  readonly lifetime?: FetchedLifetime;
}

/** Returns the stored knowledge by token name; unreadable entries are left out. */
function recall(files: StandingFiles): Map<string, Known> {
  const object = parseObject(files.recall() ?? '');
  const entries = object.ok && isRecord(object.value) ? Object.entries(object.value) : [];
  return new Map(
    entries.flatMap(([name, value]) => {
      const known = knownOf(value);
      return known ? [[name, known] as const] : [];
    }),
  );
}

/** Stores the knowledge, without tokens that are no longer configured. */
function keep(
  files: StandingFiles,
  known: ReadonlyMap<string, Known>,
  names: readonly string[],
): void {
  files.keep(
    `${JSON.stringify(Object.fromEntries([...known].filter(([name]) => names.includes(name))))}\n`,
  );
}

function knownOf(value: unknown): Known | undefined {
  if (!isRecord(value) || !isRecord(value['identity'])) return undefined;
  const { stands, lifetime, identity } = value;
  const { ino, mtime, size } = identity;
  if (typeof ino !== 'number' || typeof mtime !== 'number' || typeof size !== 'number')
    return undefined;
  if (typeof stands !== 'string') return undefined;
  return {
    identity: { ino, mtime, size },
    stands,
    ...(isLifetime(lifetime) ? { lifetime } : {}),
  };
}
