// Checks the directory of the users' own view: without it, users see no status and cannot
// ask for renewals, but tokens are renewed all the same.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { isCoded, messageOf, ok, warning, type Finding } from '@credmon/core/base';
import { checkRunDirectory } from '@credmon/core/store';
import type { Settings } from '../settings/read.ts';

const VIEW = "users' view";

/** Checks CREDMON_RUN_DIR. A directory that the daemon will create is no problem. */
export function checkUserView({ runDir, condorIds }: Settings): Finding {
  if (runDir === undefined) return ok(VIEW, 'off: users cannot see their own tokens');
  try {
    checkRunDirectory(runDir, { create: false, condor: condorIds });
    return ok(VIEW, `users see their own tokens, from ${runDir}`);
  } catch (error) {
    const missing = isCoded(error, 'CRED_DIR_INVALID') && error.fields['missing'] === true;
    if (missing && existsSync(dirname(runDir)))
      return ok(VIEW, `${runDir} is missing: the daemon creates it`);
    return warning(VIEW, `users cannot see their own tokens: ${messageOf(error)}`);
  }
}
