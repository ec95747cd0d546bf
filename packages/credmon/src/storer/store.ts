// Stores one credential after the other: what is there already is left alone, what is
// missing is logged in for.
import { CodedError, shellWord } from '@credmon/core/base';
import { noHandles, refusedName, stemOf } from '@credmon/core/credential';
import { deleteCommand } from '../report/remediation.ts';
import { deviceLogin, type LoginContext, confidentialClient } from './device-login.ts';
import { pelicanLogin, vaultLogin } from './vault-login.ts';
import type { Run } from './programs.ts';
import { needsTerminal } from './terminal.ts';
import type { StoreRequest } from './request.ts';
import type { DeviceSettings, StorerSettings } from './settings.ts';
import { ownerOf, type ProviderLists } from '../settings/lists.ts';

/**
 * What storing may use of the context. Without a `terminal` nobody can log in; `stderr` is
 * where programs then complain.
 */
interface StorerContext extends Omit<LoginContext, 'terminal'> {
  readonly terminal: LoginContext['terminal'] | undefined;
  readonly run: Run;
  readonly stderr: number;
  readonly mode: string | undefined;
  /** True when condor_submit started the storer, not a person. */
  readonly bySubmit?: boolean;
  readonly say: (text: string) => void;
}

/** Stores every request. @throws CodedError the first that cannot be stored */
export async function storeAll(
  context: StorerContext,
  requests: readonly StoreRequest[],
  settings: StorerSettings,
  force: boolean,
): Promise<void> {
  for (const given of requests)
    await storeOne(context, completed(given, settings), settings, force);
}

/** condor_submit has filled in the defaults; who calls by hand gets the same. */
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
  const left =
    context.bySubmit === true
      ? notForStorer(service, { ...facts, client: settings.device(service) })
      : undefined;
  if (left !== undefined) return context.say(`${stem} is left alone: ${left}`);
  const refusal = nameRefusal(request, settings);
  if (refusal !== undefined)
    throw new CodedError('PROVIDER_REFUSED', refusal, { provider: service });
  const route = routeOf(service, facts);
  const stored = force ? 'no' : await context.storeCred.query(request);
  if (stored === 'yes') return context.say(`${stem} is stored already`);
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

/** Why a credential of this name would be left alone, or taken for another provider's. */
function nameRefusal(
  { service, handle }: StoreRequest,
  { names, device }: Pick<StorerSettings, 'names' | 'device'>,
): string | undefined {
  if (names.specialNames && handle !== '') return noHandles(service, handle);
  const refused = refusedName(stemOf(service, handle), names);
  if (refused !== undefined || device(service) === undefined) return refused;
  // The daemon would look for the client of another name, and a device login leaves no
  // .meta.
  return names.problems.find(({ name }) => name.toUpperCase() === service.toUpperCase())?.text;
}

/**
 * A login that cannot end well is refused before anybody is asked to come to a terminal.
 */
function deviceOf(service: string, settings: StorerSettings): DeviceSettings {
  const fail = (what: string): CodedError =>
    new CodedError('CONFIG_INVALID', what, { provider: service });
  const device = settings.device(service);
  if (!device)
    throw fail(
      `${service}_CLIENT_ID and ${service}_TOKEN_URL are not set; the administrator must add them`,
    );
  const confidential = confidentialClient(service, device.client);
  if (confidential !== undefined) throw fail(confidential);
  return device;
}

function mismatch(stem: string, request: StoreRequest): CodedError {
  return new CodedError(
    'LOGIN_REFUSED',
    `${stem} is stored for other scopes or another audience, and jobs may be using it; to replace it: ${deleteCommand(request)}`,
    { token: stem },
  );
}

// Which way a credential is obtained: by a device login, from a Vault, or from Pelican.
// Pure.

/** The ways. */
type Route = 'device' | 'vault' | 'pelican';

/**
 * What the choice stands on. `mode` is CONDOR_CREDENTIAL_STORER_MODE, which condor_submit
 * sets.
 */
interface RouteFacts {
  readonly lists: ProviderLists;
  readonly hasClient: boolean;
  readonly mode: string | undefined;
}

/**
 * What says whether condor_submit means the storer: `client` is the service's device
 * login, if it has a client.
 */
interface SubmitFacts extends RouteFacts {
  readonly client: Pick<DeviceSettings, 'client' | 'listed' | 'signsInOnWeb'> | undefined;
}

/**
 * Why a name that condor_submit passes is not for the storer, as a clause; `undefined`
 * when it is. HTCondor before 25.14 passes all names: users sign in on the web for some,
 * and condor_credmon makes the tokens of others.
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
      return isConfidential || client.signsInOnWeb ? 'users sign in on the web' : undefined;
    }
    default:
      return `needs no login (${owner.kind})`;
  }
}

/**
 * The way for a service: the owner of its tokens decides, so that what is stored is what
 * condor_credmon renews; for a name that nobody lists, what condor_submit says.
 * @throws CodedError `USAGE` when the service needs no login, or nobody knows it
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
      throw new CodedError('USAGE', `nobody here knows ${service}: ${owner.why}`, { service });
    case 'exchange':
      throw new CodedError(
        'USAGE',
        [
          `${service} has no login of its own: condor_credmon exchanges an access token that you store (exchange).`,
          'Store one from a file with {"access_token": "..."}, and it is exchanged within a minute:',
          '',
          `    condor_store_cred add-oauth -s ${shellWord(service)} -i FILE`,
        ].join('\n'),
        { service },
      );
    default:
      throw new CodedError(
        'USAGE',
        `${service} needs no login: condor_credmon makes its tokens (${owner.kind})`,
        {
          service,
        },
      );
  }
}
