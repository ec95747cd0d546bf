// The credential directory must be there, ours to use, and closed to others: checked before anything is written.
import { accessSync, chmodSync, constants, lstatSync, type Stats } from 'node:fs';
import { ensureDirSync } from 'fs-extra/esm';
import { CodedError, systemCode } from '../base/errors.ts';
import { shellWord } from '../base/shell-word.ts';

/** Owner and group may do everything; new files inherit the group. */
const DIRECTORY_MODE = 0o2770;

/**
 * Makes sure of the credential directory: creates it (mode 2770) when it is missing and `create` says so, and refuses one that
 * others may enter, read or write, or that this process may not.
 * @throws CodedError `CRED_DIR_INVALID` with the command that mends it
 */
export function checkCredentialDirectory(path: string, options: { readonly create: boolean }): void {
  const stats = statOf(path);
  if (stats === undefined) return createDirectory(path, options.create);
  if (!stats.isDirectory())
    throw invalid(
      path,
      'is not a directory',
      'name a directory in SEC_CREDENTIAL_DIRECTORY_OAUTH or after --cred-dir',
    );
  if ((stats.mode & 0o007) !== 0) {
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
    throw invalid(path, `has mode ${mode}, so that other users can get in`, `chmod o-rwx ${shellWord(path)}`);
  }
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw invalid(path, `cannot be read, written and entered by user id ${self()}; ${AS_ITS_USER}`);
  }
}

function statOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    throw invalid(
      path,
      `cannot be looked at by user id ${self()} (${systemCode(error) ?? 'unknown'}); ${AS_ITS_USER}`,
    );
  }
}

function createDirectory(path: string, create: boolean): void {
  const mend = `install -d -o root -g condor -m 2770 ${shellWord(path)}`;
  if (!create) throw invalid(path, 'does not exist', mend);
  try {
    ensureDirSync(path, { mode: DIRECTORY_MODE });
    // mkdir's mode is cut by the umask, and its setgid bit is ignored on some systems.
    chmodSync(path, DIRECTORY_MODE);
  } catch (error) {
    throw invalid(path, `cannot be created (${systemCode(error) ?? 'unknown'})`, mend);
  }
}

const AS_ITS_USER = 'run this as root, or as the user whom the directory belongs to';

const self = (): number => process.geteuid?.() ?? 0;

function invalid(path: string, what: string, mend?: string): CodedError {
  const remedy = mend === undefined ? '' : `; to mend it: ${mend}`;
  return new CodedError('CRED_DIR_INVALID', `the credential directory ${path} ${what}${remedy}`, { path });
}
