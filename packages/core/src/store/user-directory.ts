// The way into a user's directory: opened by descriptor, so that a link put in its place
// leads nowhere.
import { inDirectory, inSubdirectory } from '../base/files/safe-directory.ts';

/**
 * Runs `act` with a path of the directory of `user` (the credential directory itself for
 * the empty name) in the credential directory `root`, a path without links. The path
 * leads there whatever becomes of its name meanwhile.
 * @throws CodedError `CRED_FILE_IO` for a link on the way to `root`; the system's error:
 * `ENOENT`, or `ENOTDIR` for a link in the user's place
 */
export function inUserDirectory<T>(root: string, user: string, act: (path: string) => T): T {
  return inDirectory(root, (path) => (user === '' ? act(path) : inSubdirectory(path, user, act)));
}
