// One token as found by a scan: its files, and the facts that decisions need. Contains no
// secret.
import type { ErrorCode } from '../base/errors/errors.ts';
import type { Clock } from '../base/time/clock.ts';
import type { TokenTimes } from './times.ts';

/**
 * Identifies a version of a file: inode, modification time (epoch seconds) and size
 * (bytes).
 */
export interface FileIdentity {
  readonly ino: number;
  readonly mtime: number;
  readonly size: number;
}

/**
 * The state of a token's file: missing, valid, or broken with the reason; `blocked` if no
 * file can replace it.
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
 * The state of a file that may not have been read yet: `unread` is a regular file of an
 * allowed size. `identity` is missing if only its name is known.
 */
export type LazyState<T> =
  FileState<T> | { readonly kind: 'unread'; readonly identity?: FileIdentity | undefined };

/**
 * The contents of `.top`: `opaque` if it is not a JSON object (valid for a local
 * provider); `vaultUrl` is the user's text, not checked.
 */
export interface TopDigest {
  readonly opaque: boolean;
  readonly refreshToken: 'present' | 'empty' | 'absent';
  readonly vaultUrl?: string | undefined;
}

/** The contents of `.meta`, without its secret. */
export interface MetaDigest {
  readonly clientId: string;
  readonly tokenUrl: string;
  readonly useRefreshToken: boolean;
}

/**
 * The last failed renewal of a token, stored in `.S.renewal` to survive a restart. Times
 * in epoch seconds.
 */
export interface RenewalState {
  readonly attempts: number;
  readonly last_attempt: number;
  readonly not_before: number;
  readonly stopped: boolean;
  readonly code: ErrorCode;
  readonly message: string;
  /**
   * The inputs of the attempt: the identity of `.top` and of the client. If either
   * changes, the state no longer counts.
   */
  readonly basis: string;
  /**
   * True if the issuer behind the token's source was seen to be down (a Vault said so), and
   * nothing has shown since that it answers again.
   */
  readonly outage?: true;
}

/**
 * One moment on two clocks: `wall` in epoch seconds, `steady` in seconds of a clock
 * without steps.
 */
export interface Instant {
  readonly wall: number;
  readonly steady: number;
}

/** The present moment on both time lines. */
export function instantOf(clock: Pick<Clock, 'now' | 'steady'>): Instant {
  return { wall: clock.now(), steady: clock.steady() };
}

/**
 * A token as found by one scan. `seen` is when this version of `.use` was first seen.
 * `overtaken` is true if this `.use` is known to come from another `.top` than the
 * current one, regardless of their modification times, or if a writer died before it
 * replaced `.use`. `assumed` is true if the expiry of `.use` is only that of the default
 * lifetime. `issued` is the state of `.S.issued`, if there is such a file. A snapshot may
 * compute its members: change it with {@link changedToken}, not with a spread.
 */
export interface TokenSnapshot {
  readonly user: string;
  readonly stem: string;
  readonly top: LazyState<TopDigest>;
  readonly use: FileState<TokenTimes>;
  readonly meta: LazyState<MetaDigest>;
  readonly renewal: RenewalState | undefined;
  readonly seen: Instant;
  readonly overtaken?: boolean | undefined;
  readonly assumed?: boolean | undefined;
  readonly issued?: FileState<unknown> | undefined;
}

/** Returns the identifier of a token: `alice/mytok_h1`. */
export function tokenId(token: { readonly user: string; readonly stem: string }): string {
  return `${token.user}/${token.stem}`;
}

/** True for the same version of a file; also true for two missing files. */
export function sameIdentity(a: FileIdentity | undefined, b: FileIdentity | undefined): boolean {
  if (a === undefined || b === undefined) return a === b;
  return a.ino === b.ino && a.mtime === b.mtime && a.size === b.size;
}

/** True for a file that is valid as far as is known: it may not have been read yet. */
export function isPresent<T>(
  state: LazyState<T>,
): state is Extract<LazyState<T>, { readonly kind: 'valid' | 'unread' }> {
  return state.kind === 'valid' || state.kind === 'unread';
}

/** True if the decision on a renewal needs files of the token that were not read yet. */
export function isUnread({ top, meta }: Pick<TokenSnapshot, 'top' | 'meta'>): boolean {
  return top.kind === 'unread' || meta.kind === 'unread';
}

/** Returns a copy of the token with some members changed. */
export function changedToken(
  { user, stem, top, use, meta, renewal, seen, overtaken, assumed, issued }: TokenSnapshot,
  change: Partial<TokenSnapshot>,
): TokenSnapshot {
  const token = { user, stem, top, use, meta, renewal, seen, overtaken, assumed, issued };
  return { ...token, ...change };
}

/** Returns the identity of a file unless it is missing. */
export function identityOf(state: LazyState<unknown>): FileIdentity | undefined {
  return state.kind === 'missing' ? undefined : state.identity;
}
