// One attempt at a token: ask its provider, then write, remove or remember what came of
// it. The one switch over outcomes is here.
import type { CodedError } from '@credmon/core/base';
import {
  identityOf,
  tokenId,
  type FileIdentity,
  type TokenSnapshot,
} from '@credmon/core/credential';
import type { Verdict } from '@credmon/core/renewal';
import type { TokenFiles } from '@credmon/core/store';
import type { Outcome, Provider, ProviderContext } from '../providers/common/provider.ts';
import { isSilence } from '../throttle/circuit-breaker.ts';
import type { LateRenewal, PassMemory, PassContext } from './context.ts';
import { failed, remove, write } from './record-outcome.ts';
import { refreshTokenIn, restoreSuccessor, successorIn } from './successors.ts';

/**
 * How an attempt ended for the queue: the error, if any, and the seconds until the token
 * is due again.
 */
export interface Attempted {
  readonly error?: Error;
  readonly nextIn: number;
  /**
   * Where the request timed out and its answer may still come: ends when the answer was
   * written or the connection has ended. Until then the same `.top` must not be sent
   * again. Gives what the issuer answered, and nothing where it did not.
   */
  readonly late?: Promise<{ readonly error?: Error } | undefined>;
}

/**
 * Asks the token's provider once, writes what came back, and remembers what failed. A
 * request that times out counts as failed then; its answer is still written when it comes
 * within {@link PassContext.lateAnswer} seconds.
 */
export async function attempt(
  world: PassContext,
  memory: PassMemory,
  verdict: Verdict,
  provider: Provider,
): Promise<Attempted> {
  const { snapshot } = verdict.token;
  const files = world.store.read(snapshot.user, snapshot.stem);
  // A `.top` that went since the scan must not look like a token that never had one.
  const from = files.topIdentity ?? identityOf(snapshot.top);
  if (isSpent(memory, snapshot, files) && restoreSuccessor(world, memory, snapshot))
    return { nextIn: 0 };
  const asked = { verdict, provider, from, files };
  const { context, timedOut } = contextOf(world);
  const outcome = provider.obtain(snapshot, files, context);
  const first = await Promise.race([outcome, timedOut]);
  if ('kind' in first) return conclude(world, memory, asked, first);
  const error = first;
  const nextIn = failed(world, memory, verdict, { kind: 'failed', provider, error, from, files });
  const renewal: LateRenewal = { id: tokenId(snapshot), from, sent: refreshTokenIn(files.top) };
  memory.late.add(renewal);
  const late = finishLate(world, memory, asked, outcome).finally(() => memory.late.delete(renewal));
  return { error, nextIn, late };
}

/** What a provider was asked, and with which `.top`. */
interface AskedProvider {
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
 * The world as a provider sees it; `timedOut` gives the error of the first request of
 * which only a late answer can come.
 */
function contextOf(world: PassContext): {
  context: ProviderContext;
  timedOut: Promise<CodedError>;
} {
  let tell: (error: CodedError) => void = () => undefined;
  const timedOut = new Promise<CodedError>((resolve) => {
    tell = resolve;
  });
  const { clock } = world;
  const began = clock.steady();
  const context: ProviderContext = {
    // A request that spends nothing is repeated at no cost: it is not waited for.
    send: (request) =>
      world.send(
        request.method === 'POST'
          ? { ...request, late: { seconds: world.lateAnswer(), began: tell } }
          : request,
      ),
    get now() {
      return clock.now() - (clock.steady() - began);
    },
    readSecret: world.readSecret,
    readToken: (user: string, stem: string) => world.store.read(user, stem),
  };
  return { context, timedOut };
}

function conclude(
  world: PassContext,
  memory: PassMemory,
  { verdict, provider, from, files }: AskedProvider,
  outcome: Outcome,
): Attempted {
  const successor =
    'writes' in outcome
      ? successorIn(outcome.writes ?? [], files, world.clock.steady())
      : undefined;
  if (successor) memory.successors.set(tokenId(verdict.token.snapshot), successor);
  switch (outcome.kind) {
    case 'issued':
      return { nextIn: write(world, memory, verdict, { provider, outcome, from }) };
    case 'gone':
      return {
        error: outcome.error,
        nextIn: remove(world, memory, verdict, { provider, error: outcome.error, from, files }),
      };
    case 'revoked':
    case 'denied':
    case 'failed':
      return {
        error: outcome.error,
        nextIn: failed(world, memory, verdict, { ...outcome, provider, from, files }),
      };
  }
}

/**
 * Writes a late answer. Where none came, the failure that was remembered at the time-out
 * stays as it is.
 */
async function finishLate(
  world: PassContext,
  memory: PassMemory,
  asked: AskedProvider,
  pending: Promise<Outcome>,
): Promise<{ readonly error?: Error } | undefined> {
  const outcome = await pending;
  const silent =
    outcome.kind === 'failed' && isSilence(outcome.error) && outcome.writes === undefined;
  if (silent) return undefined;
  const { token } = asked.verdict;
  const renewal = memory.failures.get(tokenId(token.snapshot)) ?? token.snapshot.renewal;
  // The failure of the time-out is in place now; a success removes it.
  const snapshot = outcome.kind === 'issued' ? { ...token.snapshot, renewal } : token.snapshot;
  const verdict = { ...asked.verdict, token: { ...token, snapshot } };
  const { error } = conclude(world, memory, { ...asked, verdict }, outcome);
  return error === undefined ? {} : { error };
}
