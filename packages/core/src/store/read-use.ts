// One token's access token file, without a scan of the credential directory.
import { join } from 'node:path';
import { digestUse } from '../credential/digest.ts';
import { tokenFileName } from '../credential/layout.ts';
import { isCredName } from '../credential/name.ts';
import type { FileState } from '../credential/snapshot.ts';
import type { TokenTimes } from '../credential/times.ts';
import { statIfThere } from './read-file.ts';
import { readDigest } from './user-scan.ts';

/**
 * Returns the times of the `.use` of one token in the credential directory `root`, as a
 * scan sees it. `defaultLifetime` in seconds, for a token that names none.
 */
export function readUse(
  root: string,
  user: string,
  stem: string,
  defaultLifetime: number,
): FileState<TokenTimes> {
  if (!isCredName(user) || !isCredName(stem)) return { kind: 'missing' };
  const directory = join(root, user);
  if (statIfThere(directory)?.isDirectory() === false) return { kind: 'missing' };
  return readDigest(join(directory, tokenFileName(stem, 'use')), (text, mtime) =>
    digestUse(text, mtime, defaultLifetime),
  );
}
