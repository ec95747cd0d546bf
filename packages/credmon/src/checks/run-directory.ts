// Checks the directory of the users' own view: without it, users see no status and cannot
// ask for renewals, but tokens are renewed all the same.
import { existsSync, statfsSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  isCoded,
  messageOf,
  ok,
  shellWord,
  systemCode,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { groupId } from '@credmon/core/config';
import { checkRunDirectory } from '@credmon/core/store';
import type { Settings } from '../settings/read.ts';
import { isDenied, unseen, type CheckContext } from './context.ts';

const VIEW = "users' view";

/** The file system of a path: its device, and whether its files are in memory. */
export interface FileSystem {
  readonly device: number;
  readonly isMemory: boolean;
}

/**
 * Checks CREDMON_RUN_DIR. A directory that the daemon will create is no problem. If users
 * could fill /run, whose memory the whole machine needs, that is a warning for a directory
 * that the administrator chose; for the default, it is part of the sentence.
 * `fileSystemOf`: `undefined` for a path that cannot be read.
 */
export function checkUserView(
  { settings: { runDir, condorIds }, config }: Pick<CheckContext, 'settings' | 'config'>,
  fileSystemOf: (path: string) => FileSystem | undefined = readFileSystem,
): Finding {
  if (runDir === undefined) return ok(VIEW, 'off: users cannot see their own tokens');
  const isDefault = (config.origin('CREDMON_RUN_DIR')?.kind ?? 'default') === 'default';
  const found = (text: string, path: string): Finding => {
    if (!isShared(path, fileSystemOf)) return ok(VIEW, text);
    if (isDefault) return ok(VIEW, `${text}, ${DEFAULT_RISK}`);
    return warning(
      VIEW,
      `users can fill /run through ${runDir}/requests: both are in the same tmpfs; fix: ${ON_DISK}`,
    );
  };
  try {
    checkRunDirectory(runDir, { create: false, condor: condorIds });
    return found(`users see their own tokens, from ${runDir}`, runDir);
  } catch (error) {
    const missing = isCoded(error, 'CRED_DIR_INVALID') && error.fields['missing'] === true;
    if (missing && existsSync(dirname(runDir)))
      return found(`${runDir} is missing: the daemon creates it`, dirname(runDir));
    if (isDenied(error)) return unseen(VIEW, runDir);
    return warning(VIEW, `users cannot see their own tokens: ${messageOf(error)}`);
  }
}

const ON_DISK = 'set CREDMON_RUN_DIR to a directory on a disk, for example /var/lib/condor_credmon';
const DEFAULT_RISK = `in the tmpfs of /run, which users can fill; if users are not trusted, ${ON_DISK}`;

function isShared(path: string, fileSystemOf: (path: string) => FileSystem | undefined): boolean {
  const [own, run] = [path, '/run'].map(fileSystemOf);
  return own?.isMemory === true && own.device === run?.device;
}

/** Checks CREDMON_TOKEN_GROUP, whose members ask the daemon through the run directory. */
export function checkTokenGroup({ tokens: { group }, runDir }: Settings): Finding[] {
  const what = 'condor_credmon token';
  if (group === undefined) return [];
  if (runDir === undefined)
    return [
      wrong(
        what,
        `CREDMON_RUN_DIR = none: the members of the group ${group} (CREDMON_TOKEN_GROUP) ` +
          'cannot ask for tokens',
      ),
    ];
  // A number would be taken for an id.
  if (!/^\d+$/.test(group) && groupId(group) !== undefined)
    return [ok(what, `members of the group ${group} get tokens from the daemon`)];
  return [
    wrong(
      what,
      `the group ${group} does not exist (CREDMON_TOKEN_GROUP): nobody but root gets a token; ` +
        `fix: groupadd ${shellWord(group)}`,
    ),
  ];
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
