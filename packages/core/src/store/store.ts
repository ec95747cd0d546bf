// The interface between decisions and the credential directory, for the real directory
// and for tests.
import type { MetaContents, Parsed } from '../credential/file-contents.ts';
import type { TokenFileKind } from '../credential/file-names.ts';
import type { FileIdentity, Instant, TokenSnapshot } from '../credential/snapshot.ts';

/**
 * A file in the directory that is not a token: a temporary file or a key file of CredD.
 * `mtime` in epoch seconds.
 */
export interface LooseFile {
  /**
   * The path below the credential directory: `alice/.x.use.12.1.credmon-tmp`, or 64 hex
   * digits.
   */
  readonly path: string;
  readonly mtime: number;
}

/**
 * A temporary file: its final name, whether its writer is dead, and whether it contains a
 * complete `.top` with a refresh token.
 */
export interface TemporaryFile extends LooseFile {
  readonly target: string;
  readonly orphaned: boolean;
  readonly refreshToken: boolean;
}

/**
 * The result of one scan. The tokens of a user follow each other. `problems` are sentences
 * about directories that could not be read; `partial` is set if an interruption skipped
 * known directories.
 */
export interface Scan {
  readonly tokens: readonly TokenSnapshot[];
  readonly keyFiles: readonly LooseFile[];
  readonly temporaries: readonly TemporaryFile[];
  readonly problems: readonly string[];
  readonly partial?: true | undefined;
}

/**
 * The contents of a token's files at one moment, read for a renewal. These are secrets.
 */
export interface TokenFiles {
  readonly top: Parsed<string>;
  readonly topIdentity: FileIdentity | undefined;
  readonly meta: Parsed<MetaContents>;
}

/**
 * One file to write (`text`) or to remove (`undefined`). `durable` requests an fsync
 * of the file, and one of the directory before the following files become visible; a
 * `.use` is the last file and needs no fsync of the directory.
 */
export interface TokenWrite {
  readonly kind: TokenFileKind;
  readonly text: string | undefined;
  readonly durable: boolean;
}

/**
 * Writes that belong together, in order. Nothing is written unless `.top` is still the
 * version from which the change was made (`undefined`: none).
 */
export interface TokenChange {
  readonly user: string;
  readonly stem: string;
  readonly from: FileIdentity | undefined;
  readonly writes: readonly TokenWrite[];
  /** Files that an earlier attempt made visible must be durable before anything follows. */
  readonly unsynced?: true;
}

/**
 * Callbacks of a scan, for users who wait. `found` is called with the tokens of each
 * changed directory as soon as they are read. While `hurry` is true, files in unchanged
 * directories are not checked. Once `interrupted` is true, known directories are
 * postponed to the next scan; once `stopped` is true, all remaining ones are.
 */
export interface ScanHabits {
  readonly found?: (tokens: readonly TokenSnapshot[]) => void;
  readonly hurry?: (() => boolean) | undefined;
  readonly interrupted?: () => boolean;
  readonly stopped?: () => boolean;
  /**
   * True: `.top` and `.meta` of a token with a valid `.use` may stay unread, until
   * {@link UnreadFiles} reads them.
   */
  readonly lazy?: boolean;
  /**
   * Only this user's directory is scanned, and nothing else of the credential directory is
   * listed. For a store that is used for this user only.
   */
  readonly only?: string;
  /** Users whose directories are scanned before the others, because they have just changed. */
  readonly first?: readonly string[] | undefined;
}

/** Reads what a lazy scan has left unread. */
export interface UnreadFiles {
  /**
   * Returns a token of the last scan with `.top` and `.meta` read; `undefined` if it is gone.
   * The next scans return it like that: for a `renewal` until `.use` changes, otherwise
   * without a valid `.meta`.
   */
  complete(token: TokenSnapshot, renewal: boolean): TokenSnapshot | undefined;
  close(): void;
}

/** The credential directory as used by the daemon. */
export interface CredentialStore {
  /** Scans all tokens. Broken files are part of the result, never an exception. */
  scan(now: Instant, habits?: ScanHabits): Promise<Scan>;
  /** Opens the reader of what a lazy scan has left unread. Close it soon. */
  readonly unread?: (this: void, now: Instant) => UnreadFiles;
  /** Reads a token's `.top` and `.meta` for a renewal. */
  read(user: string, stem: string): TokenFiles;
  /**
   * Applies a change: stages all files, then makes them visible in order. Before each one
   * it checks that `.top` is still `from` or the one written by this change. If the disk
   * has no space for all of them, those up to `.top` are written. If a `.use` replaced
   * that of another login just before its `.top` was stored, the token is due at the next
   * scan.
   * @throws CodedError `CRED_SUPERSEDED` if `.top` was replaced or removed, another `.use`
   * was stored, or the directory was moved meanwhile: nothing more is written; `CRED_FILE_IO` on a system
   * error: its text names the files that were written, and `restOf` returns the remaining
   * writes. Leaves no temporary file.
   */
  apply(change: TokenChange): void;
  /**
   * Applies a change like {@link CredentialStore.apply}, with the same steps in the same
   * order, but does not block the event loop while the disk writes. Changes of several
   * tokens share the waiting, and one fsync of a directory serves all of them. Returns
   * the version of `.top` that the change has left.
   * @throws CodedError as `apply`
   */
  write(change: TokenChange): Promise<FileIdentity | undefined>;
  /**
   * Removes a file, or completes an interrupted rename by renaming it to `target`. A
   * missing file is not an error.
   * @throws CodedError `CRED_FILE_IO`
   */
  settle(path: string, target?: string): void;
}
