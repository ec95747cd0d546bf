// What a scan found that nobody needs: key files past their time, and temporary files of
// dead processes. Decides; does nothing.
import { inSlices } from '@credmon/core/base';
import { tokenId, type TokenSnapshot } from '@credmon/core/credential';
import type { LooseFile, Scan, TemporaryFile } from '@credmon/core/store';

/** A key file is removed this many seconds after CredD wrote it. */
export const KEY_FILE_LIFETIME: number = 12 * 3600;
/**
 * The web portal's temporary file whose process seems alive is settled after this many
 * seconds: its number must have been given again.
 */
const TEMPORARY_LIFETIME = 3600;

/**
 * Something to settle: a file to remove, or (with `target`) an interrupted rename to
 * finish, for the token `id`; `why` for the log.
 */
export interface Recovery {
  readonly path: string;
  readonly target?: string;
  readonly id?: string;
  readonly why: string;
}

/** What of the scan is to be removed or finished. `now` in epoch seconds. */
export async function recoveries(scan: Scan, now: number): Promise<Recovery[]> {
  const ended = scan.temporaries.filter(
    (file) => file.orphaned || now - file.mtime > TEMPORARY_LIFETIME,
  );
  const found = scan.keyFiles
    .filter((file) => now - file.mtime > KEY_FILE_LIFETIME)
    .map(staleKeyFile);
  // Nearly every pass finds none, and then this map of all tokens is not worth its time.
  if (ended.length === 0) return found;
  const tops = new Map<string, TokenSnapshot>();
  await inSlices(scan.tokens, (token) => tops.set(`${token.user}/${token.stem}.top`, token));
  await inSlices(ended, (file) => {
    const user = file.path.split('/', 1)[0] ?? '';
    found.push(settleTemporary(file, tops.get(`${user}/${file.target}`)));
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
 * A whole `.top` that waits beside an older one is a rotated refresh token whose rename a
 * crash prevented: the old one is spent, so the new one takes its place. Everything else
 * can be made again.
 */
function settleTemporary(file: TemporaryFile, token: TokenSnapshot | undefined): Recovery {
  const { path, target } = file;
  const current = token?.top;
  if (
    token &&
    current?.kind === 'valid' &&
    file.refreshToken &&
    current.identity.mtime <= file.mtime
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
