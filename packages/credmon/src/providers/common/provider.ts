// The interface of token providers: functions, and outcomes as data.
import { CodedError, type Send } from '@credmon/core/base';
import type { Parsed, TokenSnapshot, TokenTimes } from '@credmon/core/credential';
import type { RenewalPolicy } from '@credmon/core/renewal';
import type { TokenFiles, TokenWrite } from '@credmon/core/store';

/**
 * The result of an attempt. `revoked`: the user must log in again; `denied`: the
 * administrator must act; `failed`: time may fix it.
 */
export type Outcome =
  | {
      readonly kind: 'issued';
      readonly writes: readonly TokenWrite[];
      readonly times: TokenTimes;
      readonly rotated: boolean;
      /** A note for the administrator although the renewal succeeded; a clause. */
      readonly note?: string;
    }
  | {
      readonly kind: 'revoked' | 'denied' | 'failed';
      readonly error: CodedError;
      /** Files to write although there is no new token. */
      readonly writes?: readonly TokenWrite[];
    }
  /**
   * Revoked: the files are removed so that the next submit asks the user for a new login.
   */
  | { readonly kind: 'gone'; readonly error: CodedError };

/**
 * The ports of an attempt. `now` in epoch seconds; `readSecret` returns the first line of
 * a secret file, or all of it, or the reason of a failure; `readToken` returns the files
 * of another token.
 */
export interface ProviderContext {
  readonly send: Send;
  /**
   * When the attempt began, in epoch seconds of the current wall clock. Read it after the
   * answer to date a token: a clock step during a request must not date its answer.
   */
  readonly now: number;
  readonly readSecret: (path: string, form?: 'line' | 'whole') => Parsed<string>;
  readonly readToken: (user: string, stem: string) => TokenFiles;
}

/** A kind of token source. Everything but `obtain` is pure. */
export interface Provider {
  readonly name: string;
  /** True when `obtain` needs no other server, so that it may run during the scan. */
  readonly isLocal?: boolean;
  /** The renewal policy of its tokens, if it differs from the others'. */
  readonly policy?: RenewalPolicy;
  /** Returns the token with the times that this provider knows better than its files. */
  readonly view?: (token: TokenSnapshot) => TokenSnapshot;
  /**
   * Whether this token can be renewed; otherwise why not (the end of a sentence: "has no
   * refresh token").
   */
  readonly renewable: (token: TokenSnapshot) => Parsed<true>;
  /** The fingerprint of a renewal: changes with `.top`, the client or its secret. */
  readonly basis: (token: TokenSnapshot) => string;
  /**
   * The issuer that a renewal asks: its renewals share its request limit and its circuit
   * breaker.
   */
  readonly issuerOf: (token: TokenSnapshot) => string;
  /** Requests a new token. Never throws because of an issuer's answer or a file. */
  readonly obtain: (
    token: TokenSnapshot,
    files: TokenFiles,
    context: ProviderContext,
  ) => Promise<Outcome>;
}

/**
 * Returns a client secret or key from its file: the first line, or all of it.
 * @throws CodedError `SECRET_UNREADABLE`
 */
export function secretOf(
  path: string,
  form: 'line' | 'whole',
  context: Pick<ProviderContext, 'readSecret'>,
): string {
  const secret = context.readSecret(path, form);
  if (secret.ok) return secret.value;
  throw new CodedError('SECRET_UNREADABLE', `the client secret file ${path} ${secret.reason}`, {
    path,
  });
}
