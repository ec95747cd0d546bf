// The terminal of the person who must log in: standard output, standard error, or the
// controlling terminal behind them.
import { openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { systemCode } from '@credmon/core/base';

/**
 * Something that a person reads. `descriptor` is for programs that talk to the person
 * themselves.
 */
export interface Terminal {
  readonly descriptor: number;
  print(text: string): void;
}

/**
 * The terminal, or `undefined` when nobody is there: a cron job, a script, a batch job.
 */
export function findTerminal(): Terminal | undefined {
  const descriptor = [1, 2].find((each) => isatty(each)) ?? controllingTerminal();
  return descriptor === undefined
    ? undefined
    : { descriptor, print: (text) => void writeSync(descriptor, `${text}\n`) };
}

/**
 * condor_submit may read what its storer prints; the person sits before `/dev/tty` all
 * the same.
 */
function controllingTerminal(): number | undefined {
  try {
    return openSync('/dev/tty', 'r+');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}
