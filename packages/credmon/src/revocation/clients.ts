// Finds the client and the endpoint for a revocation: from the configuration and the
// metadata of configured issuers, never from a token's files.
import { splitStem, type Parsed, type TokenSnapshot } from '@credmon/core/credential';
import type { MetadataCache } from '@credmon/core/oauth';
import { policyAt, type IssuerPolicy } from '@credmon/core/profiles';
import type { TokenFiles } from '@credmon/core/store';
import { registrationOf, type ClientOptions } from '../providers/client/registration.ts';
import { registrationOfLogin } from '../providers/oauth/registration.ts';
import type { TokenClient } from '../settings/clients.ts';
import type { ConfiguredClient } from '../settings/clients.ts';
import type { ProviderContext } from '../providers/common/provider.ts';
import { issuerOfRefresh, subjectOf } from '../providers/exchange/exchange.ts';
import type { RevokingClient } from './revoker.ts';

/** The ports for finding a client. */
export interface ClientFinder {
  readonly options: ClientOptions;
  readonly metadata: MetadataCache;
  readonly context: ProviderContext;
}

/** Returns the name in the knobs of a token. */
export function serviceOf(
  { stem }: TokenSnapshot,
  { specialNames }: Pick<ClientOptions, 'specialNames'>,
): string {
  return splitStem(stem, specialNames)?.service ?? stem;
}

/**
 * Returns the client of a login.
 * @throws CodedError `SECRET_UNREADABLE`, and errors of the metadata look-up
 */
export async function loginClient(
  service: string,
  client: ConfiguredClient | undefined,
  finder: ClientFinder,
): Promise<Parsed<RevokingClient>> {
  if (!client) {
    const server = `${service}_TOKEN_URL (or CREDMON_${service}_ISSUER)`;
    return failure(`${service}_CLIENT_ID and ${server} are not configured`);
  }
  const endpoint = await endpointOf(service, client.policy, client.policy.issuer, finder);
  if (!endpoint.ok) return endpoint;
  const { context, options, metadata } = finder;
  const { registration } = await registrationOfLogin(
    service,
    client,
    { ...options, metadata },
    context,
    client.policy.endpoints.revocationUrl !== undefined,
  );
  return { ok: true, value: { registration, revocationUrl: endpoint.value } };
}

/**
 * Returns a client that works without a browser.
 * @throws CodedError as {@link loginClient}, and `SUBJECT_REFUSED`
 */
export async function serviceClient(
  token: TokenSnapshot,
  files: TokenFiles,
  client: TokenClient | undefined,
  finder: ClientFinder,
): Promise<Parsed<RevokingClient>> {
  if (!client) return failure('its provider is not configured');
  const { issuers } = client;
  // With several configured issuers, use the one that gave the refresh token; it must be
  // configured.
  const issuer =
    issuers.length > 1 ? issuerOfRefresh(token, subjectOf(token, files), client) : issuers[0];
  const policy = policyAt(client.policy, client.tokenUrl ?? issuer);
  const endpoint = await endpointOf(client.name, policy, issuer, finder);
  if (!endpoint.ok) return endpoint;
  const { metadata, options, context } = finder;
  const registration = await registrationOf(client, issuer, metadata, options, context);
  return { ok: true, value: { registration, revocationUrl: endpoint.value } };
}

async function endpointOf(
  service: string,
  policy: IssuerPolicy,
  issuer: string | undefined,
  { metadata, context }: ClientFinder,
): Promise<Parsed<string>> {
  const knob = `CREDMON_${service}_REVOCATION_URL`;
  const configured = policy.endpoints.revocationUrl;
  if (configured !== undefined) return { ok: true, value: configured };
  if (policy.revocationPage !== undefined)
    return failure(
      `the issuer of ${service} has no revocation endpoint; the user ends the access at ` +
        policy.revocationPage,
    );
  if (issuer === undefined)
    return failure(
      `no revocation endpoint: neither the issuer of ${service} nor ${knob} is configured`,
    );
  const { revocationUrl: found, elsewhere } = await metadata.find(
    context.send,
    issuer,
    context.now,
    policy,
  );
  if (found !== undefined) return { ok: true, value: found };
  const rejected = elsewhere.find((why) => why.includes('revocation_endpoint'));
  if (rejected !== undefined) return failure(rejected);
  return failure(`the issuer ${issuer} has no revocation endpoint, and ${knob} is not set`);
}

function failure(reason: string): { readonly ok: false; readonly reason: string } {
  return { ok: false, reason };
}
