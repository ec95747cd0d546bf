// What a user does with jobs in a pool: submit files, condor_submit and condor_q.
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import type { Pool } from '@credmon/test-fixtures/pool/pool';
import type { Output } from '@credmon/test-fixtures/pool/namespace';

/** A job of a user; `lines` are further lines of the submit file. */
export interface Job {
  readonly user: string;
  /** A shell script. */
  readonly script: string;
  readonly lines: readonly string[];
}

let count = 0;

/**
 * Writes the submit file into the user's home directory; returns the prefix of the job's
 * files.
 */
export async function writeJob(pool: Pool, { user, script, lines }: Job): Promise<string> {
  const name = `job${++count}`;
  const home = `/home/${user}`;
  const text = [
    `executable = ${home}/${name}.sh`,
    `output = ${home}/${name}.out`,
    `error = ${home}/${name}.err`,
    `log = ${home}/${name}.log`,
    'request_memory = 64',
    'request_disk = 1024',
    ...lines,
    'queue',
    '',
  ].join('\n');
  pool.write(`${home}/${name}.sh`, `#!/bin/sh\n${script}\n`, 0o755);
  pool.write(`${home}/${name}.sub`, text);
  await pool.must(['chown', `${user}:`, `${home}/${name}.sh`, `${home}/${name}.sub`]);
  return name;
}

/** Writes the submit file and runs condor_submit; the job's files have the prefix `name`. */
export async function submit(pool: Pool, job: Job): Promise<Output & { readonly name: string }> {
  const { user } = job;
  const name = await writeJob(pool, job);
  return { name, ...(await pool.run(['condor_submit', `/home/${user}/${name}.sub`], { user })) };
}

/** The link for the user in the output of condor_submit. */
export function linkIn({ output }: Output): string {
  const link = /https:\/\/\S+\/key\/\S+/.exec(output)?.[0];
  if (link === undefined) throw new Error(`condor_submit printed no link:\n${output}`);
  return link;
}

/** Waits until the event log of the job has `event`; returns the log. */
export function jobEvent(pool: Pool, user: string, name: string, event: RegExp): Promise<string> {
  return waitUntil(
    () => {
      const log = pool.read(`/home/${user}/${name}.log`);
      return event.test(log) && log;
    },
    { what: `${event} in the log of ${name}` },
  );
}
