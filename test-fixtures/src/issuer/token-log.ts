// What the issuer writes down about every token request, so that a test can ask which
// refresh token was used when.
import { createHash } from 'node:crypto';

/**
 * One request at the token endpoint. Tokens are named by {@link tokenId}, never written
 * out.
 */
export interface TokenRequest {
  /** Epoch seconds at which the answer (or the fault) was decided. */
  readonly at: number;
  readonly grant: string;
  readonly client: string;
  /** The refresh token that was presented. */
  readonly presented?: string;
  /**
   * The refresh token in the answer; another one than `presented` when it was rotated.
   */
  readonly issued?: string;
  /**
   * `issued`, or the OAuth error in the answer. Missing when a fault kept the request
   * from the issuer.
   */
  readonly outcome?: string;
  readonly description?: string;
  /** The fault that was switched on. */
  readonly fault?: string;
}

/** A short name for a token that tells nothing of its value. */
export function tokenId(token: string): string {
  return createHash('sha256').update(token).digest('hex').slice(0, 16);
}

/** The log of one issuer, with the questions that tests ask. */
export class TokenLog {
  readonly requests: TokenRequest[] = [];
  private watchers: (() => boolean)[] = [];

  add(request: TokenRequest): void {
    this.requests.push(request);
    this.watchers = this.watchers.filter((done) => !done());
  }

  /** The requests that the issuer answered with tokens, of one grant type if given. */
  successes(grant?: string): readonly TokenRequest[] {
    return this.requests.filter(
      (request) => request.outcome === 'issued' && (grant === undefined || request.grant === grant),
    );
  }

  /**
   * Refresh tokens that reached the issuer more than once: each would be a theft in its
   * eyes.
   */
  presentedTwice(): readonly string[] {
    const seen = new Map<string, number>();
    for (const { presented, outcome } of this.requests) {
      if (presented !== undefined && outcome !== undefined)
        seen.set(presented, (seen.get(presented) ?? 0) + 1);
    }
    return [...seen].filter(([, times]) => times > 1).map(([token]) => token);
  }

  /** Requests that the issuer refused because the refresh token had been spent before. */
  reuses(): readonly TokenRequest[] {
    return this.requests.filter(
      ({ description }) => description?.includes('already used') === true,
    );
  }

  /**
   * The refresh tokens issued one after the other from `first` on: `[first, the one it
   * was rotated to, ...]`.
   */
  chain(first: string): readonly string[] {
    const next = this.requests.find(
      ({ presented, issued }) => presented === first && issued !== undefined && issued !== first,
    )?.issued;
    return next === undefined ? [first] : [first, ...this.chain(next)];
  }

  /** Resolves once `enough` holds of this log, now or after a later request. */
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
