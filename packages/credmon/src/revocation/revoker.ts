// Plans the revocation of tokens for every kind of provider, limited at one issuer like
// renewals; a token's files are kept until its request may start.
import type { ProviderContext } from '../providers/common/provider.ts';
import { namespaceHeader, parseVaultTop, trustedVaultUrl } from '../providers/vault/protocol.ts';
import { serverOf } from '../settings/clients.ts';
import type { ProviderKind } from '../settings/lists.ts';
import type { Settings } from '../settings/read.ts';
import type { VaultSettings } from '../settings/vault.ts';
import type { Limiter } from '../throttle/limiter.ts';
import { type ClientFinder, loginClient, serviceClient, serviceOf } from './revoke-token.ts';
import { type FoundSecrets, type Step, type Steps, type Unrevoked, noRequests } from './report.ts';
import {
  type Clock,
  CodedError,
  type Random,
  type Send,
  messageOf,
  originOf,
} from '@credmon/core/base';
import { type Parsed, type TokenSnapshot, tokenId } from '@credmon/core/credential';
import {
  type ClientRegistration,
  classifyFailure,
  createMetadataCache,
  revokeToken,
} from '@credmon/core/oauth';
import { policyOf } from '@credmon/core/profiles';
import type { TokenFiles } from '@credmon/core/store';

/**
 * Does everything that may wait or fail before the files are removed, and returns a
 * function that plans the requests for the secrets found.
 */
export type Prepare = (
  kind: ProviderKind,
  token: TokenSnapshot,
  files: TokenFiles,
) => Promise<(secrets: FoundSecrets) => Steps>;

/**
 * The ports of revocation. `vaultSend` and `pelicanSend` have their own certificate
 * authorities.
 */
interface RevokerPorts {
  readonly secretVersion: (path: string) => string;
  readonly random: Random;
  readonly clock: Clock;
  readonly send: Send;
  readonly vaultSend: Send;
  readonly pelicanSend: Send;
  readonly readSecret: (path: string, form?: 'line' | 'whole') => Parsed<string>;
}

/** How long an issuer's metadata is cached, in seconds. */
const METADATA_SECONDS = 3600;

/** Creates the revocation planner for these settings. */
export function createRevoker(settings: Settings, ports: RevokerPorts): Prepare {
  const { allowLoopbackHttp, endpointOrigins, lists, policy, tokenClients, clients, vault } =
    settings;
  const { send, clock } = ports;
  const finder = (its: Send = send): ClientFinder => ({
    options: {
      clients: tokenClients,
      secretVersion: ports.secretVersion,
      random: ports.random,
      specialNames: lists.specialNames,
      allowLoopbackHttp,
      endpointOrigins,
      defaultLifetime: policy.defaultLifetime,
    },
    metadata,
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
        return (secrets) => noRequests(secrets, 'locally signed tokens cannot be revoked', false);
      case 'exec':
        return (secrets) =>
          noRequests(secrets, 'its token program does not support revocation', false);
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

// Revocation at a Vault: the Vault token in `.top` revokes itself. The Vault's refresh
// token also serves other machines and is kept.

const WHAT = 'Vault token';

/** Plans the requests to a Vault. Nothing is sent to an untrusted server. */
function stepsAtVault(
  top: Parsed<string>,
  secrets: FoundSecrets,
  { settings, send, clock }: { settings: VaultSettings; send: Send; clock: Clock },
): Steps {
  const { unrevoked } = noRequests(
    { ...secrets, refreshToken: undefined },
    'access tokens from a Vault cannot be revoked',
    false,
  );
  const parsed = top.ok ? parseVaultTop(top.value) : top;
  if (!parsed.ok)
    return { steps: [], unrevoked: [...unrevoked, notRevoked(`.top ${parsed.reason}`)] };
  const { vaultToken, vaultUrl } = parsed.value;
  // A handle uses its parent's Vault token, which is revoked with the parent.
  if (vaultToken === undefined) return { steps: [], unrevoked };
  try {
    const { origin } = trustedVaultUrl(vaultUrl, settings);
    const headers = { 'x-vault-token': vaultToken, ...namespaceHeader(settings) };
    const revoke = (): Promise<void> => revokeSelf(origin, headers, send, clock);
    return { steps: [{ what: WHAT, where: origin, revoke }], unrevoked };
  } catch (error) {
    return { steps: [], unrevoked: [...unrevoked, notRevoked(messageOf(error))] };
  }
}

function notRevoked(why: string): Unrevoked {
  return { what: WHAT, revoked: false, why, fixable: true };
}

/** @see https://developer.hashicorp.com/vault/api-docs/auth/token#revoke-a-token-self */
async function revokeSelf(
  origin: string,
  sent: Readonly<Record<string, string>>,
  send: Send,
  clock: Clock,
): Promise<void> {
  const { status, headers } = await send({
    method: 'POST',
    url: `${origin}/v1/auth/token/revoke-self`,
    headers: sent,
  });
  if (status === 204 || status === 200) return;
  const where = originOf(origin);
  if (status === 403)
    throw new CodedError(
      'GRANT_REVOKED',
      `the Vault ${where} answered "permission denied": the Vault token is unknown, or not allowed to revoke itself`,
      { where, status },
    );
  const retryAfter = headers['retry-after'];
  const answer = { status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  const { code, fields } = classifyFailure(where, answer, clock.now());
  throw new CodedError(code, `the Vault ${where} answered HTTP status ${status}`, fields);
}

// Revocation at an OAuth issuer: the refresh token first, because most issuers then
// revoke its access tokens, too.

/** A client at an issuer, and the configured or discovered endpoint. */
export interface RevokingClient {
  readonly registration: ClientRegistration;
  readonly revocationUrl: string;
}

/**
 * Plans the requests to an issuer; without a client no secret is revoked, with the
 * reason.
 * @see RFC 7009
 */
function stepsAtIssuer(
  client: Parsed<RevokingClient>,
  secrets: FoundSecrets,
  send: Send,
  clock: Clock,
): Steps {
  if (!client.ok) return noRequests(secrets, client.reason, true);
  const { registration, revocationUrl } = client.value;
  const step = (hint: 'refresh_token' | 'access_token', token: string): Step => ({
    what: hint.replace('_', ' '),
    where: originOf(revocationUrl),
    revoke: () => revokeToken(send, registration, revocationUrl, { token, hint, now: clock.now() }),
  });
  const { refreshToken, accessTokens } = secrets;
  return {
    steps: [
      ...(refreshToken === undefined ? [] : [step('refresh_token', refreshToken)]),
      ...accessTokens.map((token) => step('access_token', token)),
    ],
    unrevoked: [],
  };
}

/** Returns the client that `find` returns, or why there is none. */
async function clientOrReason(
  find: () => Promise<Parsed<RevokingClient>>,
): Promise<Parsed<RevokingClient>> {
  try {
    return await find();
  } catch (error) {
    return { ok: false, reason: messageOf(error) };
  }
}

/**
 * Returns the issuer that a revocation will ask, as far as the configuration says: an
 * origin, or the kind of provider.
 */
export function issuerToAsk(
  kind: ProviderKind,
  token: TokenSnapshot,
  settings: Pick<Settings, 'clients' | 'tokenClients' | 'lists' | 'policies'>,
): string {
  const { clients, tokenClients, lists, policies } = settings;
  const service = serviceOf(token, lists);
  const client = tokenClients.find(
    (one) => one.name === service && one.kind.toLowerCase() === kind,
  );
  const login = clients.get(service.toUpperCase());
  const url =
    policyOf(policies, service).endpoints.revocationUrl ??
    (kind === 'oauth2' ? login && serverOf(login) : (client?.issuers[0] ?? client?.tokenUrl));
  return url === undefined ? kind : originOf(url);
}

/** Runs `work` for a token when `issuer` has a free slot. */
export function throttled<T>(
  throttle: Limiter,
  issuer: string,
  token: TokenSnapshot,
  work: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // The result does not affect the next token: every named token is tried.
    const run = async (): Promise<undefined> => {
      resolve(await work());
      return undefined;
    };
    throttle
      .add({
        issuer,
        user: token.user,
        id: tokenId(token),
        deadline: Number.POSITIVE_INFINITY,
        run,
        skip: reject,
      })
      .catch(reject);
  });
}
