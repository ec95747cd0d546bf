// The ports of standing tokens.
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
