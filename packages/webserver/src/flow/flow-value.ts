// The events of a session, and the state of the session after them: plain values.
import type { ErrorCode } from '@credmon/core/base';

/**
 * A token that the key file requests, by name only. Scopes, audience and URLs are read
 * from the key file when needed.
 */
export interface RequestedToken {
  readonly provider: string;
  readonly handle: string;
}

/** An event; times are epoch seconds. The session log contains events in this form. */
export type FlowEvent =
  | {
      readonly type: 'opened';
      readonly at: number;
      /** The name of the key file. */
      readonly key: string;
      readonly localUser: string;
      readonly tokens: readonly RequestedToken[];
    }
  | {
      readonly type: 'begun';
      readonly at: number;
      readonly state: string;
      readonly stem: string;
      readonly verifier?: string | undefined;
      /** Only if an ID token is requested. */
      readonly nonce?: string | undefined;
      /** The metadata promised `iss` in the callback. */
      readonly sendsIssuer?: true | undefined;
    }
  | {
      readonly type: 'returned';
      readonly at: number;
      readonly state: string;
      readonly attempt: string;
    }
  | {
      readonly type: 'completed';
      readonly at: number;
      readonly state: string;
      /** The account that signed in, from a verified ID token. */
      readonly name?: string | undefined;
      /** Requested scopes that were not granted. */
      readonly missing: readonly string[];
      readonly renewable: boolean;
      readonly doesNotExpire?: true | undefined;
      /** What happened to the stored refresh token, if the response had none. */
      readonly refresh?: 'kept' | 'replaced' | undefined;
    }
  | {
      readonly type: 'failed';
      readonly at: number;
      readonly state: string;
      readonly code: ErrorCode;
    }
  /**
   * The issuer has answered. The tokens wait under the id `answer` until the user
   * confirms the account.
   */
  | { readonly type: 'held'; readonly at: number; readonly state: string; readonly answer: string }
  /** `attempt` carries out a decision about an answer. */
  | {
      readonly type: 'decided';
      readonly at: number;
      readonly answer: string;
      readonly attempt: string;
    }
  /** Carrying out the decision failed temporarily; the question is open again. */
  | {
      readonly type: 'reopened';
      readonly at: number;
      readonly answer: string;
      readonly attempt: string;
    }
  | {
      readonly type: 'declined';
      readonly at: number;
      readonly state: string;
      readonly revoked: boolean;
      /** Not revoked, because another sign-in has the same grant. */
      readonly shared?: boolean | undefined;
    }
  /**
   * The answer is not stored, because another sign-in is. `attempt` has claimed it.
   * Ignored if another attempt has claimed it.
   */
  | {
      readonly type: 'superseded';
      readonly at: number;
      readonly answer: string;
      readonly attempt?: string | undefined;
      readonly revoked: boolean;
      readonly shared?: boolean | undefined;
    };

/**
 * A login in progress. `claimedBy` is the attempt of the first return; only this attempt
 * continues, so that a `state` works once.
 */
export interface Login {
  readonly state: string;
  readonly stem: string;
  readonly begunAt: number;
  readonly verifier?: string | undefined;
  readonly nonce?: string | undefined;
  readonly sendsIssuer?: true | undefined;
  readonly claimedBy?: string;
}

/**
 * An answer of the issuer that waits for the decision of the user. The first attempt to
 * carry out a decision claims it, so that it is used once.
 */
export interface PendingAnswer {
  /** The id in the store of answers. */
  readonly answer: string;
  readonly state: string;
  readonly stem: string;
  readonly heldAt: number;
  readonly claim?: { readonly attempt: string; readonly at: number };
}

/**
 * How the question about an answer ended. `revoked`: the issuer has revoked the tokens.
 * `shared`: the tokens were not revoked, because another sign-in has the same grant.
 */
export interface SettledAnswer {
  readonly answer: string;
  readonly stem: string;
  readonly outcome: 'stored' | 'failed' | 'declined' | 'superseded';
  readonly revoked: boolean;
  readonly shared?: boolean | undefined;
}

/** The state of one token. */
export type TokenState =
  | { readonly kind: 'waiting' }
  | { readonly kind: 'failed'; readonly code: ErrorCode }
  | {
      readonly kind: 'signed-in';
      readonly name?: string | undefined;
      readonly missing: readonly string[];
      readonly renewable: boolean;
      readonly doesNotExpire?: true | undefined;
      readonly refresh?: 'kept' | 'replaced' | undefined;
    };

/** A requested token, its stem and its state. */
export interface FlowToken extends RequestedToken {
  readonly stem: string;
  readonly state: TokenState;
}

/** The state of a session: local user, tokens, and logins in progress. */
export interface Flow {
  readonly openedAt: number;
  readonly key: string;
  readonly localUser: string;
  readonly tokens: readonly FlowToken[];
  readonly logins: readonly Login[];
  readonly pending: readonly PendingAnswer[];
  readonly settled: readonly SettledAnswer[];
  /**
   * The `state` values of finished logins, to distinguish a replayed `state` from an
   * unknown one.
   */
  readonly finished: readonly string[];
}
