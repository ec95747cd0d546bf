// The flow of one user as a value, folded from events, so that tabs and replicas that
// append at the same time lose no event.
import { stemOf } from '@credmon/core/credential';
import type {
  FlowEvent,
  Login,
  PendingAnswer,
  SettledAnswer,
  TokenState,
  FlowToken,
  Flow,
} from './flow-value.ts';

/** Folds a log into a flow; `undefined` if the log does not begin with `opened`. */
export function foldFlow(events: readonly FlowEvent[]): Flow | undefined {
  return events.reduce<Flow | undefined>(nextFlow, undefined);
}

/**
 * Returns the flow after one more event. An event that does not apply (a second `opened`,
 * an unknown state) changes nothing.
 */
export function nextFlow(flow: Flow | undefined, event: FlowEvent): Flow | undefined {
  if (event.type === 'opened') return flow ?? opened(event);
  if (flow === undefined) return undefined;
  switch (event.type) {
    case 'begun': {
      const { type: _type, at, ...login } = event;
      return { ...flow, logins: [...flow.logins, { ...login, begunAt: at }] };
    }
    case 'returned':
      return {
        ...flow,
        logins: flow.logins.map((login) => claimed(login, event.state, event.attempt)),
      };
    case 'completed': {
      const { name, missing, renewable, doesNotExpire, refresh } = event;
      return closed(withoutOlder(flow, event.state), event.state, {
        kind: 'signed-in',
        missing,
        renewable,
        doesNotExpire,
        name,
        refresh,
      });
    }
    case 'failed':
      return closed(flow, event.state, { kind: 'failed', code: event.code });
    case 'held':
      return held(flow, event);
    case 'decided':
    case 'reopened':
      return {
        ...flow,
        pending: flow.pending.map((one) =>
          one.answer === event.answer ? decided(one, event) : one,
        ),
      };
    case 'declined':
      return closed(flow, event.state, { kind: 'waiting' }, revocationOf(event));
    case 'superseded':
      return superseded(flow, event);
  }
}

function opened(event: FlowEvent & { type: 'opened' }): Flow {
  const { at, key, localUser, tokens } = event;
  return {
    openedAt: at,
    key,
    localUser,
    tokens: tokens.map(({ provider, handle }) => ({
      provider,
      handle,
      stem: stemOf(provider, handle),
      state: { kind: 'waiting' },
    })),
    logins: [],
    pending: [],
    settled: [],
    finished: [],
  };
}

function claimed(login: Login, state: string, attempt: string): Login {
  return login.state === state && login.claimedBy === undefined
    ? { ...login, claimedBy: attempt }
    : login;
}

function held(flow: Flow, { at, state, answer }: FlowEvent & { type: 'held' }): Flow {
  const login = flow.logins.find((one) => one.state === state);
  if (!login) return flow;
  return {
    ...flow,
    logins: flow.logins.filter((one) => one !== login),
    pending: [...flow.pending, { answer, state, stem: login.stem, heldAt: at }],
  };
}

/**
 * After this time in seconds, the process of an attempt is considered dead, and another
 * attempt may carry out the decision.
 */
const CLAIM_SECONDS = 30;

function decided(
  pending: PendingAnswer,
  { type, at, attempt }: FlowEvent & { type: 'decided' | 'reopened' },
): PendingAnswer {
  const { claim, ...open } = pending;
  if (type === 'reopened') return claim?.attempt === attempt ? open : pending;
  return claim && at - claim.at < CLAIM_SECONDS ? pending : { ...open, claim: { attempt, at } };
}

/**
 * Ends a login or the question about its answer. A failed or declined login does not
 * change a token that another tab has stored.
 */
function closed(
  flow: Flow,
  state: string,
  result: TokenState,
  revocation: Revocation = { revoked: false },
): Flow {
  const pending = flow.pending.find((one) => one.state === state);
  const stem = pending?.stem ?? flow.logins.find((one) => one.state === state)?.stem;
  if (stem === undefined) return flow;
  return {
    ...flow,
    logins: flow.logins.filter((one) => one.state !== state),
    pending: flow.pending.filter((one) => one !== pending),
    settled: pending
      ? [
          ...flow.settled,
          { answer: pending.answer, stem, outcome: OUTCOMES[result.kind], ...revocation },
        ]
      : flow.settled,
    finished: [...flow.finished, state],
    tokens: flow.tokens.map((token) =>
      token.stem === stem && !(result.kind !== 'signed-in' && token.state.kind === 'signed-in')
        ? { ...token, state: result }
        : token,
    ),
  };
}

/**
 * Settles the older answers for the same token: they must not replace the newer one that
 * is stored.
 */
function withoutOlder(flow: Flow, state: string): Flow {
  const own = flow.pending.findIndex((one) => one.state === state);
  const stem = (flow.pending[own] ?? flow.logins.find((one) => one.state === state))?.stem;
  return flow.pending
    .slice(0, own < 0 ? flow.pending.length : own)
    .filter((one) => one.stem === stem)
    .reduce((rest, one) => settled(rest, one, { revoked: false }), flow);
}

/**
 * Settles an answer that no attempt is storing, or records the revocation of a settled
 * one.
 */
function superseded(
  flow: Flow,
  { answer, attempt, ...event }: FlowEvent & { type: 'superseded' },
): Flow {
  const pending = flow.pending.find((one) => one.answer === answer);
  if (pending)
    return pending.claim !== undefined && pending.claim.attempt !== attempt
      ? flow
      : settled(flow, pending, revocationOf(event));
  return {
    ...flow,
    settled: flow.settled.map((one) =>
      one.answer === answer && one.outcome === 'superseded'
        ? { ...one, ...revocationOf(event) }
        : one,
    ),
  };
}

function settled(flow: Flow, pending: PendingAnswer, revocation: Revocation): Flow {
  const { answer, state, stem } = pending;
  return {
    ...flow,
    pending: flow.pending.filter((one) => one !== pending),
    settled: [...flow.settled, { answer, stem, outcome: 'superseded', ...revocation }],
    finished: [...flow.finished, state],
  };
}

type Revocation = Pick<SettledAnswer, 'revoked' | 'shared'>;

function revocationOf({ revoked, shared }: Revocation): Revocation {
  return { revoked, ...(shared === true ? { shared } : {}) };
}

const OUTCOMES = {
  'signed-in': 'stored',
  failed: 'failed',
  waiting: 'declined',
} as const satisfies Record<TokenState['kind'], SettledAnswer['outcome']>;

/**
 * Updates a flow from the credential directory: a stored token counts, even if another
 * session stored it; a removed token is waiting again.
 */
export function withStored(flow: Flow, isStored: (stem: string) => boolean): Flow {
  return {
    ...flow,
    tokens: flow.tokens.map((token) => ({ ...token, state: storedState(token, isStored) })),
  };
}

function storedState({ stem, state }: FlowToken, isStored: (stem: string) => boolean): TokenState {
  if (isStored(stem))
    return state.kind === 'signed-in' ? state : { kind: 'signed-in', missing: [], renewable: true };
  return state.kind === 'signed-in' ? { kind: 'waiting' } : state;
}

/** True if every token is stored. */
export function isComplete(flow: Flow): boolean {
  return flow.tokens.every(({ state }) => state.kind === 'signed-in');
}

/** The number of logins of the flow, including finished ones. */
export function loginCount({ logins, pending, finished }: Flow): number {
  return logins.length + pending.length + finished.length;
}

/**
 * Returns the logins in progress that began within `seconds` before `now` (epoch
 * seconds).
 */
export function liveLogins(flow: Flow, now: number, seconds: number): readonly Login[] {
  return flow.logins.filter(({ begunAt }) => now - begunAt < seconds);
}

/**
 * Returns the answers that wait for a decision and arrived within `seconds` before `now`
 * (epoch seconds).
 */
export function openAnswers(flow: Flow, now: number, seconds: number): readonly PendingAnswer[] {
  return flow.pending.filter(({ heldAt }) => now - heldAt < seconds);
}

// Limits per user; the steps and the stores share them.

/**
 * Logins of one flow that may be in progress at the same time. Only a script needs more.
 */
export const MAX_LIVE_LOGINS = 50;

/**
 * Logins of one flow in total: twice the number of tokens that a key file may request.
 */
export const MAX_LOGINS = 200;

/**
 * Flows, and sessions, that one local user may have open. Above this, the least recently
 * used one is removed.
 */
export const MAX_OPEN_PER_USER = 20;

/** Above this size in bytes, a flow starts no new login. */
export const MAX_FLOW_BYTES: number = 256 * 1024;

/** Additional bytes of a full flow, so that its logins in progress can finish. */
export const FLOW_RESERVE_BYTES: number = 64 * 1024;

/** The largest size of a session in bytes; it contains two ids. */
export const MAX_SESSION_BYTES = 4096;
