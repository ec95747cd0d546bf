// The check command's look at the log: a daemon that cannot open it does not start.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { shellWord, systemCode, messageOf } from '@credmon/core/base';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { EXIT_LOG } from '../command-line/errors.ts';
import type { Settings } from '../settings/read.ts';
import { checkProgram } from '../host/run-program.ts';
import type { CheckContext, Look } from './context.ts';

const WHAT = 'log';

/** Whether the log file can be opened, or made. Nothing is written. */
export function lookAtLog({ log }: Settings): Finding {
  const { path } = log;
  if (path === undefined) return warning(WHAT, 'goes nowhere: neither LOG nor a log file is set');
  const directory = dirname(path);
  const stays = `the daemon would end with exit code ${EXIT_LOG}`;
  const refusal = whyNot(directory, constants.W_OK | constants.X_OK);
  if (refusal === 'ENOENT')
    return wrong(
      WHAT,
      `its directory ${directory} is missing, and ${stays}; fix: install -d -o condor -g condor -m 755 ${shellWord(directory)}`,
    );
  const file = whyNot(path, constants.W_OK);
  if (file === undefined)
    return statSync(path).isDirectory()
      ? wrong(WHAT, `${path} is a directory, and ${stays}`)
      : ok(WHAT, `goes to ${path}`);
  if (file === 'ENOENT' && refusal === undefined) return ok(WHAT, `will go to ${path}`);
  return wrong(WHAT, `this process may not write ${path} (${file}), and ${stays}`);
}

function whyNot(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

// The check command's look at sites' own token programs. None is ever started here.

/** One look for each program. */
export function looksAtPrograms({ settings }: CheckContext): Look[] {
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
