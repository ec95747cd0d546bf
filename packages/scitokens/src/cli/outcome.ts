// The exit codes of all commands: 0 accepted or done, 1 rejected with the reason, 2 usage
// error.
import { CodedError, isCoded, messageOf } from '@credmon/core/base';
import type { Io } from './io.ts';

/**
 * Creates the error for wrong usage. Masks texts that look like a token, because parsers
 * quote arguments.
 */
export function misuse(problem: string): CodedError {
  const masked = problem.replace(/[\w-]{8,}\.[\w-]{8,}\.[\w-]*/g, 'TOKEN');
  return new CodedError('USAGE', masked, { problem: masked });
}

/** A command. Without an exit code it is 0. */
export type Work = () => Promise<number | void> | number | void;

/**
 * Runs a command. Converts an error to an exit code and one line on standard error, and
 * with `json` also to an object on standard output.
 */
export async function runCommand(name: string, io: Io, json: boolean, work: Work): Promise<number> {
  try {
    return (await work()) ?? 0;
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
