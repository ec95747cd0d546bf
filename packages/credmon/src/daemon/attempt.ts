// One renewal attempt: asks the provider, then writes, removes or records the result. The
// only switch over outcomes.
import type { Outcome, Provider, ProviderContext } from '../providers/common/provider.ts';
import { isSilence } from '../throttle/circuit-breaker.ts';
import type { LateRenewal, PassContext, PassMemory } from './context.ts';
import { failed, remove, write } from './record-outcome.ts';
import { refreshTokenIn, restoreSuccessor, successorIn } from './successors.ts';
import type { CodedError } from '@credmon/core/base';
import {
  changedToken,
  type FileIdentity,
  type TokenSnapshot,
  identityOf,
  sameIdentity,
  tokenId,
} from '@credmon/core/credential';
import type { Verdict } from '@credmon/core/renewal';
import type { TokenFiles } from '@credmon/core/store';

/**
 * The result of an attempt for the queue: the error, if any, and the seconds until the
 * token is due again, known when its files are written.
 */
export interface Attempted {
  readonly error?: Error;
  readonly nextIn: number | Promise<number>;
  /**
   * Set when the request timed out and a late answer may still arrive. Resolves when the
   * answer is written or the connection has ended; until then the same `.top` must not be
   * sent again. Gives the error of the answer, if any; `undefined` when the issuer did
   * not answer.
   */
  readonly late?: Promise<{ readonly error?: Error } | undefined>;
}

/**
 * Asks the token's provider once, writes the result and records a failure. A request that
 * times out counts as failed; an answer within {@link PassContext.lateAnswer} seconds is
 * still written.
 */
export async function attempt(
  context: PassContext,
  memory: PassMemory,
  verdict: Verdict,
  provider: Provider,
): Promise<Attempted> {
  const { snapshot } = verdict.managed;
  const files =
    provider.isLocal === true ? UNREAD : context.store.read(snapshot.user, snapshot.stem);
  // A `.top` that was removed since the scan must not look like one that never existed.
  const from = files.topIdentity ?? identityOf(snapshot.top);
  if (isSpent(memory, snapshot, files) && restoreSuccessor(context, memory, snapshot))
    return { nextIn: 0 };
  const input = { verdict, provider, from, files };
  const { providerContext, timedOut } = providerContextOf(context);
  const outcome = provider.obtain(snapshot, files, providerContext);
  const first = await Promise.race([outcome, timedOut]);
  const turn = provider.isLocal === true ? undefined : context.turn();
  if (turn) await turn;
  if ('kind' in first) {
    const attempted = conclude(context, memory, input, first);
    if (memory.writing.size > MOST_WRITES || memory.unwritten.size > 0) await attempted.nextIn;
    return attempted;
  }
  const error = first;
  const nextIn = failed(context, memory, verdict, { kind: 'failed', provider, error, from, files });
  const renewal: LateRenewal = { id: tokenId(snapshot), from, sent: refreshTokenIn(files.top) };
  memory.late.add(renewal);
  const late = finishLate(context, memory, input, outcome).finally(() =>
    memory.late.delete(renewal),
  );
  return { error, nextIn, late };
}

/** A local provider needs no file: the scan has just seen that `.top` exists. */
const UNREAD: TokenFiles = {
  top: { ok: false, reason: 'is not read' },
  topIdentity: undefined,
  meta: { ok: false, reason: 'is not read' },
};

/** What the provider is input for, and the `.top` that the request uses. */
interface AttemptInput {
  readonly verdict: Verdict;
  readonly provider: Provider;
  readonly from: FileIdentity | undefined;
  readonly files: TokenFiles;
}

/** True when `.top` holds a refresh token whose successor is known. */
function isSpent({ successors }: PassMemory, token: TokenSnapshot, { top }: TokenFiles): boolean {
  const successor = successors.get(tokenId(token));
  return successor !== undefined && refreshTokenIn(top) === successor.sent;
}

/**
 * Returns the provider's context, and a promise with the error of the first request that
 * timed out and can still be answered late.
 */
function providerContextOf(context: PassContext): {
  providerContext: ProviderContext;
  timedOut: Promise<CodedError>;
} {
  let resolveTimedOut: (error: CodedError) => void = () => undefined;
  const timedOut = new Promise<CodedError>((resolve) => {
    resolveTimedOut = resolve;
  });
  const { clock } = context;
  const began = clock.steady();
  const providerContext: ProviderContext = {
    // Only a POST can spend a refresh token, so only a POST waits for a late answer.
    send: async (request) => {
      const late = { seconds: context.lateAnswer(), began: resolveTimedOut };
      const response = await context.send(
        request.method === 'POST' ? { ...request, late } : request,
      );
      const turn = context.turn();
      if (turn) await turn;
      return response;
    },
    get now() {
      return clock.now() - (clock.steady() - began);
    },
    readSecret: context.readSecret,
    readToken: (user: string, stem: string) => context.store.read(user, stem),
  };
  return { providerContext, timedOut };
}

/**
 * Number of tokens that may be written while their issuers are asked for others already.
 * With pending writes there are none: the disk may be full, and the reserved space is for
 * the renewals of one issuer at a time.
 */
const MOST_WRITES = 32;

function conclude(
  context: PassContext,
  memory: PassMemory,
  { verdict, provider, from, files }: AttemptInput,
  outcome: Outcome,
): Attempted {
  const successor =
    'writes' in outcome
      ? successorIn(outcome.writes ?? [], files, context.clock.steady())
      : undefined;
  if (successor) memory.successors.set(tokenId(verdict.managed.snapshot), successor);
  switch (outcome.kind) {
    case 'issued':
      return { nextIn: write(context, memory, verdict, { provider, outcome, from }) };
    case 'gone':
      return {
        error: outcome.error,
        nextIn: remove(context, memory, verdict, { provider, error: outcome.error, from, files }),
      };
    case 'revoked':
    case 'denied':
    case 'failed':
      return {
        error: outcome.error,
        nextIn: failed(context, memory, verdict, { ...outcome, provider, from, files }),
      };
  }
}

/**
 * Writes a late answer. Without an answer, the failure recorded at the time-out is kept.
 */
async function finishLate(
  context: PassContext,
  memory: PassMemory,
  input: AttemptInput,
  pending: Promise<Outcome>,
): Promise<{ readonly error?: Error } | undefined> {
  const outcome = await pending;
  const silent =
    outcome.kind === 'failed' && isSilence(outcome.error) && outcome.writes === undefined;
  if (silent) return undefined;
  const { managed } = input.verdict;
  const renewal = memory.failures.get(tokenId(managed.snapshot)) ?? managed.snapshot.renewal;
  // The failure of the time-out is recorded by now; a success removes it.
  const snapshot =
    outcome.kind === 'issued' ? changedToken(managed.snapshot, { renewal }) : managed.snapshot;
  const verdict = { ...input.verdict, managed: { ...managed, snapshot } };
  const { error, nextIn } = conclude(context, memory, { ...input, verdict }, outcome);
  await nextIn;
  return error === undefined ? {} : { error };
}

/** Renewals that may be answered late, and tokens whose `.top` on disk is spent. */
export interface LeftOver {
  readonly late: readonly LateRenewal[];
  readonly unrecovered: ReadonlySet<string>;
}

/** Returns the reason for a person, `undefined` for a token that may be renewed. */
export function whyBusy(
  context: PassContext,
  { unwritten, writing }: PassMemory,
  { late, unrecovered }: LeftOver,
  token: TokenSnapshot,
): string | undefined {
  const id = tokenId(token);
  if (unwritten.has(id))
    return 'the files of its last renewal are not written yet; the daemon retries every 5 s';
  if (writing.has(id)) return 'the files of its last renewal are being written';
  if (unrecovered.has(id))
    return 'its rotated refresh token cannot be put in place; see the log of the daemon';
  return isAnswerPending(context, late, token)
    ? 'the response to its last request may still arrive; ask again later'
    : undefined;
}

/**
 * True when a late answer for this refresh token may still arrive: it must not be sent
 * again. A newer login's may.
 */
function isAnswerPending(
  { store }: PassContext,
  late: readonly LateRenewal[],
  token: TokenSnapshot,
): boolean {
  const id = tokenId(token);
  return late.some(({ from, sent, ...one }) => {
    if (one.id !== id) return false;
    if (sameIdentity(from, identityOf(token.top))) return true;
    return sent !== undefined && refreshTokenIn(store.read(token.user, token.stem).top) === sent;
  });
}
