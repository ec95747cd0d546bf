// Records the result of an attempt: writes the files, removes a token, or records the
// failure.
import { isCoded, messageOf, type CodedError } from '@credmon/core/base';
import {
  changedToken,
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
import {
  restOf,
  topAfter,
  type TokenChange,
  type TokenFiles,
  type TokenWrite,
} from '@credmon/core/store';
import type { Outcome, Provider } from '../providers/common/provider.ts';
import { REWRITE_INTERVAL } from '../settings/policy.ts';
import type { PassMemory, PassContext, PendingChange } from './context.ts';
import { noteWritten, refreshTokenIn, restoreSuccessor } from './successors.ts';

/** A provider's answer; `from` is the `.top` of the request. */
interface Issued {
  readonly provider: Provider;
  readonly outcome: Outcome & { kind: 'issued' };
  readonly from: FileIdentity | undefined;
}

/**
 * Writes the renewed token and returns the seconds until it is due again. Other tokens
 * are written at the same time; this one is in `memory.writing` meanwhile.
 */
export async function write(
  context: PassContext,
  memory: PassMemory,
  { managed }: Verdict,
  { provider, outcome, from }: Issued,
): Promise<number> {
  const { user, stem } = managed.snapshot;
  const id = tokenId(managed.snapshot);
  const writes = [...outcome.writes, ...obsolete(managed.snapshot, outcome.writes)];
  const { times, rotated } = outcome;
  const renewal = { managed, times, rotated };
  const since = context.clock.steady();
  const change: PendingChange = { user, stem, from, writes, renewal, since };
  memory.failures.delete(id);
  const ended = noteWriting(memory, id, change);
  try {
    const top = await context.store.write(change);
    noteWritten(memory, change, top);
    context.report({ type: 'renewed', ...renewal });
    if (outcome.note !== undefined) context.report({ type: 'noted', id, note: outcome.note });
    const { seconds, shortLives } = pauseAfter(
      memory.pauses.get(id)?.shortLives ?? 0,
      outcome.times,
      managed.policy,
      context.clock.now(),
    );
    // Local tokens need no pause: no issuer is asked.
    if (provider.isLocal !== true)
      memory.pauses.set(id, { until: context.clock.steady() + seconds, shortLives, top });
    return Math.max(
      seconds,
      dueByLifetime(outcome.times, managed.policy, jitterOf(id)) - context.clock.now(),
    );
  } catch (error) {
    if (isCoded(error, 'CRED_SUPERSEDED')) {
      if (!restoreSuccessor(context, memory, managed.snapshot))
        context.report({ type: 'superseded', text: error.message });
      return 0;
    }
    memory.unwritten.set(id, restOf(change, error));
    context.report({ type: 'unwritten', id, why: messageOf(error) });
    return REWRITE_INTERVAL;
  } finally {
    ended();
  }
}

/** Returns what to call at the end of the write. */
function noteWriting({ writing }: PassMemory, id: string, change: PendingChange): () => void {
  const changes = writing.get(id) ?? new Set();
  writing.set(id, changes.add(change));
  return () => {
    changes.delete(change);
    if (changes.size === 0) writing.delete(id);
  };
}

/** Removes the state files that say nothing about the new token. */
function obsolete(
  { renewal, issued }: TokenSnapshot,
  writes: readonly TokenWrite[],
): readonly TokenWrite[] {
  const isKept = issued === undefined || writes.some(({ kind }) => kind === 'issued');
  const kinds = [...(renewal ? ['renewal' as const] : []), ...(isKept ? [] : ['issued' as const])];
  return kinds.map((kind) => ({ kind, text: undefined, durable: false }));
}

/**
 * Removes a token that its issuer has revoked, unless a newer one was stored meanwhile.
 */
export function remove(
  context: PassContext,
  memory: PassMemory,
  verdict: Verdict,
  { provider, error, from, files }: Omit<Failed, 'kind' | 'writes'>,
): number {
  const { user, stem, issued } = verdict.managed.snapshot;
  const kinds = ['use', 'top', 'renewal', ...(issued ? (['issued'] as const) : [])] as const;
  const writes = kinds.map((kind) => ({ kind, text: undefined, durable: false }));
  try {
    context.store.apply({ user, stem, from, writes });
  } catch (failure) {
    const isSuperseded = isCoded(failure, 'CRED_SUPERSEDED');
    context.report({ type: isSuperseded ? 'superseded' : 'problem', text: messageOf(failure) });
    return isSuperseded
      ? 0
      : failed(context, memory, verdict, { kind: 'revoked', provider, error, from, files });
  }
  memory.failures.delete(tokenId(verdict.managed.snapshot));
  context.report({ type: 'removed', managed: verdict.managed, error });
  return Number.POSITIVE_INFINITY;
}

/**
 * A failed attempt; `from` and `files` are what the request used, `writes` what must
 * still be written.
 */
interface Failed {
  readonly kind: 'revoked' | 'denied' | 'failed';
  readonly provider: Provider;
  readonly error: CodedError;
  readonly from: FileIdentity | undefined;
  readonly files: TokenFiles;
  readonly writes?: readonly TokenWrite[] | undefined;
}

/** Records a failure and returns the seconds until the token is due again. */
export function failed(
  context: PassContext,
  memory: PassMemory,
  { managed }: Verdict,
  { kind, provider, error, from, files, writes = [] }: Failed,
): number {
  const { user, stem } = managed.snapshot;
  // The failed grant was replaced by a newer login: the failure does not apply to it.
  if (isSuperseded(context, managed.snapshot, { from, files })) return 0;
  const change = { user, stem, from, writes };
  const { basis, top } =
    writes.length === 0
      ? inputOf(managed, from)
      : writeWithFailure(context, memory, managed, provider, change);
  const state = stateAfter(context, managed, error, basis);
  memory.failures.set(tokenId(managed.snapshot), state);
  context.report({ type: 'failed', managed, kind, error, state });
  writeState(context, {
    user,
    stem,
    from: top,
    writes: [{ kind: 'renewal', text: renewalText(state), durable: false }],
  });
  return state.stopped ? Number.POSITIVE_INFINITY : state.not_before - context.clock.now();
}

/**
 * True when `.top` has changed since the attempt began and contains another refresh
 * token.
 */
function isSuperseded(
  { store }: PassContext,
  { user, stem }: TokenSnapshot,
  { from, files }: Pick<Failed, 'from' | 'files'>,
): boolean {
  const { top, topIdentity } = store.read(user, stem);
  if (topIdentity === undefined || sameIdentity(topIdentity, from)) return false;
  return refreshTokenIn(top) !== refreshTokenIn(files.top);
}

/**
 * Records that a token was not tried because of its issuer: in memory only, because
 * nothing has failed yet.
 */
export function postponed(
  context: PassContext,
  memory: PassMemory,
  { managed }: Verdict,
  error: CodedError,
  seconds: number,
): number {
  const { basis, snapshot } = managed;
  const state = afterWaiting(snapshot.renewal, error, { basis, now: context.clock.now(), seconds });
  memory.failures.set(tokenId(snapshot), state);
  context.report({ type: 'postponed', managed, error, state });
  return state.not_before - context.clock.now();
}

/** What a failure depends on, and the `.top` then on disk. */
interface FailureInput {
  readonly basis: string;
  readonly top: FileIdentity | undefined;
}

function inputOf(managed: ManagedToken, top: FileIdentity | undefined): FailureInput {
  return { basis: managed.basis(), top };
}

/**
 * Writes the files of a failed attempt. The failure then depends on the `.top` just
 * written, so only a new login cancels it.
 */
function writeWithFailure(
  context: PassContext,
  memory: PassMemory,
  managed: ManagedToken,
  provider: Provider,
  change: TokenChange,
): FailureInput {
  const { snapshot } = managed;
  try {
    context.store.apply(change);
    const top = topAfter(context.store, change);
    if (snapshot.top.kind !== 'valid' || !top) return inputOf(managed, change.from);
    const now = changedToken(snapshot, { top: { ...snapshot.top, identity: top } });
    return { basis: provider.basis(now), top };
  } catch (error) {
    if (isCoded(error, 'CRED_SUPERSEDED')) {
      restoreSuccessor(context, memory, snapshot);
      return inputOf(managed, change.from);
    }
    memory.unwritten.set(tokenId(change), restOf(change, error));
    context.report({ type: 'unwritten', id: tokenId(change), why: messageOf(error) });
    // The pending write of `.top` must not cancel the failure.
    return { basis: ANY_BASIS, top: change.from };
  }
}

function stateAfter(
  context: PassContext,
  managed: ManagedToken,
  error: CodedError,
  basis: string,
): RenewalState {
  const { snapshot, policy } = managed;
  const { renewal } = snapshot;
  // Rotation changes the fingerprint but must not reset the backoff.
  const previous = renewal?.basis === managed.basis() ? { ...renewal, basis } : renewal;
  const expiresAt = snapshot.use.kind === 'valid' ? snapshot.use.value.expiresAt : undefined;
  const failure = { id: tokenId(snapshot), error, now: context.clock.now(), expiresAt, basis };
  return afterFailure(previous, failure, policy);
}

/**
 * Writes the failure so that a restart keeps the backoff; the renewal itself does not
 * depend on the file.
 */
function writeState(context: PassContext, change: TokenChange): void {
  try {
    context.store.apply(change);
  } catch (error) {
    if (!isCoded(error, 'CRED_SUPERSEDED'))
      context.report({ type: 'problem', text: messageOf(error), id: tokenId(change) });
  }
}
