// What every provider of tokens looks like to the daemon: a module with these functions,
// and outcomes that are data.
import { CodedError, type Send } from '@credmon/core/base';
import type { Parsed, TokenSnapshot, TokenTimes } from '@credmon/core/credential';
import type { RenewalPolicy } from '@credmon/core/renewal';
import type { TokenFiles, TokenWrite } from '@credmon/core/store';

/**
 * How one attempt ended. `revoked`: the user must log in again; `denied`: the
 * administrator must act; `failed`: time may fix it.
 */
export type Outcome =
  | {
      readonly kind: 'issued';
      readonly writes: readonly TokenWrite[];
      readonly times: TokenTimes;
      readonly rotated: boolean;
      /** What the administrator should know although it went well; a clause. */
      readonly note?: string;
    }
  | {
      readonly kind: 'revoked' | 'denied' | 'failed';
      readonly error: CodedError;
      /** What is to be written although there is no new token. */
      readonly writes?: readonly TokenWrite[];
    }
  /**
   * Revoked, and the files must go, so that the next submit asks the user for a new
   * login.
   */
  | { readonly kind: 'gone'; readonly error: CodedError };

/**
 * What an attempt may use of the world. `now` in epoch seconds; `readSecret` gives a
 * secret file's first line, or all of it, or says why it cannot; `readToken` gives
 * another token's files.
 */
export interface ProviderContext {
  readonly send: Send;
  /**
   * When the attempt began, in epoch seconds of the wall clock as it is at the moment of
   * reading. Read it after the answer to date a token: a step of the clock while a
   * request was under way must not date its answer.
   */
  readonly now: number;
  readonly readSecret: (path: string, form?: 'line' | 'whole') => Parsed<string>;
  readonly readToken: (user: string, stem: string) => TokenFiles;
}

/** A kind of token source. Everything but `obtain` is pure. */
export interface Provider {
  readonly name: string;
  /**
   * True when `obtain` waits for nobody, so that it may run while the directory is still
   * being looked at.
   */
  readonly isLocal?: boolean;
  /** When its tokens are due, where that is not as for all others. */
  readonly policy?: RenewalPolicy;
  /** The token with the times that this provider knows better than its files tell. */
  readonly view?: (token: TokenSnapshot) => TokenSnapshot;
  /**
   * Can this token be renewed at all, and if not, why (a sentence's end: "has no refresh
   * token").
   */
  readonly renewable: (token: TokenSnapshot) => Parsed<true>;
  /**
   * What a renewal stands on besides `.top`: changes when the client or its secret
   * changes.
   */
  readonly basis: (token: TokenSnapshot) => string;
  /** Whom a renewal asks: renewals of one issuer share its caps and its bad days. */
  readonly issuerOf: (token: TokenSnapshot) => string;
  /** Asks for a fresh token. Never throws for what an issuer or a file may do. */
  readonly obtain: (
    token: TokenSnapshot,
    files: TokenFiles,
    context: ProviderContext,
  ) => Promise<Outcome>;
}

/**
 * A client secret or key from its file: the first line, or all of it.
 * @throws CodedError `SECRET_UNREADABLE`
 */
export function secretOf(path: string, form: 'line' | 'whole', context: ProviderContext): string {
  const secret = context.readSecret(path, form);
  if (secret.ok) return secret.value;
  throw new CodedError('SECRET_UNREADABLE', `the client secret file ${path} ${secret.reason}`, {
    path,
  });
}
