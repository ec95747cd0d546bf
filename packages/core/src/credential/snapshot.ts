// One token as a scan found it: which of its files are there, and what of them the
// decisions need; no secret is in it.
import type { ErrorCode } from '../base/errors/error-codes.ts';
import type { TokenTimes } from './times.ts';

/**
 * Tells one version of a file from the next: inode, modification time (epoch seconds) and
 * size (bytes).
 */
export interface FileIdentity {
  readonly ino: number;
  readonly mtime: number;
  readonly size: number;
}

/**
 * A file of a token: not there, usable, or there but broken, with the reason; `blocked`
 * when no file can take its place.
 */
export type FileState<T> =
  | { readonly kind: 'missing' }
  | { readonly kind: 'valid'; readonly value: T; readonly identity: FileIdentity }
  | {
      readonly kind: 'broken';
      readonly reason: string;
      readonly identity?: FileIdentity;
      readonly blocked?: true;
    };

/**
 * What `.top` holds: `opaque` when it is not a JSON object (legal for a local provider);
 * `vaultUrl` is any user's text, not yet judged.
 */
export interface TopDigest {
  readonly opaque: boolean;
  readonly refreshToken: 'present' | 'empty' | 'absent';
  readonly vaultUrl?: string;
}

/** What `.meta` holds, without its secret. */
export interface MetaDigest {
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly useRefreshToken: boolean;
}

/**
 * How the last renewal of a token failed; kept in `.S.renewal` so that a restart does not
 * forget. Times in epoch seconds.
 */
export interface RenewalState {
  readonly attempts: number;
  readonly last_attempt: number;
  readonly not_before: number;
  readonly stopped: boolean;
  readonly code: ErrorCode;
  readonly message: string;
  /**
   * What the attempt stood on: the identity of `.top` and of the client; when either
   * changes, the state no longer counts.
   */
  readonly basis: string;
}

/**
 * One moment on both time lines: `wall` in epoch seconds, `steady` in seconds on the line
 * that no clock step moves.
 */
export interface Instant {
  readonly wall: number;
  readonly steady: number;
}

/**
 * A token as one scan found it. `seen` is when this version of `.use` was first seen;
 * `overtaken` says that this `.use` is known to come from another `.top` than the one in
 * place, whatever their modification times say.
 */
export interface TokenSnapshot {
  readonly user: string;
  readonly stem: string;
  readonly top: FileState<TopDigest>;
  readonly use: FileState<TokenTimes>;
  readonly meta: FileState<MetaDigest>;
  readonly renewal: RenewalState | undefined;
  readonly seen: Instant;
  readonly overtaken?: boolean;
}

/** The one text that names a token: `alice/mytok_h1`. */
export function tokenId(token: { readonly user: string; readonly stem: string }): string {
  return `${token.user}/${token.stem}`;
}

/** Equal identities mean the same version of a file; two missing files are equal too. */
export function sameIdentity(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.ino === b.ino && a.mtime === b.mtime && a.size === b.size;
}

/** The identity of a file, if it is there. */
export function identityOf(state: FileState<unknown>): FileIdentity | undefined {
  return state.kind === 'missing' ? undefined : state.identity;
}
