// What an issuer's metadata offers to a login provider and what it lacks. Pure.
import { ok, warning, type Finding } from '@credmon/core/base';
import type { IssuerMetadata } from '@credmon/core/oauth';
import type { IssuerPolicy } from '@credmon/core/profiles';

/** A feature: what it is called where it is offered, and the effect where it is not. */
interface Feature {
  readonly offered: string;
  readonly lacking: string;
  readonly has: (metadata: IssuerMetadata) => boolean;
}

const FEATURES: readonly Feature[] = [
  {
    offered: 'refresh tokens',
    lacking: 'refresh tokens (not listed; tokens may not be renewable)',
    has: ({ grants }) => grants?.includes('refresh_token') === true,
  },
  {
    offered: 'PKCE with S256',
    lacking: 'PKCE with S256 (not listed)',
    has: ({ challengeMethods }) => challengeMethods?.includes('S256') === true,
  },
  {
    offered: 'a key set',
    lacking: 'a key set (ID tokens cannot be verified)',
    has: ({ jwksUrl }) => jwksUrl !== undefined,
  },
  {
    offered: 'iss in callbacks',
    lacking: 'iss in callbacks',
    has: ({ sendsIssuer }) => sendsIssuer,
  },
  {
    offered: 'device logins',
    lacking: 'device logins',
    has: ({ deviceUrl }) => deviceUrl !== undefined,
  },
  {
    offered: 'revocation',
    lacking: 'revocation (condor_credmon revoke only removes files)',
    has: ({ revocationUrl }) => revocationUrl !== undefined,
  },
];

/**
 * Returns what the metadata of a provider's issuer offers and lacks, and warnings about
 * settings that do not fit.
 */
export function metadataFindings(
  what: string,
  name: string,
  policy: IssuerPolicy,
  metadata: IssuerMetadata,
): Finding[] {
  const offered = FEATURES.filter(({ has }) => has(metadata)).map((one) => one.offered);
  const lacking = FEATURES.filter(({ has }) => !has(metadata)).map((one) => one.lacking);
  const text = [
    `its metadata offers ${offered.length === 0 ? 'nothing optional' : offered.join(', ')}`,
    ...(lacking.length === 0 ? [] : [`and lacks ${lacking.join(', ')}`]),
  ].join(' ');
  return [
    ok(what, text),
    ...methodFindings(what, name, policy, metadata),
    ...offlineFindings(what, name, policy, metadata),
    ...metadata.elsewhere.map((one) => warning(what, one)),
  ];
}

/** The names of the methods in the metadata. */
const METHODS = {
  post: 'client_secret_post',
  basic: 'client_secret_basic',
  basic_plain: 'client_secret_basic',
  private_key_jwt: 'private_key_jwt',
  none: 'none',
} as const;

function methodFindings(
  what: string,
  name: string,
  { authentication }: IssuerPolicy,
  { authenticationMethods: methods }: IssuerMetadata,
): Finding[] {
  if (authentication === undefined || methods === undefined) return [];
  const method = METHODS[authentication];
  if (methods.includes(method)) return [];
  return [
    warning(
      what,
      `the issuer does not list ${method} (${methods.join(', ')}): check CREDMON_${name}_CLIENT_AUTH`,
    ),
  ];
}

/** Many issuers send a refresh token only for the scope offline_access. */
function offlineFindings(
  what: string,
  name: string,
  { scopes }: IssuerPolicy,
  { scopes: offered }: IssuerMetadata,
): Finding[] {
  if (offered?.includes('offline_access') !== true || scopes.extra.includes('offline_access'))
    return [];
  return [
    ok(
      what,
      'the issuer offers the scope offline_access; if users get no refresh token, add it to ' +
        `CREDMON_${name}_EXTRA_SCOPES`,
    ),
  ];
}
