// A standing token that is renewed from a login, for the tests of this folder: its
// configuration, and a login without a device.
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { loginAtIssuer, postToken } from '@credmon/test-fixtures/browsers/http-login';
import { tokenId, type Issuer, type IssuerClient } from '@credmon/test-fixtures/servers/issuer';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import type { Workspace } from '@credmon/test-fixtures/files/workspace';

const redirectUri = 'https://ap.example/return';

/** The confidential client of the provider `lab`. */
export const labClient: IssuerClient = {
  clientId: 'lab',
  clientSecret: 'CANARY-lab-secret',
  redirectUris: [redirectUri],
};

/** The paths of the standing token `ce1`. */
export interface StandingPlace {
  readonly file: string;
  /** The directory of the refresh tokens. */
  readonly folder: string;
  /** The id of the stored refresh token, as in the log of the issuer. */
  readonly stored: () => string;
}

/** Configures the standing token `ce1` of the provider `lab`. */
export function configureStanding(workspace: Workspace, issuer: Issuer): StandingPlace {
  const directory = join(workspace.root, 'service');
  mkdirSync(directory, { mode: 0o700 });
  const file = join(directory, 'ce1');
  workspace.configure({
    lab_CLIENT_ID: labClient.clientId,
    lab_CLIENT_SECRET_FILE: workspace.secretFile('lab', `${labClient.clientSecret}\n`),
    CREDMON_lab_ISSUER: issuer.url,
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_ce1_PROVIDER: 'lab',
    CREDMON_STANDING_ce1_PATH: file,
    CREDMON_STANDING_ce1_SCOPE: 'compute.read',
    CREDMON_FIRST_RETRY: 1,
  });
  const folder = join(workspace.credentialDirectory, '.credmon-standing/standing');
  const stored = (): string => tokenId(String(readJson(join(folder, 'ce1.top'))['refresh_token']));
  return { file, folder, stored };
}

/** Stores a login for `ce1` as `condor_credmon standing login` does. */
export async function seedLogin(issuer: Issuer, { folder }: StandingPlace): Promise<void> {
  const { clientId, clientSecret } = labClient;
  const { authorizationUrl, tokenUrl } = issuer;
  const scope = 'compute.read';
  const { parameters, codeVerifier = '' } = await loginAtIssuer({
    authorizationUrl,
    clientId,
    redirectUri,
    scope,
  });
  const { answer } = await postToken(tokenUrl, {
    client_id: clientId,
    client_secret: clientSecret,
    grant_type: 'authorization_code',
    code: parameters['code'] ?? '',
    redirect_uri: redirectUri,
    code_verifier: codeVerifier,
  });
  const top = {
    refresh_token: answer['refresh_token'],
    scopes: scope,
    standing: { provider: 'lab', client_id: clientId, issuer: issuer.url },
  };
  for (const path of [join(folder, '..'), folder]) {
    mkdirSync(path, { mode: 0o700 });
    chmodSync(path, 0o700);
  }
  writeFileSync(join(folder, 'ce1.top'), JSON.stringify(top), { mode: 0o400 });
}
