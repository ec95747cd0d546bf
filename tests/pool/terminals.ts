// A user at a terminal of the pool, and at the page of an issuer that a login there names.
import type { Pool } from '@credmon/test-fixtures/pool/pool';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { answerDevicePage } from '@credmon/test-fixtures/servers/device-page';

/** Runs a command line as the user types it, on a terminal. */
export function typed(
  pool: Pool,
  user: string,
  line: string,
  environment: Readonly<Record<string, string>> = {},
): Child {
  return pool.start(['script', '-qefc', line, '/dev/null'], { user, environment });
}

/** Waits for the address of a device login, and logs in or declines there as `account`. */
export async function answerLogin(
  pool: Pool,
  login: Child,
  press: 'login' | 'cancel',
  account: string,
): Promise<void> {
  const [, url = ''] = await login.printed(/^ +(https:\S+user_code=\S+)/m);
  await answerDevicePage(url, press, account, { ca: pool.ca });
}
