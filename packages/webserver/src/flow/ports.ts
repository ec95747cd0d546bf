// The ports: everything that the portal needs from the outside, such as its counters.
// main.ts passes the real implementations.
import type { FlowEvent } from './flow-value.ts';
import type { Issuers } from './resolve-provider.ts';
import type { Clock, CodedError, Random, Send } from '@credmon/core/base';
import type { StoredTexts } from '@credmon/core/credential';
import type { Log } from '@credmon/core/log';
import type { SessionStore } from '@fastify/session';

/**
 * Counts events. Labels have few values: route patterns, status classes, providers,
 * outcomes; never a user.
 */
export interface Counters {
  /** Counts an answered request; `route` is the pattern, `seconds` the duration. */
  request(route: string, status: number, seconds: number): void;
  /** Counts a login: `begun`, `done`, or the code of its error. */
  login(provider: string, outcome: string): void;
  /** Counts a SIGHUP: whether the new configuration was accepted. */
  reload(taken: boolean): void;
}

/** For a server without CREDMON_WEB_METRICS_LISTEN. */
export const NO_COUNTERS: Counters = {
  request: () => undefined,
  login: () => undefined,
  reload: () => undefined,
};

/**
 * The files of a token, as text. Without `top`, the stored `.top` is kept; `issued` is our
 * own state of a token that is stored bare.
 */
export interface TokenTexts {
  readonly meta: string;
  readonly issued?: string | undefined;
  readonly use: string;
  readonly top?: string;
}

/**
 * The stored files of a token. `version` changes with each change of `.top`; use it only
 * to compare.
 */
export interface StoredToken extends StoredTexts {
  readonly version: string;
}

/** A key file; the same object again as long as the file is known to be the same. */
export interface KeyReading {
  readonly bytes: Uint8Array;
  /** Epoch seconds. */
  readonly modifiedAt: number;
}

/** The key files in the credential directory. */
export interface KeyFiles {
  /**
   * Reads a key file: its bytes, and its modification time in epoch seconds. `key` is 64
   * hex digits.
   * @throws CodedError `KEY_FILE_MISSING`, `KEY_FILE_INVALID` (a link, a directory, too
   * large), `CRED_FILE_IO`
   */
  readKey(key: string): KeyReading;
  /**
   * Returns the error of {@link readKey} for a key without a file; `undefined` if there is
   * something of this name.
   * @throws CodedError `CRED_FILE_IO`
   */
  whyMissing(key: string): CodedError | undefined;
  /**
   * Removes a key file, if it exists.
   * @throws CodedError `CRED_FILE_IO`
   */
  removeKey(key: string): void;
}

/** The tokens in the credential directory. */
export interface TokenStore {
  /**
   * Returns a test of stems: true if CredD finds a credential of this user and stem now.
   * @throws CodedError `CRED_DIR_INVALID` if the directory of the user is not a directory,
   * `CRED_FILE_IO`
   */
  tokensOf(user: string): (stem: string) => boolean;
  /**
   * Reads the stored files of a token.
   * @throws CodedError `CRED_DIR_INVALID` if the directory of the user is not a directory
   */
  readToken(user: string, stem: string): StoredToken;
  /**
   * Writes `.meta`, `.S.issued`, `.use` and `.top`, durably and in this order; with
   * `expected`, only if `.top` still has this version.
   * @throws CodedError `CRED_DIR_INVALID`, `CRED_FILE_IO`, `CRED_SUPERSEDED` (nothing is
   * written then)
   */
  writeToken(user: string, stem: string, texts: TokenTexts, expected?: string): void;
  /**
   * True if `test` accepts a token of any user. Yields to the event loop.
   * @throws CodedError `CRED_FILE_IO`
   */
  someToken(test: (token: TokenInStore) => boolean): Promise<boolean>;
}

/**
 * A stored token; its files are read on demand, and the text of an unreadable file is
 * `undefined`.
 */
export interface TokenInStore {
  readonly stem: string;
  read(kind: 'top' | 'use'): string | undefined;
}

/** The credential directory as the portal uses it. */
export interface CredentialFiles extends KeyFiles, TokenStore {}

/**
 * Event logs, one for each opened key. Appends of several processes are in the same order
 * for all of them.
 */
export interface FlowLog {
  /**
   * Appends an event and returns the whole log in order. Only `opened` creates a log, and
   * may remove the oldest log of the same owner; without a log, the result is empty.
   * @throws CodedError `SESSION_STORE_FULL`; the event is not stored then
   */
  append(id: string, event: FlowEvent): Promise<readonly FlowEvent[]>;
  /** Reads a log; empty if there is none or it is too old. */
  read(id: string): Promise<readonly FlowEvent[]>;
  /** Removes a log, if it exists. */
  remove(id: string): Promise<void>;
}

/**
 * Encrypted answers that wait for the decision of a user, each for the lifetime of a
 * login.
 */
export interface AnswerStore {
  /**
   * Stores or replaces a text under an id.
   * @throws CodedError `SESSION_STORE_FULL`, `SESSION_STORE_DOWN`
   */
  put(id: string, text: string): Promise<void>;
  /** Reads a text; `undefined` if there is none or it has expired. */
  read(id: string): Promise<string | undefined>;
  /** Removes a text, if it exists. */
  remove(id: string): Promise<void>;
}

/** Page templates, style sheet and icon, read once. */
export interface Views {
  /** Renders a template; texts are escaped. */
  render(page: string, data: Readonly<Record<string, unknown>>): string;
  readonly styleSheet: string;
  /** An SVG image. */
  readonly icon: string;
}

/** Everything that {@link createApp} needs besides settings. */
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
   * Returns the PEM text of the public key of the local issuer; `undefined` if only key
   * directories are used.
   * @throws CodedError `CRED_FILE_IO`
   */
  readonly readPublicKey: () => string | undefined;
  /**
   * Returns the PEM text of a client's private key (CREDMON_<PROVIDER>_CLIENT_KEY_FILE).
   * @throws CodedError `SECRET_UNREADABLE`
   */
  readonly readClientKey: (path: string) => string;
  /** The metadata and key sets of issuers. */
  readonly issuers: Issuers;
  /**
   * Returns the texts of the key sets in the local issuer's key directories.
   * @throws CodedError `CRED_FILE_IO`
   */
  readonly readKeySets: () => readonly string[];
  /**
   * True if the X-Forwarded-* headers of this peer are trusted. A peer on a unix socket
   * has no address.
   */
  readonly isTrustedProxy: (address: string | undefined) => boolean;
  /**
   * Returns the reasons why the portal cannot work now, without private data; empty if it
   * is ready.
   */
  readonly whyNotReady: () => Promise<readonly string[]>;
}
