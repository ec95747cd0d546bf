// One user's way through the portal as a value: folded from events, so that tabs and replicas that append at once lose nothing.
import { stemOf } from '@credmon/core';
import type { ErrorCode } from '@credmon/core/base';

/** A token that the key file asks for, by name only: scopes, audience and addresses are read in the key file when needed. */
export interface RequestedToken {
  readonly provider: string;
  readonly handle: string;
}

/** What happened; times are epoch seconds. Written to the session's log in this form. */
export type FlowEvent =
  | {
      readonly type: 'opened';
      readonly at: number;
      /** The key file's name. */
      readonly key: string;
      readonly localUser: string;
      readonly tokens: readonly RequestedToken[];
    }
  | {
      readonly type: 'begun';
      readonly at: number;
      readonly state: string;
      readonly stem: string;
      readonly verifier: string;
      /** Only where an ID token is asked for. */
      readonly nonce?: string;
    }
  | { readonly type: 'returned'; readonly at: number; readonly state: string; readonly attempt: string }
  | {
      readonly type: 'completed';
      readonly at: number;
      readonly state: string;
      /** Who signed in, as a verified ID token names them. */
      readonly name?: string;
      /** Asked scopes that were not granted. */
      readonly missing: readonly string[];
      readonly renewable: boolean;
      /** What became of a stored refresh token, when the answer had none. */
      readonly refresh?: 'kept' | 'replaced';
    }
  | { readonly type: 'failed'; readonly at: number; readonly state: string; readonly code: ErrorCode };

/** A login on its way. `claimedBy` is the first return's attempt; only that one may go on, so that a `state` serves once. */
export interface Login {
  readonly state: string;
  readonly stem: string;
  readonly begunAt: number;
  readonly verifier: string;
  readonly nonce?: string;
  readonly claimedBy?: string;
}

/** How far one token is. */
export type TokenState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly code: ErrorCode }
  | {
      readonly kind: 'signed-in';
      readonly name?: string;
      readonly missing: readonly string[];
      readonly renewable: boolean;
      readonly refresh?: 'kept' | 'replaced';
    };

/** A requested token, the stem of its files, and how far it is. */
export interface FlowToken extends RequestedToken {
  readonly stem: string;
  readonly state: TokenState;
}

/** The whole way: whose, which tokens, how far each, and the logins that are not over. */
export interface Flow {
  readonly openedAt: number;
  readonly key: string;
  readonly localUser: string;
  readonly tokens: readonly FlowToken[];
  readonly logins: readonly Login[];
  /** `state` values of logins that are over, to tell a replay from a stranger. */
  readonly over: readonly string[];
}

/** Folds a log into its value; `undefined` when it does not begin with `opened`. */
export function foldFlow(events: readonly FlowEvent[]): Flow | undefined {
  return events.reduce<Flow | undefined>(nextFlow, undefined);
}

/** The value after one more event. An event that fits nothing (a second `opened`, an unknown state) changes nothing. */
export function nextFlow(flow: Flow | undefined, event: FlowEvent): Flow | undefined {
  if (event.type === 'opened') return flow ?? opened(event);
  if (flow === undefined) return undefined;
  switch (event.type) {
    case 'begun': {
      const { type: _type, at, ...login } = event;
      return { ...flow, logins: [...flow.logins, { ...login, begunAt: at }] };
    }
    case 'returned':
      return { ...flow, logins: flow.logins.map((login) => claimed(login, event.state, event.attempt)) };
    case 'completed': {
      const { name, missing, renewable, refresh } = event;
      return closed(flow, event.state, {
        kind: 'signed-in',
        missing,
        renewable,
        ...(name === undefined ? {} : { name }),
        ...(refresh === undefined ? {} : { refresh }),
      });
    }
    case 'failed':
      return closed(flow, event.state, { kind: 'failed', code: event.code });
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
    over: [],
  };
}

function claimed(login: Login, state: string, attempt: string): Login {
  return login.state === state && login.claimedBy === undefined ? { ...login, claimedBy: attempt } : login;
}

/** Ends a login. A failure never takes back what another tab has achieved. */
function closed(flow: Flow, state: string, result: TokenState): Flow {
  const login = flow.logins.find((one) => one.state === state);
  if (!login) return flow;
  return {
    ...flow,
    logins: flow.logins.filter((one) => one !== login),
    over: [...flow.over, state],
    tokens: flow.tokens.map((token) =>
      token.stem === login.stem && !(result.kind === 'failed' && token.state.kind === 'signed-in')
        ? { ...token, state: result }
        : token,
    ),
  };
}

/**
 * The flow as the credential directory has it: a token that is stored counts, whoever signed in for it, and one that was removed is
 * waited for again.
 */
export function withStored(flow: Flow, isStored: (stem: string) => boolean): Flow {
  return { ...flow, tokens: flow.tokens.map((token) => ({ ...token, state: storedState(token, isStored) })) };
}

function storedState({ stem, state }: FlowToken, isStored: (stem: string) => boolean): TokenState {
  if (isStored(stem))
    return state.kind === 'signed-in' ? state : { kind: 'signed-in', missing: [], renewable: true };
  return state.kind === 'signed-in' ? { kind: 'waiting' } : state;
}

/** True when every token is there. */
export function isComplete(flow: Flow): boolean {
  return flow.tokens.every(({ state }) => state.kind === 'signed-in');
}

/** How many logins the flow has seen, over or not. */
export function loginCount({ logins, over }: Flow): number {
  return logins.length + over.length;
}

/** Logins begun within `seconds` before `now` (epoch seconds) and not over. */
export function liveLogins(flow: Flow, now: number, seconds: number): readonly Login[] {
  return flow.logins.filter(({ begunAt }) => now - begunAt < seconds);
}
