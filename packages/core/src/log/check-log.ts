// Checks a log file without writing to it: a program whose log cannot be opened does not
// start.
import { accessSync, constants, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { systemCode } from '../base/errors/errors.ts';
import { shellWord } from '../base/process/shell-word.ts';
import { ok, wrong, type Finding } from '../base/text/findings.ts';

/**
 * Checks whether the log file `path` can be opened or created. `consequence` is a clause:
 * what happens otherwise.
 */
export function checkLogFile(path: string, consequence: string): Finding {
  const what = 'log';
  const directory = dirname(path);
  const failure = accessFailure(directory, constants.W_OK | constants.X_OK);
  if (failure === 'ENOENT')
    return wrong(
      what,
      `its directory ${directory} is missing, and ${consequence}; fix: install -d ` +
        `-o condor -g condor -m 755 ${shellWord(directory)}`,
    );
  const file = accessFailure(path, constants.W_OK);
  if (file === undefined)
    return statSync(path).isDirectory()
      ? wrong(what, `${path} is a directory, and ${consequence}`)
      : ok(what, `goes to ${path}`);
  if (file === 'ENOENT' && failure === undefined) return ok(what, `will go to ${path}`);
  return wrong(what, `this process cannot write ${path} (${file}), and ${consequence}`);
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
