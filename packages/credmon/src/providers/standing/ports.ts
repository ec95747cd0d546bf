// What standing tokens use of the world.
import type { FileReading } from '@credmon/core/store';

/** A user and his group. */
export interface StandingOwner {
  readonly uid: number;
  readonly gid: number;
}

/** A file as it lies there, with its permission bits and owner. */
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
  /** A user by name; `undefined` when there is none. */
  readonly owner: (name: string) => StandingOwner | undefined;
  /**
   * Asks for users that are not known yet; resolves when that is done, at the latest
   * after two seconds.
   */
  readonly lookUpOwners?: (names: readonly string[]) => Promise<void>;
  /** What {@link StandingFiles.keep} was last given, if it can be read. */
  readonly recall: () => string | undefined;
  /**
   * Keeps a text, without a token in it, for the next start.
   * @throws the system's error
   */
  readonly keep: (text: string) => void;
}
