// Records what came of an attempt: writes the files, removes a token, or remembers the failure.
import { isCoded, messageOf, type CodedError } from '@credmon/core/base';
import {
  renewalText,
  sameIdentity,
  tokenId,
  type FileIdentity,
  type RenewalState,
  type TokenSnapshot,
} from '@credmon/core/credential';
import {
  ANY_BASIS,
  afterFailure,
  afterWaiting,
  dueByLifetime,
  pauseAfter,
  jitterOf,
  type ManagedToken,
  type Verdict,
} from '@credmon/core/renewal';
import { restOf, type TokenChange, type TokenFiles, type TokenWrite } from '@credmon/core/store';
import type { Outcome, Provider } from '../providers/common/provider.ts';
import { REWRITE_INTERVAL } from '../settings/policy.ts';
import type { PassMemory, PassContext } from './context.ts';
import { refreshTokenIn, restoreSuccessor } from './successors.ts';

/** What a provider gave; `from` is the `.top` that it was asked with. */
interface Issued {
  readonly provider: Provider;
  readonly outcome: Outcome & { kind: 'issued' };
  readonly from: FileIdentity | undefined;
}

/** Writes what a renewal brought, and returns the seconds until the token is due again. */
export function write(
  world: PassContext,
  memory: PassMemory,
  { token }: Verdict,
  { provider, outcome, from }: Issued,
): number {
  const { user, stem, renewal } = token.snapshot;
  const id = tokenId(token.snapshot);
  const forget =
    renewal === undefined ? [] : [{ kind: 'renewal', text: undefined, durable: false } as const];
  const change: TokenChange = { user, stem, from, writes: [...outcome.writes, ...forget] };
  memory.failures.delete(id);
  try {
    world.store.apply(change);
    const { times, rotated } = outcome;
    world.report({ type: 'renewed', token, times, rotated });
    if (outcome.note !== undefined) world.report({ type: 'noted', id, note: outcome.note });
    const { seconds, shortLives } = pauseAfter(
      memory.pauses.get(id)?.shortLives ?? 0,
      outcome.times,
      token.policy,
      world.clock.now(),
    );
    // What nobody else is asked for may be made as often as its lifetime wants.
    if (provider.isLocal !== true) {
      const top = topAfter(world, change);
      memory.pauses.set(id, { until: world.clock.steady() + seconds, shortLives, top });
    }
    return Math.max(
      seconds,
      dueByLifetime(outcome.times, token.policy, jitterOf(id)) - world.clock.now(),
    );
  } catch (error) {
    if (isCoded(error, 'CRED_SUPERSEDED')) {
      if (!restoreSuccessor(world, memory, token.snapshot))
        world.report({ type: 'problem', text: error.message });
      return 0;
    }
    memory.unwritten.set(id, restOf(change, error));
    world.report({ type: 'unwritten', id, why: messageOf(error) });
    return REWRITE_INTERVAL;
  }
}

/**
 * The version of `.top` that a change has left; `undefined` when another one, or none, is
 * there by now.
 */
function topAfter(
  { store }: PassContext,
  { user, stem, from, writes }: TokenChange,
): FileIdentity | undefined {
  const { top, topIdentity } = store.read(user, stem);
  const written = writes.find(({ kind }) => kind === 'top')?.text;
  const isOurs =
    written === undefined ? sameIdentity(topIdentity, from) : top.ok && top.value === written;
  return isOurs ? topIdentity : undefined;
}

/** Removes a token that its issuer has revoked, unless a newer one came meanwhile. */
export function remove(
  world: PassContext,
  memory: PassMemory,
  verdict: Verdict,
  { provider, error, from, files }: Omit<Failed, 'kind' | 'writes'>,
): number {
  const { user, stem } = verdict.token.snapshot;
  const kinds = ['use', 'top', 'renewal'] as const;
  const writes = kinds.map((kind) => ({ kind, text: undefined, durable: false }));
  try {
    world.store.apply({ user, stem, from, writes });
  } catch (trouble) {
    world.report({ type: 'problem', text: messageOf(trouble) });
    return isCoded(trouble, 'CRED_SUPERSEDED')
      ? 0
      : failed(world, memory, verdict, { kind: 'revoked', provider, error, from, files });
  }
  memory.failures.delete(tokenId(verdict.token.snapshot));
  world.report({ type: 'removed', token: verdict.token, error });
  return Number.POSITIVE_INFINITY;
}

/**
 * An attempt that failed; `from` and `files` are what it was made with, `writes` what is
 * to be written all the same.
 */
interface Failed {
  readonly kind: 'revoked' | 'denied' | 'failed';
  readonly provider: Provider;
  readonly error: CodedError;
  readonly from: FileIdentity | undefined;
  readonly files: TokenFiles;
  readonly writes?: readonly TokenWrite[] | undefined;
}

/** Remembers a failure, and tells in how many seconds the token is due again. */
export function failed(
  world: PassContext,
  memory: PassMemory,
  { token }: Verdict,
  { kind, provider, error, from, files, writes = [] }: Failed,
): number {
  const { user, stem } = token.snapshot;
  // The failure is of a grant that a newer login has replaced: it says nothing of that
  // one.
  if (isOvertaken(world, token.snapshot, { from, files })) return 0;
  const change = { user, stem, from, writes };
  const { basis, top } =
    writes.length === 0 ? standing(token, from) : keep(world, memory, token, provider, change);
  const state = stateAfter(world, token, error, basis);
  memory.failures.set(tokenId(token.snapshot), state);
  world.report({ type: 'failed', token, kind, error, state });
  keepState(world, {
    user,
    stem,
    from: top,
    writes: [{ kind: 'renewal', text: renewalText(state), durable: false }],
  });
  return state.stopped ? Number.POSITIVE_INFINITY : state.not_before - world.clock.now();
}

/**
 * True when `.top` is another one than the attempt was made with, with another refresh
 * token.
 */
function isOvertaken(
  { store }: PassContext,
  { user, stem }: TokenSnapshot,
  { from, files }: Pick<Failed, 'from' | 'files'>,
): boolean {
  const { top, topIdentity } = store.read(user, stem);
  if (topIdentity === undefined || sameIdentity(topIdentity, from)) return false;
  return refreshTokenIn(top) !== refreshTokenIn(files.top);
}

/**
 * Remembers that a token was not tried for the sake of its issuer: in memory only,
 * because nothing has failed yet.
 */
export function postponed(
  world: PassContext,
  memory: PassMemory,
  { token }: Verdict,
  error: CodedError,
  seconds: number,
): number {
  const { basis, snapshot } = token;
  const state = afterWaiting(snapshot.renewal, error, { basis, now: world.clock.now(), seconds });
  memory.failures.set(tokenId(snapshot), state);
  world.report({ type: 'postponed', token, error, state });
  return state.not_before - world.clock.now();
}

/** What a failure stands on, and the `.top` that is then in place. */
interface Standing {
  readonly basis: string;
  readonly top: FileIdentity | undefined;
}

function standing(token: ManagedToken, top: FileIdentity | undefined): Standing {
  return { basis: token.basis(), top };
}

/**
 * Writes what came with a failure; the failure then stands on the `.top` just written: a
 * new login makes it count no longer.
 */
function keep(
  world: PassContext,
  memory: PassMemory,
  token: ManagedToken,
  provider: Provider,
  change: TokenChange,
): Standing {
  const { snapshot } = token;
  try {
    world.store.apply(change);
    const top = topAfter(world, change);
    if (snapshot.top.kind !== 'valid' || !top) return standing(token, change.from);
    const now = { ...snapshot, top: { ...snapshot.top, identity: top } };
    return { basis: provider.basis(now), top };
  } catch (error) {
    if (isCoded(error, 'CRED_SUPERSEDED')) {
      restoreSuccessor(world, memory, snapshot);
      return standing(token, change.from);
    }
    memory.unwritten.set(tokenId(change), restOf(change, error));
    world.report({ type: 'unwritten', id: tokenId(change), why: messageOf(error) });
    // The `.top` is yet to come: it must not make the failure count no longer.
    return { basis: ANY_BASIS, top: change.from };
  }
}

function stateAfter(
  world: PassContext,
  token: ManagedToken,
  error: CodedError,
  basis: string,
): RenewalState {
  const { snapshot, policy } = token;
  const { renewal } = snapshot;
  // The wait continues to grow, though a rotated `.top` changed what the token stands on.
  const previous = renewal?.basis === token.basis() ? { ...renewal, basis } : renewal;
  const expiresAt = snapshot.use.kind === 'valid' ? snapshot.use.value.expiresAt : undefined;
  const failure = { id: tokenId(snapshot), error, now: world.clock.now(), expiresAt, basis };
  return afterFailure(previous, failure, policy);
}

/**
 * Without the file a restart would begin at once again; the renewal itself does not
 * depend on it.
 */
function keepState(world: PassContext, change: TokenChange): void {
  try {
    world.store.apply(change);
  } catch (error) {
    if (!isCoded(error, 'CRED_SUPERSEDED'))
      world.report({ type: 'problem', text: messageOf(error), token: tokenId(change) });
  }
}
