// The port between decisions and the credential directory: four methods, the same for the
// real directory and for tests.
import type { MetaContents, Parsed } from '../credential/contents.ts';
import type { TokenFileKind } from '../credential/layout.ts';
import type { FileIdentity, Instant, TokenSnapshot } from '../credential/snapshot.ts';

/**
 * A file in the directory that is not a token: a temporary one, or a key file of CredD.
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
 * A temporary file: the name it was to get, whether the process that wrote it is gone,
 * and whether it holds a whole `.top` with a refresh token.
 */
export interface TemporaryFile extends LooseFile {
  readonly target: string;
  readonly orphaned: boolean;
  readonly refreshToken: boolean;
}

/**
 * Everything that one look at the directory found. `problems` are sentences about
 * directories that could not be read; `partial` says that an interruption left known
 * directories out.
 */
export interface Scan {
  readonly tokens: readonly TokenSnapshot[];
  readonly keyFiles: readonly LooseFile[];
  readonly temporaries: readonly TemporaryFile[];
  readonly problems: readonly string[];
  readonly partial?: true;
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
 * One file to write (`text`) or to remove (`undefined`). `durable` asks for fsync before
 * anything that follows becomes visible.
 */
export interface TokenWrite {
  readonly kind: TokenFileKind;
  readonly text: string | undefined;
  readonly durable: boolean;
}

/**
 * Writes that belong together, in order. Nothing is written unless `.top` still is the
 * version that the change was made from (`undefined`: there was none).
 */
export interface TokenChange {
  readonly user: string;
  readonly stem: string;
  readonly from: FileIdentity | undefined;
  readonly writes: readonly TokenWrite[];
}

/**
 * For somebody who waits: `found` learns of the tokens of each directory that has changed
 * as soon as they are read; while `hurry` says so, files in unchanged directories are not
 * looked at; once `interrupted` says so, known directories are left for the next scan;
 * once `stopped` says so, everything else is.
 */
export interface ScanHabits {
  readonly found?: (tokens: readonly TokenSnapshot[]) => void;
  readonly hurry?: () => boolean;
  readonly interrupted?: () => boolean;
  readonly stopped?: () => boolean;
}

/** The credential directory as the daemon sees it. */
export interface CredentialStore {
  /** Looks at every token. Broken files are part of the answer, never an exception. */
  scan(now: Instant, habits?: ScanHabits): Promise<Scan>;
  /** Reads a token's `.top` and `.meta` for a renewal. */
  read(user: string, stem: string): TokenFiles;
  /**
   * Applies a change: stages all files, then makes them visible in order, and checks
   * before each of them that `.top` still is `from` or the one that this change has
   * written. Where the disk has no room for all of them, those up to `.top` are written.
   * A `.use` that replaced the one of another login just before its `.top` came is due at
   * the next scan.
   * @throws CodedError `CRED_SUPERSEDED` when another `.top` or none is there, or another
   * `.use` came meanwhile: nothing more is written; `CRED_FILE_IO` when the system
   * refuses: its text says which files were written before, and `restOf` what is left to
   * write. No temporary file is left behind.
   */
  apply(change: TokenChange): void;
  /**
   * Removes a file, or finishes an interrupted rename by giving it the name `target`.
   * Missing files are no error.
   * @throws CodedError `CRED_FILE_IO`
   */
  settle(path: string, target?: string): void;
}
