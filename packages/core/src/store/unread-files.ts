// Reads what a lazy scan has left unread of single tokens, and remembers it for the next
// scans.
import { isCoded, systemCode } from '../base/errors/errors.ts';
import { inSubdirectory, openDirectory, type OpenDirectory } from '../base/files/safe-directory.ts';
import type { Instant } from '../credential/snapshot.ts';
import type { ScanMemory } from './directory-scan.ts';
import type { ScannedToken } from './scanned-token.ts';
import type { UnreadFiles } from './store.ts';
import { lookAtToken, withoutMeta } from './token-scan.ts';
import type { ScanOptions } from './user-scan.ts';

/** The directory, what its last scan knows, and the options of scans. */
interface UnreadOptions {
  readonly root: string;
  readonly memory: ScanMemory;
  readonly options: ScanOptions;
  readonly now: Instant;
}

/** Returns the reader. The directory is opened when it is needed. */
export function unreadFiles({ root, memory, options, now }: UnreadOptions): UnreadFiles {
  let opened: OpenDirectory | undefined;
  const look = (user: string, before: ScannedToken): ScannedToken | undefined => {
    const { defaultLifetime, isOvertaken } = options;
    const scan = { user, now, lazy: false, defaultLifetime };
    const asked = isOvertaken ? { ...scan, isOvertaken } : scan;
    try {
      opened ??= openDirectory(root);
      return inSubdirectory(opened.path, user, (path) =>
        lookAtToken({ ...asked, prefix: `${path}/` }, before.stem, before.kinds, before),
      );
    } catch (error) {
      if (systemCode(error) === undefined && !isCoded(error)) throw error;
      return undefined;
    }
  };
  return {
    complete: ({ user, stem }, renewal) => {
      const known = memory.users.get(user);
      const index = known?.tokens.findIndex((one) => one.stem === stem) ?? -1;
      const before = known?.tokens[index];
      if (!known || !before) return undefined;
      const token = look(user, before);
      if (token) known.tokens[index] = renewal ? token : plain(token);
      return token;
    },
    close: () => opened?.close(),
  };
}

/** A token that can be renewed as far as its files say needs no memory for its `.meta`. */
function plain(token: ScannedToken): ScannedToken {
  const { top, meta, renewal } = token;
  const isGood =
    top.kind === 'valid' &&
    top.value.refreshToken === 'present' &&
    meta.kind === 'valid' &&
    meta.value.useRefreshToken &&
    renewal === undefined;
  return isGood ? withoutMeta(token) : token;
}
