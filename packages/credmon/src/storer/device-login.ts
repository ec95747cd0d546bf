// A device login from start to end: the prompt, the wait, and what is stored afterwards.
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

/** What a login may use of the context. `unicode`: the terminal shows QR codes. */
export interface LoginContext {
  readonly send: Send;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly storeCred: StoreCred;
  readonly unicode: boolean;
}

/**
 * Logs in by device code, as a public client, and stores the access token, then the
 * refresh token that came with it.
 * @throws CodedError as `beginDeviceLogin` and `finishDeviceLogin`; `LOGIN_REFUSED` when
 * the issuer gives no refresh token, `SCOPE_WIDENED`
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
    const fix = `the administrator can add the scope that gives one (often offline_access) to CREDMON_${request.service}_EXTRA_SCOPES`;
    throw new CodedError(
      'LOGIN_REFUSED',
      `the issuer of ${request.service} gave no refresh token; ${fix}`,
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
  // Before `.top`: the daemon looks as soon as that is there, and would renew a token
  // that has no `.use`.
  const why = await useTrouble(storeCred.addUse(request, { ...use, [STORED_BEFORE_TOP]: true }));
  await storeCred.add(request, { refresh_token: refreshToken });
  if (why !== undefined)
    terminal.print(
      `Note: the access token could not be stored: ${why}; condor_credmon makes one at once.`,
    );
  terminal.print(`Stored ${request.service}.`);
}

/**
 * Why the access token could not be stored; without it the login is no worse, because
 * condor_credmon makes one.
 */
async function useTrouble(storing: Promise<void>): Promise<string | undefined> {
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
      ? `; or sign in with a browser: submit a job with "use_oauth_services = ${service}" and open the link that condor_submit prints`
      : '';
    throw new CodedError(
      'CONFIG_INVALID',
      `${what}: the administrator must say where a device login begins${browser}`,
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
    `the issuer ${issuer} offers no device login (RFC 8628)`,
    {
      issuer,
    },
  );
}

// Device logins are for public clients: what is said of one with a secret. Pure.

/**
 * Why nobody can log in by device code as this client: it has a secret, which the storer
 * must not read because it runs as the user. `undefined` for a public client.
 * @see RFC 8628, section 3.1; RFC 6749, section 2.1
 */
export function confidentialClient(
  service: string,
  { secretFile }: Pick<ConfiguredClient, 'secretFile'>,
): string | undefined {
  if (secretFile === undefined) return undefined;
  const knob = `${service}_CLIENT_SECRET_FILE`;
  return `${service} has a client secret (${knob} = ${secretFile}), and a device login runs as the user, who must not read it: the administrator registers a public client for device logins and leaves ${knob} out, or users log in with a browser instead`;
}
