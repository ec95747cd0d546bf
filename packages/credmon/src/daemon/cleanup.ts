// Decides which files of a scan are removed or completed: old key files, and temporary
// files of dead processes. Pure.
import { inSlices } from '@credmon/core/base';
import { identityOf, isPresent, tokenId, type TokenSnapshot } from '@credmon/core/credential';
import type { LooseFile, Scan, TemporaryFile } from '@credmon/core/store';

/** A key file is removed this many seconds after CredD wrote it. */
export const KEY_FILE_LIFETIME: number = 12 * 3600;
/**
 * The web portal's temporary file is recovered after this many seconds even if its
 * process seems alive: the process id must have been reused.
 */
const TEMPORARY_LIFETIME = 3600;

/**
 * A file to remove, or (with `target`) an interrupted rename to complete, for the token
 * `id`; `why` is for the log.
 */
export interface Recovery {
  readonly path: string;
  readonly target?: string;
  readonly id?: string;
  readonly why: string;
}

/** Returns what to remove or complete. `now` in epoch seconds. */
export async function recoveries(scan: Scan, now: number): Promise<Recovery[]> {
  const abandoned = scan.temporaries.filter(
    (file) => file.orphaned || now - file.mtime > TEMPORARY_LIFETIME,
  );
  const found = scan.keyFiles
    .filter((file) => now - file.mtime > KEY_FILE_LIFETIME)
    .map(staleKeyFile);
  // Nearly every pass finds none and skips building the map of all tokens.
  if (abandoned.length === 0) return found;
  const tops = new Map<string, TokenSnapshot>();
  await inSlices(scan.tokens, (token) => tops.set(`${token.user}/${token.stem}.top`, token));
  await inSlices(abandoned, (file) => {
    const user = file.path.split('/', 1)[0] ?? '';
    found.push(recoverTemporary(file, tops.get(`${user}/${file.target}`)));
  });
  return found;
}

function staleKeyFile({ path }: LooseFile): Recovery {
  return {
    path,
    why: `key file ${path.slice(0, 8)}... is older than ${KEY_FILE_LIFETIME / 3600} h`,
  };
}

/**
 * A complete temporary `.top` beside an older one is a rotated refresh token whose rename
 * a crash prevented. The old one is spent, so the new one replaces it. Everything else
 * can be created again.
 */
function recoverTemporary(file: TemporaryFile, token: TokenSnapshot | undefined): Recovery {
  const { path, target } = file;
  const current = token?.top;
  if (
    token &&
    current &&
    isPresent(current) &&
    file.refreshToken &&
    (identityOf(current)?.mtime ?? Number.POSITIVE_INFINITY) <= file.mtime
  ) {
    return {
      path,
      target,
      id: tokenId(token),
      why: `a rotated refresh token for ${target} was left unfinished by a dead process and takes its place`,
    };
  }
  return { path, why: `temporary file for ${target} was left by a dead process` };
}
