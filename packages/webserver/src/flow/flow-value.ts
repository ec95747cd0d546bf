// What happened in a session, and the session as these events leave it: plain values.
import type { ErrorCode } from '@credmon/core/base';

/**
 * A token that the key file asks for, by name only: scopes, audience and addresses are
 * read in the key file when needed.
 */
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
      /** Who signed in, as a verified ID token names them. */
      readonly name?: string;
      /** Asked scopes that were not granted. */
      readonly missing: readonly string[];
      readonly renewable: boolean;
      /** What became of a stored refresh token, when the answer had none. */
      readonly refresh?: 'kept' | 'replaced';
    }
  | {
      readonly type: 'failed';
      readonly at: number;
      readonly state: string;
      readonly code: ErrorCode;
    }
  /**
   * The issuer has answered; the tokens wait, under the id `answer`, for the user to
   * confirm the account.
   */
  | { readonly type: 'held'; readonly at: number; readonly state: string; readonly answer: string }
  /** A decision on an answer is being carried out by `attempt`. */
  | {
      readonly type: 'decided';
      readonly at: number;
      readonly answer: string;
      readonly attempt: string;
    }
  /** Carrying it out failed for a reason that passes: the question is open again. */
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
      readonly shared?: boolean;
    }
  /**
   * The answer is not stored, because another sign-in is. `attempt` has claimed it; a
   * claim of another attempt goes first.
   */
  | {
      readonly type: 'superseded';
      readonly at: number;
      readonly answer: string;
      readonly attempt?: string;
      readonly revoked: boolean;
      readonly shared?: boolean;
    };

/**
 * A login on its way. `claimedBy` is the first return's attempt; only that one may go on,
 * so that a `state` serves once.
 */
export interface Login {
  readonly state: string;
  readonly stem: string;
  readonly begunAt: number;
  readonly verifier: string;
  readonly nonce?: string;
  readonly claimedBy?: string;
}

/**
 * An issuer's answer that waits for the user's decision. The first attempt to carry one
 * out claims it, so that it serves once.
 */
export interface PendingAnswer {
  /** Its id in the store of answers. */
  readonly answer: string;
  readonly state: string;
  readonly stem: string;
  readonly heldAt: number;
  readonly claim?: { readonly attempt: string; readonly at: number };
}

/**
 * How the question about an answer ended. `revoked`: the issuer was asked to end the
 * declined tokens, and did. `shared`: it was not asked, because another sign-in has the
 * same grant.
 */
export interface SettledAnswer {
  readonly answer: string;
  readonly stem: string;
  readonly outcome: 'stored' | 'failed' | 'declined' | 'superseded';
  readonly revoked: boolean;
  readonly shared?: boolean;
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
  readonly pending: readonly PendingAnswer[];
  readonly settled: readonly SettledAnswer[];
  /** `state` values of logins that are over, to tell a replay from a stranger. */
  readonly over: readonly string[];
}
