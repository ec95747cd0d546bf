// How every command ends: 0 accepted or done, 1 refused with the reason, 2 misused.
import { CodedError, isCoded, messageOf } from '@credmon/core/base';
import type { Io } from './io.ts';

/**
 * An error that means: the command was called wrongly. What looks like a token is masked:
 * parsers quote arguments.
 */
export function misuse(problem: string): CodedError {
  const masked = problem.replace(/[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, 'TOKEN');
  return new CodedError('USAGE', masked, { problem: masked });
}

/**
 * Runs a command and turns what it throws into an exit code and one line on standard
 * error, or, for `json`, into an object on standard output.
 */
export async function runCommand(
  name: string,
  io: Io,
  json: boolean,
  work: () => Promise<void> | void,
): Promise<number> {
  try {
    await work();
    return 0;
  } catch (error) {
    if (isCoded(error, 'USAGE')) {
      io.error(`${name}: ${error.message}\nTry '${name} --help'.\n`);
      return 2;
    }
    const code = isCoded(error) ? error.code : undefined;
    if (json) io.out(`${JSON.stringify({ accepted: false, code, reason: messageOf(error) })}\n`);
    io.error(`${name}: ${messageOf(error)}${code === undefined ? '' : ` [${code}]`}\n`);
    return 1;
  }
}
