// Adds standing tokens to the credential directory's store: one more user in every scan, whose files lie where the configuration says.
import {
  CodedError,
  digestUse,
  messageOf,
  parseRenewal,
  sameIdentity,
  systemCode,
  type CredentialStore,
  type FileState,
  type Instant,
  type RenewalState,
  type TokenChange,
  type TokenSnapshot,
  type TokenTimes,
} from '@credmon/core';
import { STANDING, differs, standingSnapshot } from './standing.ts';
import type { StandingFiles, StandingOwner } from './standing-ports.ts';
import type { StandingToken } from './standing-settings.ts';

/** Which tokens stand now; a changed configuration changes it. */
export type StandingTokens = () => readonly StandingToken[];

/** The store with standing tokens. Their failures are remembered here: the directories they lie in belong to others. */
export function withStanding(
  store: CredentialStore,
  tokens: StandingTokens,
  files: StandingFiles,
): CredentialStore {
  const renewals = new Map<string, RenewalState>();
  const seen = new Map<string, { readonly state: FileState<TokenTimes>; readonly at: Instant }>();

  const look = (token: StandingToken, now: Instant): TokenSnapshot => {
    const state = stateOf(token, files);
    const before = seen.get(token.name);
    const at = before && sameState(before.state, state) ? before.at : now;
    seen.set(token.name, { state, at });
    return standingSnapshot(token.name, state, renewals.get(token.name), at);
  };

  const apply = ({ stem, writes }: TokenChange): void => {
    const token = tokens().find(({ name }) => name === stem);
    if (!token)
      throw new CodedError(
        'CRED_SUPERSEDED',
        `${STANDING}/${stem}: it is no longer configured; nothing was written`,
      );
    for (const { kind, text } of writes) {
      if (kind === 'use' && text !== undefined) write(token, text, files);
      if (kind === 'renewal') remember(renewals, stem, text);
    }
  };

  return {
    scan: async (now, habits) => {
      const scan = await store.scan(now, habits);
      return { ...scan, tokens: [...scan.tokens, ...tokens().map((token) => look(token, now))] };
    },
    read: (user, stem) => (user === STANDING ? NOTHING : store.read(user, stem)),
    apply: (change) => (change.user === STANDING ? apply(change) : store.apply(change)),
    settle: (path, target) => store.settle(path, target),
  };
}

const NOTHING = {
  top: { ok: false, reason: 'is missing' },
  topIdentity: undefined,
  meta: { ok: false, reason: 'is missing' },
} as const;

function remember(renewals: Map<string, RenewalState>, name: string, text: string | undefined): void {
  const state = text === undefined ? undefined : parseRenewal(text);
  if (state) renewals.set(name, state);
  else renewals.delete(name);
}

function sameState(before: FileState<TokenTimes>, after: FileState<TokenTimes>): boolean {
  return before.kind === 'valid' && after.kind === 'valid' && sameIdentity(before.identity, after.identity);
}

function stateOf(token: StandingToken, files: StandingFiles): FileState<TokenTimes> {
  const reading = files.read(token.path);
  if (reading.kind !== 'text') return reading;
  const { text, identity, mode, uid } = reading;
  const owner = ownerOf(token, files);
  const wrong =
    (mode !== token.mode ? `has mode ${mode.toString(8)}` : undefined) ??
    (owner && owner.uid !== uid ? `belongs to user id ${uid}` : undefined) ??
    differs(text, token);
  if (wrong !== undefined) return { kind: 'broken', reason: wrong, identity };
  const times = digestUse(text, identity.mtime, token.lifetime);
  return times.ok
    ? { kind: 'valid', value: times.value, identity }
    : { kind: 'broken', reason: times.reason, identity };
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
  if (token.owner !== undefined && !owner) throw fail(`there is no user ${token.owner}`);
  try {
    files.write(path, text, mode, owner);
  } catch (error) {
    throw fail(systemCode(error) ?? messageOf(error), error);
  }
}
