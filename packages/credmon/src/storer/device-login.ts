// A device login: the prompt, the wait, and the storage of the tokens.
import { CodedError, isCoded, type Clock, type Send } from '@credmon/core/base';
import { STORED_BEFORE_TOP, useContents } from '@credmon/core/credential';
import {
  beginDeviceLogin,
  createMetadataCache,
  finishDeviceLogin,
  type ClientRegistration,
  type MetadataOptions,
} from '@credmon/core/oauth';
import { checkScopes } from '../providers/common/granted-scopes.ts';
import { devicePrompt, type Terminal } from './terminal.ts';
import type { StoreRequest } from './request.ts';
import type { DeviceSettings } from './settings.ts';
import type { StoreCred } from './store-cred.ts';
import type { ConfiguredClient } from '../settings/clients.ts';

/** The ports of a login. `unicode`: the terminal can show QR codes. */
export interface LoginContext {
  readonly send: Send;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly storeCred: StoreCred;
  readonly unicode: boolean;
}

/**
 * Logs in by device code as a public client, and stores the access token, then the
 * refresh token.
 * @throws CodedError as `beginDeviceLogin` and `finishDeviceLogin`; `LOGIN_REFUSED` when
 * the issuer returns no refresh token, `SCOPE_WIDENED`
 */
export async function deviceLogin(
  context: LoginContext,
  request: StoreRequest,
  settings: DeviceSettings,
): Promise<void> {
  const { send, clock, terminal, storeCred } = context;
  const registration = await registrationOf(context, request.service, settings);
  const scope = [request.scopes, ...settings.extraScopes].join(' ');
  const asked = { scope, resource: request.audience, now: clock.now() };
  const login = await beginDeviceLogin(send, registration, asked);
  terminal.print(devicePrompt(request.service, login, context.unicode));
  const answer = await finishDeviceLogin(send, registration, login, { clock });
  const { refreshToken } = answer;
  if (refreshToken === undefined) {
    const fix =
      'fix: the administrator adds the scope for it (often offline_access) ' +
      `to CREDMON_${request.service}_EXTRA_SCOPES`;
    throw new CodedError(
      'LOGIN_REFUSED',
      `the issuer of ${request.service} returned no refresh token; ${fix}`,
      {
        provider: request.service,
      },
    );
  }
  const { note } = checkScopes({
    name: request.service,
    asked: request.scopes,
    granted: answer.scope,
    extra: settings.extraScopes,
  });
  if (note !== undefined) terminal.print(`Note: ${note}.`);
  const { defaultLifetime, useIdToken } = settings;
  const use = useContents(answer, clock.now(), defaultLifetime, useIdToken);
  // Before `.top`: the daemon acts as soon as `.top` exists, and would renew a token
  // without `.use`.
  const why = await useProblem(storeCred.addUse(request, { ...use, [STORED_BEFORE_TOP]: true }));
  await storeCred.add(request, { refresh_token: refreshToken });
  if (why !== undefined)
    terminal.print(
      `Note: the access token could not be stored: ${why}; condor_credmon will get one at once.`,
    );
  terminal.print(`Stored ${request.service}.`);
}

/**
 * Returns why the access token could not be stored. The login still succeeds, because
 * condor_credmon gets one.
 */
async function useProblem(storing: Promise<void>): Promise<string | undefined> {
  try {
    await storing;
    return undefined;
  } catch (error) {
    if (!isCoded(error, 'PROGRAM_FAILED')) throw error;
    return error.message;
  }
}

async function registrationOf(
  context: LoginContext,
  service: string,
  { registration, origins, signsInOnWeb }: DeviceSettings,
): Promise<ClientRegistration> {
  const { issuer, deviceUrl, allowLoopbackHttp } = registration;
  if (deviceUrl === undefined && issuer === undefined) {
    const what = `neither CREDMON_${service}_DEVICE_URL nor CREDMON_${service}_ISSUER is set`;
    const browser = signsInOnWeb
      ? '; or sign in with a browser: submit a job with "use_oauth_services = ' +
        `${service}" and open the link that condor_submit prints`
      : '';
    throw new CodedError(
      'CONFIG_INVALID',
      `${what}: the administrator must configure the device endpoint${browser}`,
    );
  }
  return {
    ...registration,
    deviceUrl:
      deviceUrl ?? (await discovered(context, issuer ?? '', { allowLoopbackHttp, origins })),
  };
}

async function discovered(
  { send, clock }: LoginContext,
  issuer: string,
  options: Pick<MetadataOptions, 'allowLoopbackHttp' | 'origins'>,
): Promise<string> {
  const cache = createMetadataCache({ lifetime: 0, ...options });
  const { deviceUrl, elsewhere } = await cache.find(send, issuer, clock.now());
  if (deviceUrl !== undefined) return deviceUrl;
  if (elsewhere.length > 0)
    throw new CodedError('ENDPOINT_REFUSED', elsewhere.join('; '), { issuer });
  throw new CodedError(
    'ISSUER_METADATA_INVALID',
    `the issuer ${issuer} has no device endpoint (RFC 8628)`,
    {
      issuer,
    },
  );
}

// Device logins need public clients. Pure.

/**
 * Returns why this client cannot be used for device logins: it has a secret, which the
 * storer must not read because it runs as the user. `undefined` for a public client.
 * @see RFC 8628, section 3.1; RFC 6749, section 2.1
 */
export function confidentialClient(
  service: string,
  { secretFile }: Pick<ConfiguredClient, 'secretFile'>,
): string | undefined {
  if (secretFile === undefined) return undefined;
  const knob = `${service}_CLIENT_SECRET_FILE`;
  return (
    `${service} has a client secret (${knob} = ${secretFile}), and a device login ` +
    'runs as the user, who must not read it: the administrator registers a public client for ' +
    `device logins and leaves ${knob} out, or users log in with a browser instead`
  );
}
