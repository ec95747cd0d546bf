// A device login from start to end: the prompt, the wait, and what is stored afterwards.
import {
  CodedError,
  beginDeviceLogin,
  createMetadataCache,
  finishDeviceLogin,
  useContents,
  type ClientRegistration,
  type Clock,
  type MetadataOptions,
  type Send,
} from '@credmon/core';
import { judgeGrant } from '../providers/granted-scopes.ts';
import { devicePrompt } from './prompt.ts';
import type { StoreRequest } from './request.ts';
import type { DeviceSettings } from './settings.ts';
import type { StoreCred } from './store-cred.ts';
import type { Terminal } from './terminal.ts';

/** What a login may use of the world. `unicode`: the terminal shows QR codes. */
export interface LoginWorld {
  readonly send: Send;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly storeCred: StoreCred;
  readonly unicode: boolean;
}

/**
 * Logs in by device code, as a public client, and stores the refresh token, then the access token that came with it.
 * @throws CodedError as `beginDeviceLogin` and `finishDeviceLogin`; `LOGIN_REFUSED` when the issuer gives no refresh token, `SCOPE_WIDENED`
 */
export async function deviceLogin(
  world: LoginWorld,
  request: StoreRequest,
  settings: DeviceSettings,
): Promise<void> {
  const { send, clock, terminal, storeCred } = world;
  const registration = await registrationOf(world, request.service, settings);
  const scope = [request.scopes, ...settings.extraScopes].join(' ');
  const asked = { scope, resource: request.audience, now: clock.now() };
  const login = await beginDeviceLogin(send, registration, asked);
  terminal.print(devicePrompt(request.service, login, world.unicode));
  const answer = await finishDeviceLogin(send, registration, login, { clock });
  const { refreshToken } = answer;
  if (refreshToken === undefined) {
    const mend = `the administrator can add the scope that gives one (often offline_access) to CREDMON_${request.service}_EXTRA_SCOPES`;
    throw new CodedError('LOGIN_REFUSED', `the issuer of ${request.service} gave no refresh token; ${mend}`, {
      provider: request.service,
    });
  }
  const { note } = judgeGrant({
    name: request.service,
    asked: request.scopes,
    granted: answer.scope,
    extra: settings.extraScopes,
  });
  if (note !== undefined) terminal.print(`Note: ${note}.`);
  await storeCred.add(request, { refresh_token: refreshToken });
  const { defaultLifetime, useIdToken } = settings;
  await storeCred.addUse(request, useContents(answer, clock.now(), defaultLifetime, useIdToken));
  terminal.print(`Stored ${request.service}.`);
}

async function registrationOf(
  world: LoginWorld,
  service: string,
  { registration, origins }: DeviceSettings,
): Promise<ClientRegistration> {
  const { issuer, deviceUrl, allowLoopbackHttp } = registration;
  if (deviceUrl === undefined && issuer === undefined) {
    const what = `neither CREDMON_${service}_DEVICE_URL nor CREDMON_${service}_ISSUER is set`;
    throw new CodedError('CONFIG_INVALID', `${what}: the administrator must say where a device login begins`);
  }
  return {
    ...registration,
    deviceUrl: deviceUrl ?? (await discovered(world, issuer ?? '', { allowLoopbackHttp, origins })),
  };
}

async function discovered(
  { send, clock }: LoginWorld,
  issuer: string,
  options: Pick<MetadataOptions, 'allowLoopbackHttp' | 'origins'>,
): Promise<string> {
  const cache = createMetadataCache({ lifetime: 0, ...options });
  const { deviceUrl, elsewhere } = await cache.find(send, issuer, clock.now());
  if (deviceUrl !== undefined) return deviceUrl;
  if (elsewhere.length > 0) throw new CodedError('ENDPOINT_REFUSED', elsewhere.join('; '), { issuer });
  throw new CodedError('ISSUER_METADATA_INVALID', `the issuer ${issuer} offers no device login (RFC 8628)`, {
    issuer,
  });
}
