// Recognises a credential directory as older recipes made it: of the user condor, with
// mode 0700. It works, but HTCondor's own is root:condor 2770.
import { statSync } from 'node:fs';
import { shellWord, systemCode } from '@credmon/core/base';

/** HTCondor's mode: new files get the group condor, which the portal belongs to. */
const MODE = 0o2770;

/** Owner and permissions of a directory. */
export interface DirectoryForm {
  readonly uid: number;
  readonly mode: number;
}

/**
 * Returns a sentence about a directory of an older form with the commands that change it;
 * `undefined` if its form is HTCondor's, or this process (`self`) is not root, as in a
 * pool of one user.
 */
export function olderFormText(
  path: string,
  { uid, mode }: DirectoryForm,
  self: number,
): string | undefined {
  const bits = mode & 0o7777;
  if (self !== 0 || (uid === 0 && bits === MODE) || (uid === 0 && (bits & 0o070) === 0))
    return undefined;
  const word = shellWord(path);
  return (
    `${path} works, but its form is that of older recipes (owner ${uid}, mode ${octal(bits)}): ` +
    `HTCondor's is root:condor 2770; fix: chown root:condor ${word} && chmod 2770 ${word}`
  );
}

const octal = (bits: number): string => bits.toString(8).padStart(4, '0');

/** Looks at the directory; `undefined` also if it is missing or hidden. */
export function olderDirectory(path: string): string | undefined {
  try {
    return olderFormText(path, statSync(path), process.geteuid?.() ?? 0);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
