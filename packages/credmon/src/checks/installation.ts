// Checks what the daemon needs on this host: its log, and the sites' token programs.
import { messageOf, ok, warning, wrong, type Finding } from '@credmon/core/base';
import { checkLogFile } from '@credmon/core/log';
import { EXIT_LOG } from '../command-line/exit-codes.ts';
import type { Settings } from '../settings/read.ts';
import { checkProgram } from '../host/run-program.ts';
import type { CheckContext, Check } from './context.ts';

const WHAT = 'log';

/** Checks whether the log file can be opened or created. Writes nothing. */
export function checkLog({ log }: Settings): Finding {
  const { path } = log;
  if (path === undefined) return warning(WHAT, 'disabled: neither LOG nor a log file is set');
  return checkLogFile(path, `the daemon would end with exit code ${EXIT_LOG}`);
}

// Checks the sites' token programs without starting them.

/** Returns one check for each program. */
export function programChecks({ settings }: CheckContext): Check[] {
  return settings.tokenPrograms.map(({ name, command, seconds }) => {
    const what = `${name} (token program)`;
    const doing = ok(what, `runs ${command} for each token, for at most ${seconds} s`);
    return {
      what,
      run: () => {
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
