// Where this installation has its programs, for messages that name a program: a package
// has them in /usr/bin, `install-to` below its prefix.
import { basename, dirname } from 'node:path';

/** Where `npm run install-to -- /usr/local` puts the programs. */
const USUAL = '/usr/local/bin';
const NAMES = new Set(['condor_credmon', 'condor_credmon_oauth', 'condor_credential_storer']);

/**
 * Returns the folder with the programs, for the path by which the running program was
 * started. Without an installation (a bundle in a checkout, a test) it is the one that the
 * documentation names.
 *
 * The packages replace HTCondor's /usr/sbin/condor_credmon_oauth; their other programs are
 * in /usr/bin.
 */
export function programFolder(started: string | undefined): string {
  if (started === undefined || !NAMES.has(basename(started))) return USUAL;
  const folder = dirname(started);
  if (!folder.startsWith('/')) return USUAL;
  return folder === '/usr/sbin' ? '/usr/bin' : folder;
}
