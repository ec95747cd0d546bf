// Checks the log: the daemon does not start when it cannot open it.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import {
  shellWord,
  systemCode,
  messageOf,
  ok,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { EXIT_LOG } from '../command-line/exit-codes.ts';
import type { Settings } from '../settings/read.ts';
import { checkProgram } from '../host/run-program.ts';
import type { CheckContext, Check } from './context.ts';

const WHAT = 'log';

/** Checks whether the log file can be opened or created. Writes nothing. */
export function checkLog({ log }: Settings): Finding {
  const { path } = log;
  if (path === undefined) return warning(WHAT, 'disabled: neither LOG nor a log file is set');
  const directory = dirname(path);
  const consequence = `the daemon would end with exit code ${EXIT_LOG}`;
  const failure = accessFailure(directory, constants.W_OK | constants.X_OK);
  if (failure === 'ENOENT')
    return wrong(
      WHAT,
      `its directory ${directory} is missing, and ${consequence}; fix: install -d ` +
        `-o condor -g condor -m 755 ${shellWord(directory)}`,
    );
  const file = accessFailure(path, constants.W_OK);
  if (file === undefined)
    return statSync(path).isDirectory()
      ? wrong(WHAT, `${path} is a directory, and ${consequence}`)
      : ok(WHAT, `goes to ${path}`);
  if (file === 'ENOENT' && failure === undefined) return ok(WHAT, `will go to ${path}`);
  return wrong(WHAT, `this process cannot write ${path} (${file}), and ${consequence}`);
}

function accessFailure(path: string, mode: number): string | undefined {
  try {
    accessSync(path, mode);
    return undefined;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
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
