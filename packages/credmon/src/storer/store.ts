// Stores one credential after the other: what is there already is left alone, what is
// missing is logged in for.
import { CodedError } from '@credmon/core/base';
import { noHandles, refusedName, stemOf } from '@credmon/core/credential';
import { deleteCommand } from '../report/remediation.ts';
import { deviceLogin, type LoginWorld } from './device-login.ts';
import { pelicanLogin } from './pelican-login.ts';
import type { Run } from './programs.ts';
import { needsTerminal } from './prompt.ts';
import { confidentialClient } from './public-client.ts';
import type { StoreRequest } from './request.ts';
import { notForStorer, routeOf } from './route.ts';
import type { DeviceSettings, StorerSettings } from './settings.ts';
import { vaultLogin } from './vault-login.ts';

/**
 * What storing may use of the world. Without a `terminal` nobody can log in; `stderr` is
 * where programs then complain.
 */
export interface StorerWorld extends Omit<LoginWorld, 'terminal'> {
  readonly terminal: LoginWorld['terminal'] | undefined;
  readonly run: Run;
  readonly stderr: number;
  readonly mode: string | undefined;
  /** True when condor_submit started the storer, not a person. */
  readonly bySubmit?: boolean;
  readonly say: (text: string) => void;
}

/** Stores every request. @throws CodedError the first that cannot be stored */
export async function storeAll(
  world: StorerWorld,
  requests: readonly StoreRequest[],
  settings: StorerSettings,
  force: boolean,
): Promise<void> {
  for (const given of requests) await storeOne(world, completed(given, settings), settings, force);
}

/** condor_submit has filled in the defaults; who calls by hand gets the same. */
function completed(request: StoreRequest, { defaults }: StorerSettings): StoreRequest {
  const { scopes, audience } = defaults(request.service);
  return { ...request, scopes: request.scopes || scopes, audience: request.audience || audience };
}

async function storeOne(
  world: StorerWorld,
  request: StoreRequest,
  settings: StorerSettings,
  force: boolean,
): Promise<void> {
  const { service } = request;
  const stem = stemOf(service, request.handle);
  const facts = { ...settings, hasClient: settings.hasClient(service), mode: world.mode };
  const left =
    world.bySubmit === true
      ? notForStorer(service, { ...facts, client: settings.device(service) })
      : undefined;
  if (left !== undefined) return world.say(`${stem} is left alone: ${left}`);
  const refusal = nameRefusal(request, settings);
  if (refusal !== undefined)
    throw new CodedError('PROVIDER_REFUSED', refusal, { provider: service });
  const route = routeOf(service, facts);
  const stored = force ? 'no' : await world.storeCred.query(request);
  if (stored === 'yes') return world.say(`${stem} is stored already`);
  if (stored === 'mismatch') throw mismatch(stem, request);
  world.say(`${stem} is not stored: ${route} login`);
  const interactive = world.terminal !== undefined;
  if (route === 'vault')
    return vaultLogin({ ...world, interactive }, request, settings.getTokenOptions);
  const device = route === 'device' ? deviceOf(service, settings) : undefined;
  if (!world.terminal) throw needsTerminal(request);
  if (!device) return pelicanLogin(world, request, settings.pelican(service));
  return deviceLogin({ ...world, terminal: world.terminal }, request, device);
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
