// The check command's look at sites' own token programs. None is ever started here.
import { messageOf } from '@credmon/core/base';
import { ok, wrong } from './finding.ts';
import { checkProgram } from '../host/run-program.ts';
import type { CheckWorld, Look } from './context.ts';

/** One look for each program. */
export function looksAtPrograms({ settings }: CheckWorld): Look[] {
  return settings.tokenPrograms.map(({ name, command, seconds }) => {
    const what = `${name} (token program)`;
    const doing = ok(what, `runs ${command} for each token, for at most ${seconds} s`);
    return {
      what,
      look: () => {
        try {
          checkProgram({ name, command });
          return [doing];
        } catch (error) {
          return [doing, wrong(what, messageOf(error))];
        }
      },
    };
  });
}
