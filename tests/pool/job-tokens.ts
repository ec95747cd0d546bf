// A job that prints its tokens, and what it has printed.
import type { Pool, PoolProvider } from '@credmon/test-fixtures/pool/pool';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { jobEvent } from './pool-jobs.ts';

/** The script of a job that prints each of its tokens once, with the name of its file. */
export const PRINT_TOKENS = `cd "$_CONDOR_CREDS"
for file in *.use; do echo "$file $(cat "$file")"; done`;

/** Waits for the end of the job `name` with {@link PRINT_TOKENS}; returns the tokens by file name. */
export async function printedTokens(
  pool: Pool,
  user: string,
  name: string,
): Promise<Readonly<Record<string, string>>> {
  await jobEvent(pool, user, name, /Job terminated/);
  const lines = pool.read(`/home/${user}/${name}.out`).trim().split('\n');
  return Object.fromEntries(
    lines.map((line) => {
      const [, file = line, json = '{}'] = /^(\S+) (.*)$/.exec(line) ?? [];
      return [file, String((JSON.parse(json) as Record<string, unknown>)['access_token'])];
    }),
  );
}

/** Verifies a token of `provider`; returns whose it is and what it allows. */
export async function tokenClaims(
  { issuer }: PoolProvider,
  token: string | undefined,
): Promise<{ readonly sub: unknown; readonly scope: unknown }> {
  const { sub, scope } = await verifyToken(issuer, token ?? '');
  return { sub, scope };
}
