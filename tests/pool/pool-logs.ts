// Waits for lines of HTCondor's logs.
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import type { Pool } from '@credmon/test-fixtures/pool/pool';

/**
 * Does `action`, and waits until a daemon has logged something that fits `pattern` since
 * then.
 * @returns what it has logged since then
 * @throws Error with that text after the timeout
 */
export async function logged(
  pool: Pool,
  log: string,
  pattern: RegExp,
  action: () => unknown,
): Promise<string> {
  const before = textOf(pool, log).length;
  await action();
  const since = (): string => textOf(pool, log).slice(before);
  try {
    return await waitUntil(() => pattern.test(since()) && since(), {
      what: `${pattern} in ${log}`,
    });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${since()}`, { cause: error });
  }
}

/** A daemon creates its log when it first starts. */
function textOf(pool: Pool, log: string): string {
  try {
    return pool.log(log);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
