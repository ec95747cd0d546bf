// What the portal needs from the world: each port has one to four methods, and main.ts
// passes the real ones.
import type { SessionStore } from '@fastify/session';
import type { StoredTexts } from '@credmon/core/credential';
import type { Clock, Random, Send } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import type { Counters } from '../metrics/counters.ts';
import type { FlowEvent } from './flow.ts';

/**
 * The three files of a token, as text. Without `top`, the stored `.top` is right as it is
 * and is not touched.
 */
export interface TokenTexts {
  readonly meta: string;
  readonly use: string;
  readonly top?: string;
}

/**
 * What is stored of a token. `version` changes with every change of `.top`; compare it,
 * and nothing else.
 */
export interface StoredToken extends StoredTexts {
  readonly version: string;
}

/** The credential directory's key files. */
export interface KeyFiles {
  /**
   * A key file's bytes and modification time in epoch seconds. `key` is 64 hex digits.
   * @throws CodedError `KEY_FILE_MISSING`, `KEY_FILE_INVALID` (a link, a directory, too
   * large), `CRED_FILE_IO`
   */
  readKey(key: string): { readonly bytes: Uint8Array; readonly modifiedAt: number };
  /** Removes a key file; one that is gone is fine. @throws CodedError `CRED_FILE_IO` */
  removeKey(key: string): void;
}

/** The credential directory's tokens. */
export interface TokenStore {
  /** True when CredD would find a credential of this user and stem. */
  hasToken(user: string, stem: string): boolean;
  /**
   * What is stored of a token.
   * @throws CodedError `CRED_DIR_INVALID` when the user's directory is not one
   */
  readToken(user: string, stem: string): StoredToken;
  /**
   * Writes `.meta`, `.use` and `.top`, durably and in this order; with `expected`, only
   * while `.top` has that version.
   * @throws CodedError `CRED_DIR_INVALID`, `CRED_FILE_IO`, `CRED_SUPERSEDED` (nothing is
   * written then)
   */
  writeToken(user: string, stem: string, texts: TokenTexts, expected?: string): void;
  /**
   * True when `test` accepts a token of any user. Gives way to the event loop meanwhile.
   * @throws CodedError `CRED_FILE_IO`
   */
  someToken(test: (token: TokenInStore) => boolean): Promise<boolean>;
}

/**
 * A stored token that is looked at: its files are read when asked for; the text of one
 * that cannot be read is `undefined`.
 */
export interface TokenInStore {
  readonly stem: string;
  read(kind: 'top' | 'use'): string | undefined;
}

/** The credential directory as the portal uses it. */
export interface CredentialFiles extends KeyFiles, TokenStore {}

/**
 * Logs of events, one for each opened key; appends of several processes come in one order
 * for all of them.
 */
export interface FlowLog {
  /**
   * Appends and answers with the whole log, in order. Only an `opened` event begins a
   * log, for which the oldest of the same owner may have to go: appending to none answers
   * with an empty list.
   * @throws CodedError `SESSION_STORE_FULL`; nothing is left of the event then
   */
  append(id: string, event: FlowEvent): Promise<readonly FlowEvent[]>;
  /** The log; empty when there is none or it is too old. */
  read(id: string): Promise<readonly FlowEvent[]>;
  /** Forgets a log; one that is gone is fine. */
  remove(id: string): Promise<void>;
}

/** Sealed texts that wait for a user's decision, each for the time of one login. */
export interface AnswerStore {
  /**
   * Keeps a text under an id, or replaces it.
   * @throws CodedError `SESSION_STORE_FULL`, `SESSION_STORE_DOWN`
   */
  put(id: string, text: string): Promise<void>;
  /** The text; `undefined` when there is none or its time is over. */
  read(id: string): Promise<string | undefined>;
  /** Forgets a text; one that is gone is fine. */
  remove(id: string): Promise<void>;
}

/** Page templates, style sheet and icon, read once. */
export interface Views {
  /** Renders the page named by its template; texts are escaped. */
  render(page: string, data: Readonly<Record<string, unknown>>): string;
  readonly styleSheet: string;
  /** An SVG image. */
  readonly icon: string;
}

/** Everything that {@link createApp} needs beside its settings. */
export interface Ports {
  readonly clock: Clock;
  readonly random: Random;
  readonly send: Send;
  readonly files: CredentialFiles;
  readonly flows: FlowLog;
  readonly sessions: SessionStore;
  readonly answers: AnswerStore;
  /** Signs session cookies; 32 bytes or more, the same in every replica. */
  readonly cookieSecret: string;
  readonly log: Log;
  readonly counters: Counters;
  readonly views: Views;
  /**
   * The PEM text of the local issuer's public key; `undefined` where key directories have
   * taken its place.
   * @throws CodedError `CRED_FILE_IO`
   */
  readonly readPublicKey: () => string | undefined;
  /**
   * The texts of the key sets in the local issuer's key directories.
   * @throws CodedError `CRED_FILE_IO`
   */
  readonly readKeySets: () => readonly string[];
  /**
   * True for the address of a proxy whose X-Forwarded-* headers are believed; the address
   * is missing on a unix socket.
   */
  readonly isTrustedProxy: (address: string | undefined) => boolean;
  /**
   * What keeps the portal from working at the moment, for anybody's eyes; nothing when it
   * is ready.
   */
  readonly whyNotReady: () => Promise<readonly string[]>;
}
