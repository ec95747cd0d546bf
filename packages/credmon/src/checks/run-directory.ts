// Checks the directory of the users' own view: without it, users see no status and cannot
// ask for renewals, but tokens are renewed all the same.
import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isCoded, messageOf, ok, systemCode, warning, type Finding } from '@credmon/core/base';
import { checkRunDirectory } from '@credmon/core/store';
import type { Settings } from '../settings/read.ts';

const VIEW = "users' view";

/** The file system of a path: its device, and whether its files are in memory. */
export interface FileSystem {
  readonly device: number;
  readonly isMemory: boolean;
}

/**
 * Checks CREDMON_RUN_DIR. A directory that the daemon will create is no problem.
 * `fileSystemOf`: `undefined` for a path that cannot be read.
 */
export function checkUserView(
  { runDir, condorIds }: Settings,
  fileSystemOf: (path: string) => FileSystem | undefined = readFileSystem,
): Finding {
  if (runDir === undefined) return ok(VIEW, 'off: users cannot see their own tokens');
  try {
    checkRunDirectory(runDir, { create: false, condor: condorIds });
    return (
      whyShared(runDir, runDir, fileSystemOf) ??
      ok(VIEW, `users see their own tokens, from ${runDir}`)
    );
  } catch (error) {
    const missing = isCoded(error, 'CRED_DIR_INVALID') && error.fields['missing'] === true;
    if (missing && existsSync(dirname(runDir)))
      return (
        whyShared(runDir, dirname(runDir), fileSystemOf) ??
        ok(VIEW, `${runDir} is missing: the daemon creates it`)
      );
    return warning(VIEW, `users cannot see their own tokens: ${messageOf(error)}`);
  }
}

/** Returns a warning if users could fill /run, whose memory the whole machine needs. */
function whyShared(
  runDir: string,
  path: string,
  fileSystemOf: (path: string) => FileSystem | undefined,
): Finding | undefined {
  const [own, run] = [path, '/run'].map(fileSystemOf);
  if (own?.isMemory !== true || own.device !== run?.device) return undefined;
  return warning(
    VIEW,
    `users can fill /run through ${runDir}/requests: both are in the same tmpfs; fix: set ` +
      'CREDMON_RUN_DIR to a directory on a disk, for example /var/lib/condor_credmon',
  );
}

/** The type of tmpfs. @see statfs(2) */
const TMPFS = 0x0102_1994;

function readFileSystem(path: string): FileSystem | undefined {
  try {
    return { device: statSync(path).dev, isMemory: statfsSync(path).type === TMPFS };
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
