// What the parts of standing tokens share: the ports, the names in snapshots, events and
// status, and the error of a failed renewal.
import { CodedError } from '@credmon/core/base';
import type { TokenSnapshot } from '@credmon/core/credential';
import type { FileReading } from '@credmon/core/store';

/** A user and his group. */
export interface StandingOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A file with its permission bits and owner. */
export type StandingReading =
  | Exclude<FileReading, { kind: 'text' }>
  | (Extract<FileReading, { kind: 'text' }> & { readonly mode: number; readonly uid: number });

/** Files outside the credential directory. */
export interface StandingFiles {
  readonly read: (path: string) => StandingReading;
  /**
   * Replaces a file in one step, with its final mode and owner.
   * @throws the system's error
   */
  readonly write: (
    path: string,
    text: string,
    mode: number,
    owner: StandingOwner | undefined,
  ) => void;
  /** Returns a user by name; `undefined` when not found. */
  readonly owner: (name: string) => StandingOwner | undefined;
  /** Looks up unknown users; resolves when done, after two seconds at most. */
  readonly lookUpOwners?: (names: readonly string[]) => Promise<void>;
  /** Returns the text last given to {@link StandingFiles.keep}, if it can be read. */
  readonly recall: () => string | undefined;
  /**
   * Stores a text, which contains no token, for the next start.
   * @throws the system's error
   */
  readonly keep: (text: string) => void;
}

/** The user in a standing token's snapshot; not a valid user name. */
export const STANDING = '(standing)';

/** The kind of provider of standing tokens that are renewed from a login. */
export const STANDING_LOGIN = 'standing-login';

/** True for the kinds of provider of standing tokens. */
export function isStanding(provider: string): boolean {
  return provider === 'standing' || provider === STANDING_LOGIN;
}

/**
 * Returns the error with the remaining lifetime of the old token at `now` (epoch seconds)
 * in its message.
 */
export function withRemaining(
  { code, message, fields }: CodedError,
  { use, stem }: TokenSnapshot,
  now: number,
): CodedError {
  const left = use.kind === 'valid' ? Math.floor(use.value.expiresAt - now) : 0;
  const life = Number.isFinite(left) ? `is valid for ${left} s more` : 'does not expire';
  const state = left > 0 ? `the old token ${life}` : 'there is no valid token';
  return new CodedError(code, `${message}; ${state}`, {
    ...fields,
    // Each token is reported on its own, even if several fail for the same reason.
    about: undefined,
    token: stem,
  });
}
