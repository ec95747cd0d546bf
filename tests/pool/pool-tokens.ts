// Tokens of users in a pool: logins without a browser, and the files in the credential
// directory.
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loginAtIssuer, postToken } from '@credmon/test-fixtures/browsers/http-login';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { POOL_PREFIX, type Pool, type PoolProvider } from '@credmon/test-fixtures/pool/pool';
import { rootDirectory } from '@credmon/test-fixtures/pool/root-directory';

/** The credential directory as seen from the inside. */
export const CREDENTIALS = '/var/lib/condor/oauth_credentials';

/** Debian's path; /usr/sbin is not in the PATH of users. */
export const STORE_CRED = '/usr/sbin/condor_store_cred';

/** The token response of a login at the issuer of a provider. */
export async function logIn(
  { name, issuer, clientId, clientSecret }: PoolProvider,
  scope = 'read',
): Promise<Record<string, unknown>> {
  const { ca } = rootDirectory(tmpdir()).certificates;
  const redirectUri = `${POOL_PREFIX}/return/${name}`;
  const { authorizationUrl, tokenUrl } = issuer;
  const { parameters, codeVerifier = '' } = await loginAtIssuer({
    authorizationUrl,
    clientId,
    redirectUri,
    scope: `${scope} offline_access`,
    ca,
  });
  const { answer } = await postToken(
    tokenUrl,
    {
      grant_type: 'authorization_code',
      code: parameters['code'] ?? '',
      redirect_uri: redirectUri,
      client_id: clientId,
      client_secret: clientSecret,
      code_verifier: codeVerifier,
    },
    { ca },
  );
  return answer;
}

/**
 * Logs in for the scope `read`, and stores the refresh token with condor_store_cred as
 * the user does.
 */
export async function storeLogin(pool: Pool, user: string, provider: PoolProvider): Promise<void> {
  const { refresh_token } = await logIn(provider);
  const input = JSON.stringify({ refresh_token });
  await pool.must([STORE_CRED, 'add-oauth', '-s', provider.name, '-S', 'read', '-i', '-'], {
    user,
    input,
  });
}

/** The names in the directory of a user, sorted; none without the directory. */
export function tokenFiles(pool: Pool, user: string): string[] {
  try {
    return readdirSync(join(pool.credentialDirectory, user)).sort();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Waits until the file `path` of the credential directory exists; returns its text. */
export function tokenFile(pool: Pool, path: string): Promise<string> {
  return changedFile(pool, path, undefined);
}

/** Waits until the text of a file is not `old`; returns it. */
export function changedFile(pool: Pool, path: string, old: string | undefined): Promise<string> {
  const name = join(pool.credentialDirectory, path);
  return waitUntil(
    () => {
      const text = statSync(name, { throwIfNoEntry: false }) && readFileSync(name, 'utf8');
      return text !== undefined && text !== old && text;
    },
    { what: old === undefined ? path : `another ${path}` },
  );
}

/** The access token in the text of a `.use` file with JSON. */
export function accessTokenIn(use: string): string {
  return (JSON.parse(use) as { access_token: string }).access_token;
}
