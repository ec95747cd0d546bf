// A device login: the prompt on the terminal (standard output, standard error, or the
// controlling terminal), the wait, and the storage of the tokens.
import { checkScopes } from '../providers/common/granted-scopes.ts';
import type { ConfiguredClient } from '../settings/clients.ts';
import type { StoreRequest } from './arguments.ts';
import type { StoreCred } from './programs.ts';
import type { DeviceSettings } from './settings.ts';
import { type Clock, CodedError, type Send, isCoded, systemCode } from '@credmon/core/base';
import {
  type Parsed,
  STORED_BEFORE_TOP,
  type TokenAnswer,
  digestUse,
  useContents,
  useFile,
} from '@credmon/core/credential';
import {
  type ClientRegistration,
  type CompleteRegistration,
  type DeviceLogin,
  type IssuerMetadata,
  beginDeviceLogin,
  completeRegistration,
  createKeySetCache,
  createMetadataCache,
  finishDeviceLogin,
  keysFrom,
  namesOf,
  withIdentity,
} from '@credmon/core/oauth';
import { openSync, writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import { renderUnicodeCompact } from 'uqr';

/** A terminal. `descriptor` is for programs that write to it themselves. */
export interface Terminal {
  readonly descriptor: number;
  print(text: string): void;
}

/**
 * Returns the terminal, or `undefined` when there is none: a cron job, a script, a batch
 * job.
 */
export function findTerminal(): Terminal | undefined {
  const descriptor = [1, 2].find((each) => isatty(each)) ?? controllingTerminal();
  return descriptor === undefined
    ? undefined
    : { descriptor, print: (text) => void writeSync(descriptor, `${text}\n`) };
}

/** condor_submit may capture the storer's output; the person still sees `/dev/tty`. */
function controllingTerminal(): number | undefined {
  try {
    return openSync('/dev/tty', 'r+');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

// The texts of a login, with and without a terminal. Pure.

/**
 * Returns the prompt of a device login. `purpose` is what the login is for ("let your
 * jobs use mytok"); `unicode`: the terminal can show the blocks of a QR code.
 */
export function devicePrompt(purpose: string, login: DeviceLogin, unicode: boolean): string {
  const { verificationUrl, completeUrl, userCode, expiresIn } = login;
  const target = completeUrl ?? verificationUrl;
  const minutes = Math.max(1, Math.floor(expiresIn / 60));
  return [
    `To ${purpose}, open this page on any device and log in:`,
    '',
    `    ${target}`,
    '',
    ...(unicode ? [renderUnicodeCompact(target, { border: 2 }), ''] : []),
    ...(completeUrl === undefined
      ? ['Enter this code there:']
      : [`The page must show this code (or ask for it at ${verificationUrl}):`]),
    '',
    `    ${userCode}`,
    '',
    `Waiting for up to ${minutes} min; press Ctrl-C to cancel.`,
  ].join('\n');
}

/** The ports of a login. `unicode`: the terminal can show QR codes. */
export interface LoginContext {
  readonly send: Send;
  readonly clock: Clock;
  readonly terminal: Terminal;
  readonly storeCred: StoreCred;
  readonly unicode: boolean;
}

/** What a login asks for. `service` is the provider. */
export interface LoginWish {
  readonly service: string;
  /** What the user lets happen: "let your jobs use mytok". */
  readonly purpose: string;
  readonly scopes: string;
  readonly audience: string;
}

/** The accepted answer of a login, with its refresh token. */
export interface GrantedLogin {
  readonly answer: TokenAnswer;
  readonly refreshToken: string;
}

/**
 * Logs in by device code: prints the prompt, waits for the user, and checks the answer.
 * @throws CodedError as `beginDeviceLogin` and `finishDeviceLogin`; `LOGIN_REFUSED` when
 * the issuer returns no refresh token, `SCOPE_WIDENED`
 */
export async function grantByDevice(
  context: Omit<LoginContext, 'storeCred'>,
  wish: LoginWish,
  settings: Pick<DeviceSettings, 'draft' | 'origins' | 'policy' | 'signsInOnWeb'>,
): Promise<GrantedLogin> {
  const { send, clock, terminal } = context;
  const { service } = wish;
  const { policy } = settings;
  const { registration, metadata } = await registrationOf(context, service, settings);
  const scope = [wish.scopes, ...policy.scopes.extra].join(' ');
  const asked = { scope, audience: wish.audience, now: clock.now() };
  const login = await beginDeviceLogin(send, registration, asked);
  terminal.print(devicePrompt(wish.purpose, login, context.unicode));
  const unverified = await finishDeviceLogin(send, registration, login, { clock });
  const answer = await identified(context, registration, metadata, unverified);
  const { refreshToken } = answer;
  if (refreshToken === undefined) {
    const fix =
      'fix: the administrator adds the scope for it (often offline_access) ' +
      `to CREDMON_${service}_EXTRA_SCOPES`;
    throw new CodedError(
      'LOGIN_REFUSED',
      `the issuer of ${service} returned no refresh token; ${fix}`,
      {
        provider: service,
      },
    );
  }
  const { note } = checkScopes({
    name: service,
    asked: wish.scopes,
    granted: answer.scope,
    scopes: policy.scopes,
  });
  if (note !== undefined) terminal.print(`Note: ${note}.`);
  return { answer, refreshToken };
}

/**
 * Logs in by device code as a public client, and stores the access token, then the
 * refresh token.
 * @throws CodedError as {@link grantByDevice}
 */
export async function deviceLogin(
  context: LoginContext,
  request: StoreRequest,
  settings: DeviceSettings,
): Promise<void> {
  const { clock, terminal, storeCred } = context;
  const { service, scopes, audience } = request;
  const wish = { service, purpose: `let your jobs use ${service}`, scopes, audience };
  const { answer, refreshToken } = await grantByDevice(context, wish, settings);
  // Before `.top`: the daemon acts as soon as `.top` exists, and would renew a token
  // without `.use`.
  const use = useOf(request.service, answer, settings, clock.now());
  const why = use.ok ? await useProblem(storeCred.addUse(request, use.value)) : use.reason;
  await storeCred.add(request, { refresh_token: refreshToken });
  if (why !== undefined)
    terminal.print(
      `Note: the access token could not be stored: ${why}; condor_credmon will get one at once.`,
    );
  terminal.print(`Stored ${service}.`);
}

/**
 * Returns what to store as `.use`. A bare token has no room for its times, and CredD stores
 * no state file: `.top` is then newer, so that the daemon renews at once and writes the
 * state. A token that the file would make longer-lived is not stored, because file times
 * may be equal.
 * @throws CodedError `ISSUER_ANSWER_INVALID` if the bare token is not readable as one
 */
function useOf(
  provider: string,
  answer: TokenAnswer,
  { policy, defaultLifetime }: DeviceSettings,
  now: number,
): Parsed<Readonly<Record<string, unknown>> | string> {
  if (policy.useJson) {
    const use = useContents(answer, now, defaultLifetime, policy.useIdToken);
    return { ok: true, value: { ...use, [STORED_BEFORE_TOP]: true } };
  }
  const { times } = useFile(answer, { provider, now, defaultLifetime, json: false });
  const seen = digestUse(answer.accessToken, now, defaultLifetime);
  return seen.ok && seen.value.expiresAt <= times.expiresAt + 1
    ? { ok: true, value: answer.accessToken }
    : { ok: false, reason: 'its lifetime cannot be stored beside a bare token' };
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

function registrationOf(
  { send, clock }: Pick<LoginContext, 'send' | 'clock'>,
  service: string,
  { draft, origins, signsInOnWeb }: Pick<DeviceSettings, 'draft' | 'origins' | 'signsInOnWeb'>,
): Promise<CompleteRegistration> {
  const { issuer, endpoints } = draft.policy;
  if (endpoints.deviceUrl === undefined && issuer === undefined) {
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
  const { allowLoopbackHttp } = draft;
  const metadata = createMetadataCache({ lifetime: 3600, allowLoopbackHttp, origins });
  return completeRegistration(draft, { metadata, send, now: clock.now() });
}

/** Verifies the ID token, if the issuer sent one and is configured. */
function identified(
  { send, clock }: Pick<LoginContext, 'send' | 'clock'>,
  registration: ClientRegistration,
  metadata: IssuerMetadata | undefined,
  answer: TokenAnswer,
): Promise<TokenAnswer> {
  const names = namesOf(registration, metadata?.template);
  if (!names) return Promise.resolve(answer);
  const { allowLoopbackHttp, policy } = registration;
  const url = policy?.endpoints.jwksUrl ?? metadata?.jwksUrl;
  const now = clock.now();
  const keys = keysFrom(createKeySetCache({ allowLoopbackHttp }), send, url, now);
  return withIdentity(registration, answer, { names, keys, now });
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
