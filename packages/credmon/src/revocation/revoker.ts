// What every kind of provider can do about the secrets of its tokens.
import { createMetadataCache } from '@credmon/core/oauth';
import type { Clock, Random, Send } from '@credmon/core/base';
import type { Parsed, TokenSnapshot } from '@credmon/core/credential';
import type { TokenFiles } from '@credmon/core/store';
import type { ProviderContext } from '../providers/common/provider.ts';
import type { ProviderKind } from '../settings/lists.ts';
import type { Settings } from '../settings/read.ts';
import { clientOrReason, stepsAtIssuer } from './at-issuer.ts';
import { stepsAtVault } from './at-vault.ts';
import { loginClient, serviceClient, serviceOf, type ClientFinder } from './clients.ts';
import { nobodyAsked, type FoundSecrets, type Steps } from './steps.ts';

/**
 * Does everything that may wait or fail before a file goes; what it answers with plans
 * for the secrets that are then found.
 */
export type Prepare = (
  kind: ProviderKind,
  token: TokenSnapshot,
  files: TokenFiles,
) => Promise<(secrets: FoundSecrets) => Steps>;

/**
 * What revoking uses of the world. `vaultSend` and `pelicanSend` are those servers' own:
 * their authorities are not the issuers'.
 */
export interface RevokerPorts {
  readonly secretVersion: (path: string) => string;
  readonly random: Random;
  readonly clock: Clock;
  readonly send: Send;
  readonly vaultSend: Send;
  readonly pelicanSend: Send;
  readonly readSecret: (path: string, form?: 'line' | 'whole') => Parsed<string>;
  readonly revocationUrl: (service: string) => string | undefined;
}

/** How long an issuer's metadata serves one command, in seconds. */
const METADATA_SECONDS = 3600;

/** Revokers for these settings. */
export function createRevoker(settings: Settings, ports: RevokerPorts): Prepare {
  const { allowLoopbackHttp, endpointOrigins, lists, policy, tokenClients, clients, vault } =
    settings;
  const { send, clock } = ports;
  const finder = (its: Send = send): ClientFinder => ({
    options: {
      clients: tokenClients,
      secretVersion: ports.secretVersion,
      random: ports.random,
      promises: new Map(),
      specialNames: lists.specialNames,
      allowLoopbackHttp,
      endpointOrigins,
      defaultLifetime: policy.defaultLifetime,
    },
    metadata,
    revocationUrl: ports.revocationUrl,
    context: contextOf(ports, its),
  });
  const metadata = createMetadataCache({
    lifetime: METADATA_SECONDS,
    allowLoopbackHttp,
    origins: endpointOrigins,
  });
  return async (kind, token, files) => {
    const service = serviceOf(token, finder().options);
    switch (kind) {
      case 'oauth2': {
        const found = await clientOrReason(() =>
          loginClient(service, clients.get(service.toUpperCase()), finder()),
        );
        return (secrets) => stepsAtIssuer(found, secrets, send, clock);
      }
      case 'client':
      case 'exchange':
      case 'pelican': {
        const client = tokenClients.find(
          (one) => one.name === service && one.kind.toLowerCase() === kind,
        );
        const its = kind === 'pelican' ? ports.pelicanSend : send;
        const found = await clientOrReason(() => serviceClient(token, files, client, finder(its)));
        return (secrets) => stepsAtIssuer(found, secrets, its, clock);
      }
      case 'vault':
        return (secrets) =>
          stepsAtVault(files.top, secrets, { settings: vault, send: ports.vaultSend, clock });
      case 'local':
        return (secrets) =>
          nobodyAsked(secrets, 'what is signed here cannot be called back', false);
      case 'exec':
        return (secrets) => nobodyAsked(secrets, 'its token program has no way to revoke', false);
    }
  };
}

function contextOf({ clock, readSecret }: RevokerPorts, send: Send): ProviderContext {
  const nothing = { ok: false, reason: 'is missing' } as const;
  return {
    send,
    now: clock.now(),
    readSecret,
    readToken: () => ({ top: nothing, topIdentity: undefined, meta: nothing }),
  };
}
