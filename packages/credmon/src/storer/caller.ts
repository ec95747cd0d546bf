// Who started the storer: condor_submit, which passes names that are not for it, or a
// person.
import { readFileSync } from 'node:fs';
import { systemCode } from '@credmon/core/base';

/**
 * True when condor_submit started the storer, itself or through DAGMan, the `htcondor`
 * command or HTCondor's Python modules. Since HTCondor 25.14 `mode`
 * (CONDOR_CREDENTIAL_STORER_MODE) says so; before, only the name of the parent process
 * does.
 */
export function startedBySubmit(mode: string | undefined, parent: string): boolean {
  return mode !== undefined || /^(condor_|htcondor|python)/.test(parent);
}

/**
 * The name of a process, as the kernel keeps it (at most 15 characters); empty where it
 * cannot be read.
 */
export function processName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}
