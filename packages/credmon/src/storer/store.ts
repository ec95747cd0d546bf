// Stores credentials one after the other: existing ones are not replaced, a missing one
// starts a login.
import { CodedError } from '@credmon/core/base';
import { noHandles, refusedName, stemOf } from '@credmon/core/credential';
import { addCommand, deleteCommand } from '../report/remediation.ts';
import { deviceLogin, type LoginContext, confidentialClient } from './device-login.ts';
import { pelicanLogin, vaultLogin, type Run } from './programs.ts';
import { needsTerminal, type StoreRequest } from './arguments.ts';
import type { DeviceSettings, StorerSettings } from './settings.ts';
import { ownerOf, type ProviderLists } from '../settings/lists.ts';

/**
 * The ports of storing. Without a `terminal` no login is possible; `stderr` is a
 * descriptor for the errors of programs.
 */
interface StorerContext extends Omit<LoginContext, 'terminal'> {
  readonly terminal: LoginContext['terminal'] | undefined;
  readonly run: Run;
  readonly stderr: number;
  readonly mode: string | undefined;
  /** True when condor_submit started the storer, not a person. */
  readonly bySubmit?: boolean;
  /**
   * True when the job is submitted without asking CredD for what the storer does not get:
   * HTCondor before 25.14.
   */
  readonly storesAlone?: boolean;
  readonly say: (text: string) => void;
}

/** Stores every request. @throws CodedError the first failure */
export async function storeAll(
  context: StorerContext,
  requests: readonly StoreRequest[],
  settings: StorerSettings,
  force: boolean,
): Promise<void> {
  const others: OtherRequest[] = [];
  for (const each of requests) {
    const request = completed(each, settings);
    const why = context.bySubmit === true ? notOurs(context, request, settings) : undefined;
    if (why === undefined) await storeOne(context, request, settings, force);
    else others.push({ request, why });
  }
  // After the logins: the missing tokens of the other names then need one more submit only.
  for (const other of others) await checkOther(context, other);
}

/** A request of condor_submit that is not for the storer, and why. */
interface OtherRequest {
  readonly request: StoreRequest;
  readonly why: string;
}

function notOurs(
  { mode }: StorerContext,
  { service }: StoreRequest,
  settings: StorerSettings,
): string | undefined {
  const facts = { ...settings, hasClient: settings.hasClient(service), mode };
  return notForStorer(service, { ...facts, client: settings.device(service) });
}

/** @throws CodedError if the job would be submitted without this token, and then held */
async function checkOther(
  { storesAlone, storeCred, say }: StorerContext,
  { request, why }: OtherRequest,
): Promise<void> {
  const stem = stemOf(request.service, request.handle);
  say(`${stem} is skipped: ${why}`);
  if (storesAlone !== true) return;
  const stored = await storeCred.query(request);
  if (stored === 'mismatch') throw mismatch(stem, request);
  if (stored === 'no') throw missing(stem, request, why);
}

/** Fills in the defaults, as condor_submit does. */
function completed(request: StoreRequest, { defaults }: StorerSettings): StoreRequest {
  const { scopes, audience } = defaults(request.service);
  return { ...request, scopes: request.scopes || scopes, audience: request.audience || audience };
}

async function storeOne(
  context: StorerContext,
  request: StoreRequest,
  settings: StorerSettings,
  force: boolean,
): Promise<void> {
  const { service } = request;
  const stem = stemOf(service, request.handle);
  const facts = { ...settings, hasClient: settings.hasClient(service), mode: context.mode };
  const rejection = nameRejection(request, settings);
  if (rejection !== undefined)
    throw new CodedError('PROVIDER_REFUSED', rejection, { provider: service });
  const route = routeOf(service, facts);
  const stored = force ? 'no' : await context.storeCred.query(request);
  if (stored === 'yes') return context.say(`${stem} is already stored`);
  if (stored === 'mismatch') throw mismatch(stem, request);
  context.say(`${stem} is not stored: ${route} login`);
  const interactive = context.terminal !== undefined;
  if (route === 'vault')
    return vaultLogin({ ...context, interactive }, request, settings.getTokenOptions);
  const device = route === 'device' ? deviceOf(service, settings) : undefined;
  if (!context.terminal) throw needsTerminal(request);
  if (!device) return pelicanLogin(context, request, settings.pelican(service));
  return deviceLogin({ ...context, terminal: context.terminal }, request, device);
}

/**
 * Returns why a credential of this name would not be renewed, or would belong to another
 * provider.
 */
function nameRejection(
  { service, handle }: StoreRequest,
  { names, device }: Pick<StorerSettings, 'names' | 'device'>,
): string | undefined {
  if (names.specialNames && handle !== '') return noHandles(service, handle);
  const rejection = refusedName(stemOf(service, handle), names);
  if (rejection !== undefined || device(service) === undefined) return rejection;
  // The daemon would use the client of another name, and a device login creates no .meta.
  return names.problems.find(({ name }) => name.toUpperCase() === service.toUpperCase())?.text;
}

/** Rejects a login that cannot succeed before asking for a terminal. */
function deviceOf(service: string, settings: StorerSettings): DeviceSettings {
  const fail = (what: string): CodedError =>
    new CodedError('CONFIG_INVALID', what, { provider: service });
  const device = settings.device(service);
  if (!device)
    throw fail(
      `${service}_CLIENT_ID and ${service}_TOKEN_URL (or CREDMON_${service}_ISSUER) are not set; ` +
        'the administrator must add them',
    );
  const confidential = confidentialClient(service, device.client);
  if (confidential !== undefined) throw fail(confidential);
  return device;
}

function mismatch(stem: string, request: StoreRequest): CodedError {
  return new CodedError(
    'LOGIN_REFUSED',
    `${stem} is stored for other scopes or another audience, and jobs may be using it; fix: ${deleteCommand(request)}`,
    { token: stem },
  );
}

const ON_THE_WEB = 'users sign in on the web';

/**
 * Returns the error for a token that condor_submit needs and that is not stored. Without a
 * storer, condor_submit asks CredD for the link.
 */
function missing(stem: string, request: StoreRequest, why: string): CodedError {
  const steps =
    why === ON_THE_WEB
      ? [
          'Get the link like this, open it in a browser, then submit again as usual:',
          '',
          '    _CONDOR_SEC_CREDENTIAL_STORER= condor_submit FILE',
        ]
      : [
          'Store it once by hand, then submit again. FILE contains {} if it needs no input:',
          '',
          `    ${addCommand(request)}`,
        ];
  return new CodedError(
    'TOKEN_NOT_STORED',
    [`${stem} is not stored: ${why}.`, ...steps].join('\n'),
    {
      token: stem,
    },
  );
}

// Chooses how to get a credential: by a device login, from a Vault, or from Pelican.
// Pure.

/** The kinds of login. */
type Route = 'device' | 'vault' | 'pelican';

/**
 * The input of the choice. `mode` is CONDOR_CREDENTIAL_STORER_MODE from condor_submit.
 */
interface RouteFacts {
  readonly lists: ProviderLists;
  readonly hasClient: boolean;
  readonly mode: string | undefined;
}

/**
 * The input for the decision whether a name is for the storer; `client` is the service's
 * device login, if it has a client.
 */
interface SubmitFacts extends RouteFacts {
  readonly client: Pick<DeviceSettings, 'client' | 'listed' | 'signsInOnWeb'> | undefined;
}

/**
 * Returns why a name from condor_submit is not for the storer, as a clause; `undefined`
 * when it is. HTCondor before 25.14 passes all names, including those for which users
 * sign in on the web or condor_credmon makes the tokens.
 */
export function notForStorer(service: string, facts: SubmitFacts): string | undefined {
  const { lists, hasClient, mode, client } = facts;
  const owner = ownerOf(service, lists, { hasClient, vaultEnabled: mode === 'vault' });
  switch (owner.kind) {
    case 'vault':
    case 'pelican':
      return undefined;
    case 'nobody':
      return mode === 'vault' || mode === 'pelican' ? undefined : owner.why;
    case 'oauth2': {
      if (client === undefined || client.listed) return undefined;
      const isConfidential = client.client.secretFile !== undefined;
      return isConfidential || client.signsInOnWeb ? ON_THE_WEB : undefined;
    }
    default:
      return `it needs no login (${owner.kind})`;
  }
}

/**
 * Chooses the login for a service by the owner of its tokens, so that condor_credmon can
 * renew what is stored; for an unlisted name by condor_submit's mode.
 * @throws CodedError `USAGE` when the service needs no login, or is unknown
 */
export function routeOf(service: string, { lists, hasClient, mode }: RouteFacts): Route {
  const owner = ownerOf(service, lists, { hasClient, vaultEnabled: mode === 'vault' });
  switch (owner.kind) {
    case 'oauth2':
      return 'device';
    case 'vault':
    case 'pelican':
      return owner.kind;
    case 'nobody':
      if (mode === 'vault' || mode === 'pelican') return mode;
      throw new CodedError('USAGE', `unknown service ${service}: ${owner.why}`, { service });
    case 'exchange':
      throw new CodedError(
        'USAGE',
        [
          `${service} has no login: condor_credmon exchanges an access token that you store (exchange).`,
          'Store one from a file with {"access_token": "..."}, and it is exchanged within a minute:',
          '',
          `    ${addCommand({ service, handle: '' })}`,
        ].join('\n'),
        { service },
      );
    default:
      throw new CodedError(
        'USAGE',
        `${service} needs no login: condor_credmon gets its tokens (${owner.kind})`,
        {
          service,
        },
      );
  }
}
