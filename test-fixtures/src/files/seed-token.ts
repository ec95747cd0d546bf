// Creates the three files of a finished login without web server and browser, for tests
// of the daemon.
import { chmodSync, existsSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loginAtIssuer, postToken } from '../browsers/http-login.ts';
import type { Service, Workspace } from './workspace.ts';

/** The request, and the age of the token. */
export interface SeedOptions {
  readonly scopes?: string;
  readonly audience?: string;
  /** The age of the token in seconds. */
  readonly age?: number;
  /** PEM text of the authority of the issuer's certificate. */
  readonly ca?: string;
}

/** A token in the credential directory. */
export interface SeededToken {
  readonly user: string;
  readonly stem: string;
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly path: (kind: 'top' | 'use' | 'meta') => string;
}

/**
 * Logs in at the issuer of the service and writes `.meta`, `.use` and `.top` of `user`.
 */
export async function seedToken(
  { credentialDirectory, webPrefix }: Workspace,
  service: Service,
  user: string,
  stem: string = service.name,
  options: SeedOptions = {},
): Promise<SeededToken> {
  const { scopes = '', audience = '', age = 0 } = options;
  const trust = options.ca === undefined ? {} : { ca: options.ca };
  const redirectUri = `${webPrefix}/return/${service.name}`;
  const credentials = { client_id: service.clientId, client_secret: service.clientSecret };
  const { parameters, codeVerifier = '' } = await loginAtIssuer({
    authorizationUrl: service.issuer.authorizationUrl,
    clientId: service.clientId,
    redirectUri,
    scope: scopes
      .split(',')
      .map((scope) => scope.trim())
      .join(' '),
    resource: audience,
    account: user,
    ...trust,
  });
  if (parameters['code'] === undefined)
    throw new Error(
      `no code from ${service.issuer.name}: ${parameters['error']} ${parameters['error_description']}`,
    );
  const { status, answer } = await postToken(
    service.issuer.tokenUrl,
    {
      ...credentials,
      grant_type: 'authorization_code',
      code: parameters['code'] ?? '',
      redirect_uri: redirectUri,
      code_verifier: codeVerifier,
    },
    trust,
  );
  if (status !== 200) throw new Error(`no token from ${service.issuer.name}: ${status}`);
  const { refresh_token: refreshToken, ...rest } = answer;
  const issuedAt = Math.floor(Date.now() / 1000) - age;
  const files = {
    meta: {
      ...credentials,
      token_url: service.issuer.tokenUrl,
      use_refresh_token: refreshToken !== undefined,
    },
    use: { ...rest, issued_at: issuedAt, expires_at: issuedAt + Number(rest['expires_in']) },
    top: {
      refresh_token: refreshToken ?? '',
      ...(scopes === '' ? {} : { scopes }),
      ...(audience === '' ? {} : { audience }),
    },
  };
  const home = join(credentialDirectory, user);
  if (!existsSync(home)) mkdirSync(home, { mode: 0o700 });
  for (const [kind, content] of Object.entries(files))
    writeToken(join(home, `${stem}.${kind}`), JSON.stringify(content), issuedAt);
  return {
    user,
    stem,
    accessToken: String(rest['access_token']),
    refreshToken: typeof refreshToken === 'string' ? refreshToken : '',
    path: (kind) => join(home, `${stem}.${kind}`),
  };
}

/**
 * Replaces a token file by a new file with `text`, the mode that CredD accepts, and the
 * modification time `mtime` (epoch seconds).
 */
export function writeToken(path: string, text: string, mtime?: number): void {
  rmSync(path, { recursive: true, force: true });
  writeFileSync(path, text, { mode: 0o600 });
  chmodSync(path, 0o400);
  // A .top that is newer than its .use would be a new login.
  if (mtime !== undefined) utimesSync(path, mtime, mtime);
}
