// The layout of the credential directory: the names of its files and what they mean.
import { temporaryOwner } from '../base/files/atomic-write.ts';
import { isCredName } from './name.ts';

/** The daemon's process id, decimal. */
export const PID_FILE = 'pid';
/** Touched after each pass. */
export const COMPLETE_FILE = 'CREDMON_COMPLETE';
/** Locked by the only daemon of the directory; contains its process id. */
export const LOCK_FILE = '.condor_credmon.lock';
/** Disk space reserved for rotated refresh tokens; see `openReserve`. */
export const RESERVE_FILE = '.credmon-reserve';
/** A request by CredD: 64 lower-case hex digits. */
export const KEY_FILE_NAME: RegExp = /^[0-9a-f]{64}$/;

/** The kinds of file of one token. */
export type TokenFileKind = 'top' | 'use' | 'meta' | 'renewal' | 'issued';

/** The kinds of our own state files, whose names begin with a dot. */
export const STATE_KINDS: ReadonlySet<TokenFileKind> = new Set(['renewal', 'issued']);

/**
 * Returns the name of a token's file: `S.top`, `S.use`, `S.meta`, or `.S.renewal` and
 * `.S.issued`, which only condor_credmon and the portal use.
 */
export function tokenFileName(stem: string, kind: TokenFileKind): string {
  return STATE_KINDS.has(kind) ? `.${stem}.${kind}` : `${stem}.${kind}`;
}

/** The meaning of a name in a user's directory. */
export type UserEntry =
  | { readonly kind: TokenFileKind; readonly stem: string }
  | {
      readonly kind: 'temporary';
      readonly pid: number;
      readonly locked: boolean;
      readonly target: string;
    }
  | { readonly kind: 'other' };

/** Classifies a name in a user's directory. */
export function classifyUserEntry(name: string): UserEntry {
  const owner = temporaryOwner(name);
  if (owner)
    return {
      kind: 'temporary',
      ...owner,
      target: name.slice(1).replace(/\.d?\d+\.\d+\.credmon-tmp$/, ''),
    };
  const state = /^\.(.+)\.(renewal|issued)$/s.exec(name);
  if (state?.[1] !== undefined) return { kind: state[2] as TokenFileKind, stem: state[1] };
  const file = /^(.+)\.(top|use|meta)$/s.exec(name);
  if (file?.[1] !== undefined && !name.startsWith('.'))
    return { kind: file[2] as TokenFileKind, stem: file[1] };
  return { kind: 'other' };
}

/**
 * True when a change of this name in the top directory may concern a token: a key file
 * that was created or removed (the web portal removes it after the last login), or a
 * user's directory. False for the daemon's own files, except the lock file: its removal
 * or replacement must be noticed.
 */
export function hintsAtTokens(name: string): boolean {
  if (KEY_FILE_NAME.test(name) || name === LOCK_FILE) return true;
  return isCredName(name) && name !== PID_FILE && name !== COMPLETE_FILE && !name.endsWith('.mark');
}
