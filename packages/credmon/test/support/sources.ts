// The sources of tokens that ask an issuer, each at a real one: the knobs of a provider
// `svc`, and what is in its `.top`.
import { postToken } from '@credmon/test-fixtures/browsers/http-login';
import type { Issuer, IssuerClient } from '@credmon/test-fixtures/servers/issuer';

const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';

/**
 * The client of the Access Point at every issuer. Its secret is one that nothing may ever
 * show.
 */
export const AP: IssuerClient = {
  clientId: 'ap',
  clientSecret: 'CANARY-client-secret',
  redirectUris: [],
  grants: ['client_credentials', EXCHANGE],
};

/** Sources whose tokens come from an issuer's token endpoint. */
export type SourceKind = 'oauth' | 'client' | 'exchange' | 'pelican';

/** All of them. */
export const SOURCES: readonly SourceKind[] = ['oauth', 'client', 'exchange', 'pelican'];

/**
 * The knobs by which `svc` gets its tokens at `issuer`; `byMetadata`: only the issuer's
 * own metadata says where its token endpoint is.
 */
export function sourceKnobs(
  kind: SourceKind,
  issuer: Pick<Issuer, 'url' | 'tokenUrl'>,
  secretFile: string,
  byMetadata = false,
): Record<string, string> {
  const { clientId } = AP;
  if (kind === 'oauth')
    return {
      svc_CLIENT_ID: clientId,
      svc_CLIENT_SECRET_FILE: secretFile,
      svc_TOKEN_URL: issuer.tokenUrl,
      CREDMON_svc_ISSUER: issuer.url,
    };
  const prefix = `${kind.toUpperCase()}_CREDMON`;
  return {
    [`${prefix}_PROVIDER_NAMES`]: 'svc',
    [`${prefix}_CLIENT_ID`]: clientId,
    [`${prefix}_CLIENT_SECRET_FILE`]: secretFile,
    [`${prefix}_svc_ISSUER`]: issuer.url,
    ...(byMetadata ? {} : { [`${prefix}_svc_TOKEN_URL`]: issuer.tokenUrl }),
    ...(kind === 'client' ? { CLIENT_CREDMON_AUTHZ_TEMPLATE: 'read write' } : {}),
  };
}

/**
 * What a `.top` of that source holds for the scopes `read` and `write`, with tokens that
 * `issuer` made.
 */
export async function sourceTop(
  kind: SourceKind,
  issuer: Issuer,
): Promise<Record<string, unknown>> {
  if (kind === 'client') return {};
  const subject = await subjectToken(issuer);
  if (kind !== 'oauth') return { access_token: subject, scopes: 'read, write' };
  const { answer } = await postToken(issuer.tokenUrl, {
    ...credentials(),
    grant_type: EXCHANGE,
    subject_token: subject,
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    scope: 'read write',
  });
  return { refresh_token: answer['refresh_token'], scopes: 'read, write' };
}

/** An access token of the client's own, good for an exchange. */
export async function subjectToken(issuer: Issuer, ca?: string): Promise<string> {
  const form = { ...credentials(), grant_type: 'client_credentials', scope: 'read' };
  const { answer } = await postToken(issuer.tokenUrl, form, ca === undefined ? {} : { ca });
  return String(answer['access_token']);
}

function credentials(): { client_id: string; client_secret: string } {
  return { client_id: AP.clientId, client_secret: AP.clientSecret };
}
