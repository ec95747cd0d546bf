// The renewals that users asked for: which of them a pass starts besides those that are
// due, and what each user is answered.
import { largest } from '@credmon/core/base';
import { tokenId, type Instant, type TokenSnapshot } from '@credmon/core/credential';
import { judge, type ManagedToken, type Plan, type Verdict } from '@credmon/core/renewal';
import type { Scan } from '@credmon/core/store';
import type { TokenEvent } from '../report/events.ts';
import { refusal, type RenewalRequest, type RenewalResult } from './request.ts';

/** What a pass knows when it chooses the renewals that it starts. */
export interface Choice {
  readonly scan: Scan;
  readonly plan: Plan;
  readonly now: Instant;
  /** Returns the token as its provider manages it. */
  readonly managed: (id: string) => ManagedToken | undefined;
  /** True for a token whose renewal is in progress, or has just ended. */
  readonly inProgress: (id: string) => boolean;
  /** Why a token cannot be renewed now although it could be later. */
  readonly whyBusy: (token: TokenSnapshot) => string | undefined;
}

/** The renewals that users asked for, until they are answered. */
export interface AskedRenewals {
  /** The number of tokens. */
  readonly size: number;
  has(id: string): boolean;
  /** Takes a request; it is answered by a later pass, or at once if there are too many. */
  ask(request: RenewalRequest): void;
  /** Returns what a pass starts; answers requests that cannot be met. */
  choose(choice: Choice): readonly Verdict[];
  /** Answers a request if the event ends its renewal. */
  report(event: TokenEvent): void;
  /** A renewal has ended. Without an event it is tried again by the next passes. */
  ended(id: string): void;
  /** Answers all requests: the daemon ends. */
  close(): void;
}

/**
 * Options: `answer` gives the result to the user who asked; `now` in epoch seconds.
 */
export interface AskedOptions {
  readonly answer: (request: RenewalRequest, result: RenewalResult) => void;
  readonly now: () => number;
}

/** Seconds between two renewals of a token that is not due. */
const MINUTE = 60;
/** Tokens that may be asked for at the same time, and requests for one token. */
const [MOST_TOKENS, MOST_REQUESTS] = [1000, 16];
/** Renewals that end without a result, before the request is answered. */
const MOST_TRIES = 3;

interface Asked {
  readonly requests: RenewalRequest[];
  tries: number;
}

/** Creates the renewals; none is asked for. */
export function createAskedRenewals({ answer, now }: AskedOptions): AskedRenewals {
  const asked = new Map<string, Asked>();
  /** When a token that was not due was last renewed on request, in steady seconds. */
  const forced = new Map<string, number>();

  const result = (change: Partial<RenewalResult>): RenewalResult => ({
    ...refusal('', now()),
    message: null,
    ...change,
  });
  const settle = (id: string, change: Partial<RenewalResult>): void => {
    const requests = asked.get(id)?.requests ?? [];
    asked.delete(id);
    for (const request of requests) answer(request, result(change));
  };
  const refuse = (id: string, message: string): undefined => {
    settle(id, { message });
    return undefined;
  };

  /** Returns the verdict to start, if the token is not in the plan anyway. */
  const chosen = (id: string, managed: ManagedToken, choice: Choice): Verdict | undefined => {
    const { now: instant, whyBusy } = choice;
    if (!managed.renewable.ok) return refuse(id, managed.renewable.reason);
    const busy = whyBusy(managed.snapshot);
    if (busy !== undefined) return refuse(id, busy);
    const verdict = judge(managed, instant);
    if (verdict.state === 'due') return undefined;
    const wait = largest(
      [(forced.get(id) ?? Number.NEGATIVE_INFINITY) + MINUTE, managed.pausedUntil ?? 0],
      0,
    );
    const left = Math.ceil(wait - instant.steady);
    if (left > 0) return refuse(id, `it was renewed or tried a moment ago; ask again in ${left} s`);
    forced.set(id, instant.steady);
    return { ...verdict, state: 'due', dueIn: 0 };
  };

  return {
    get size() {
      return asked.size;
    },
    has: (id) => asked.has(id),
    ask: (request) => {
      const id = tokenId(request);
      const one = asked.get(id) ?? { requests: [], tries: 0 };
      if (asked.size >= MOST_TOKENS || one.requests.length >= MOST_REQUESTS)
        return answer(
          request,
          result({ message: 'too many requests at the same time; ask again later' }),
        );
      one.requests.push(request);
      asked.set(id, one);
      return undefined;
    },
    choose: (choice) => {
      const { plan, scan, now: instant } = choice;
      for (const [id, at] of forced) if (instant.steady - at >= MINUTE) forced.delete(id);
      const more: Verdict[] = [];
      for (const [id, { requests }] of asked) {
        if (choice.inProgress(id)) continue;
        const managed = choice.managed(id);
        const verdict = managed && chosen(id, managed, choice);
        if (verdict) more.push(verdict);
        if (!managed && scan.partial !== true) refuse(id, whyNotManaged(requests[0], scan));
      }
      return more.length === 0 ? plan.renew : [...plan.renew, ...more];
    },
    report: (event) => {
      const ended = resultOf(event);
      if (ended && asked.has(ended.id)) settle(ended.id, ended.change);
    },
    ended: (id) => {
      const one = asked.get(id);
      if (!one) return;
      one.tries += 1;
      forced.delete(id);
      if (one.tries >= MOST_TRIES) refuse(id, 'the renewal ended without a result; see the log');
    },
    close: () => {
      for (const id of asked.keys()) refuse(id, 'condor_credmon was stopped');
    },
  };
}

function whyNotManaged(wanted: RenewalRequest | undefined, { tokens }: Scan): string {
  const { user = '', stem = '' } = wanted ?? {};
  const own = tokens.filter((token) => token.user === user).map((token) => token.stem);
  if (own.includes(stem)) return 'no provider of this daemon renews it';
  const others = own.length === 0 ? '' : `; tokens of ${user}: ${own.join(', ')}`;
  return `there is no such token${others}`;
}

/** Returns what an event says about the renewal of a token; `undefined` if nothing. */
function resultOf(
  event: TokenEvent,
): { readonly id: string; readonly change: Partial<RenewalResult> } | undefined {
  switch (event.type) {
    case 'renewed': {
      const { managed, times } = event;
      const expires = Math.floor(times.expiresAt);
      return resultFor(managed, { result: 'renewed', expires_at: expires });
    }
    case 'failed':
    case 'postponed': {
      const { managed, error, state } = event;
      return resultFor(managed, {
        result: event.type === 'failed' ? 'failed' : 'refused',
        code: error.code,
        message: error.message,
        next_renewal: state.stopped ? null : state.not_before,
      });
    }
    case 'removed': {
      const { managed, error } = event;
      return resultFor(managed, { result: 'failed', code: error.code, message: error.message });
    }
    case 'rewritten':
      return event.renewal && resultOf({ type: 'renewed', ...event.renewal });
    case 'unwritten': {
      const message = `renewed, but not written yet: ${event.why}`;
      return { id: event.id, change: { result: 'failed', code: 'CRED_FILE_IO', message } };
    }
    case 'problem':
      if (event.id === undefined) return undefined;
      return { id: event.id, change: { result: 'failed', message: event.text } };
    case 'noted':
    case 'settled':
    case 'superseded':
      return undefined;
  }
}

function resultFor(
  { snapshot, provider }: ManagedToken,
  change: Partial<RenewalResult>,
): { readonly id: string; readonly change: Partial<RenewalResult> } {
  return { id: tokenId(snapshot), change: { provider, ...change } };
}
