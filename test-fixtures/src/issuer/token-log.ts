// The log of token requests, which shows when each refresh token was used.
import { createHash } from 'node:crypto';

/** One token request. It contains the {@link tokenId} of tokens, not the tokens. */
export interface TokenRequest {
  /** When the response (or the fault) was decided, in epoch seconds. */
  readonly at: number;
  readonly grant: string;
  readonly client: string;
  /** The refresh token in the request. */
  readonly presented?: string;
  /** The refresh token in the response; different from `presented` after a rotation. */
  readonly issued?: string;
  /**
   * `issued`, or the OAuth error in the response. Missing if a fault kept the request
   * from the issuer.
   */
  readonly outcome?: string;
  readonly description?: string;
  /** The fault at the time of the request. */
  readonly fault?: string;
}

/** Returns a short name for a token that does not reveal its value. */
export function tokenId(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 16);
}

/** The log of one issuer, with queries for tests. */
export class TokenLog {
  readonly requests: TokenRequest[] = [];
  private watchers: (() => boolean)[] = [];

  add(request: TokenRequest): void {
    this.requests.push(request);
    this.watchers = this.watchers.filter((done) => !done());
  }

  /** Notes that the issuer closed the connection before the answer to `request` was sent. */
  lost(request: TokenRequest): void {
    const index = this.requests.indexOf(request);
    if (index >= 0) this.requests[index] = { ...request, fault: 'answer-lost' };
  }

  /** Returns the successful requests, of one grant type if given. */
  successes(grant?: string): readonly TokenRequest[] {
    return this.requests.filter(
      (request) => request.outcome === 'issued' && (grant === undefined || request.grant === grant),
    );
  }

  /**
   * Returns the refresh tokens that reached the issuer more than once; an issuer treats
   * such a reuse as theft.
   */
  presentedTwice(): readonly string[] {
    const seen = new Map<string, number>();
    for (const { presented, outcome } of this.requests) {
      if (presented !== undefined && outcome !== undefined)
        seen.set(presented, (seen.get(presented) ?? 0) + 1);
    }
    return [...seen].filter(([, times]) => times > 1).map(([token]) => token);
  }

  /**
   * Returns the requests that the issuer rejected because the refresh token was already
   * used.
   */
  reuses(): readonly TokenRequest[] {
    return this.requests.filter(
      ({ description }) => description?.includes('already used') === true,
    );
  }

  /**
   * Returns the chain of rotated refresh tokens from `first`: `[first, its successor,
   * ...]`.
   */
  chain(first: string): readonly string[] {
    const next = this.requests.find(
      ({ presented, issued }) => presented === first && issued !== undefined && issued !== first,
    )?.issued;
    return next === undefined ? [first] : [first, ...this.chain(next)];
  }

  /** Resolves when `enough` returns true for this log, now or after a later request. */
  until(enough: (log: TokenLog) => boolean): Promise<void> {
    return new Promise((resolve) => {
      if (enough(this)) return resolve();
      this.watchers.push(() => {
        const done = enough(this);
        if (done) resolve();
        return done;
      });
      return undefined;
    });
  }
}
