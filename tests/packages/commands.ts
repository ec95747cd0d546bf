// Runs commands of the package tests to their end, without blocking: a server of the same
// test may have to answer them.
import { startProcess } from '@credmon/test-fixtures/processes/processes';

/**
 * Returns what a command printed to standard output. `env` is added to PATH and HOME.
 * @throws Error with its whole output if the exit code is not `expected`
 */
export async function run(
  directory: string,
  words: readonly string[],
  env: Readonly<Record<string, string>> = {},
  expected = 0,
): Promise<string> {
  const [command = '', ...args] = words;
  const { PATH = '', HOME = '/' } = process.env;
  const child = startProcess(
    command,
    args,
    { PATH, HOME, LC_ALL: 'C.UTF-8', ...env },
    { directory },
  );
  const { code } = await child.exited;
  if (code !== expected) throw new Error(`${child.name}: exit code ${code}\n${child.output}`);
  return child.stdout;
}
