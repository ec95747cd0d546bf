// Which way a credential is obtained: by a device login, from a Vault, or from Pelican.
// Pure.
import { CodedError, shellWord } from '@credmon/core/base';
import type { DeviceSettings } from './settings.ts';
import { ownerOf, type ProviderLists } from '../settings/lists.ts';

/** The ways. */
export type Route = 'device' | 'vault' | 'pelican';

/**
 * What the choice stands on. `mode` is CONDOR_CREDENTIAL_STORER_MODE, which condor_submit
 * sets.
 */
export interface RouteFacts {
  readonly lists: ProviderLists;
  readonly hasClient: boolean;
  readonly mode: string | undefined;
}

/**
 * What says whether condor_submit means the storer: `client` is the service's device
 * login, if it has a client.
 */
export interface SubmitFacts extends RouteFacts {
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
