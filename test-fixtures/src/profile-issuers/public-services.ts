// How the public services answer: Google, Microsoft, GitHub, Box, Dropbox and ORCID.
import { oauthError, type Failure, type IssuerAnswers } from './answers.ts';

const USERINFO = 'https://www.googleapis.com/auth/userinfo.';

export const GOOGLE: IssuerAnswers = {
  profile: 'google',
  // The metadata: https://accounts.google.com/.well-known/openid-configuration
  issuer: 'https://accounts.google.com',
  endpoints: {
    authorize: 'https://accounts.google.com/o/oauth2/v2/auth',
    token: 'https://oauth2.googleapis.com/token',
    jwks: 'https://www.googleapis.com/oauth2/v3/certs',
    revoke: 'https://oauth2.googleapis.com/revoke',
    device: 'https://oauth2.googleapis.com/device/code',
  },
  metadata: {
    code_challenge_methods_supported: ['plain', 'S256'],
    token_endpoint_auth_methods_supported: ['client_secret_post', 'client_secret_basic'],
  },
  hashesToken: true,
  authentication: ['post', 'basic'],
  // "Parameter not allowed for this message type", in many public reports.
  refused: {
    resource: oauthError(
      'invalid_request',
      'Parameter not allowed for this message type: resource',
    ),
    audience: oauthError(
      'invalid_request',
      'Parameter not allowed for this message type: audience',
    ),
  },
  lifetime: 3599,
  // Web server applications: a refresh token only with access_type=offline, and after the
  // first consent only with prompt=consent (kubernetes-sigs/headlamp#7558).
  refresh: { parameters: { access_type: 'offline' } },
  again: { parameters: { prompt: 'consent' } },
  rotation: 'none',
  // requests/requests-oauthlib#387, googleapis/google-api-python-client#1088
  grants: (asked) => [
    ...new Set(
      asked.flatMap((scope) =>
        scope === 'email' || scope === 'profile' ? [`${USERINFO}${scope}`, 'openid'] : [scope],
      ),
    ),
  ],
  failures: {
    grant: oauthError('invalid_grant', 'Token has been expired or revoked.'),
    code: oauthError('invalid_grant', 'Malformed auth code.'),
    client: oauthError('invalid_client', 'Unauthorized', 401),
  },
};

/** A tenant of Microsoft Entra ID. */
export const TENANT = '8eaef023-2b34-4da1-9baa-8bc8c9d6a490';
const ENTRA = 'https://login.microsoftonline.com';
const COMMON = `${ENTRA}/common`;

/** An error of Microsoft: the code decides, and the text has several lines. */
function entraError(error: string, code: number, text: string, status = 400): Failure {
  const more = 'Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333\r\nTimestamp: 2026-11-30 02:02:12Z';
  const body = { error, error_description: `AADSTS${code}: ${text}\r\n${more}` };
  return { status, body: { ...body, error_codes: [code] } };
}

export const MICROSOFT: IssuerAnswers = {
  profile: 'microsoft',
  // OpenID Connect on the Microsoft identity platform: the metadata of `common` have
  // {tenantid} in the issuer, and ID tokens have the tenant.
  issuer: `${COMMON}/v2.0`,
  endpoints: {
    authorize: `${COMMON}/oauth2/v2.0/authorize`,
    token: `${COMMON}/oauth2/v2.0/token`,
    jwks: `${COMMON}/discovery/v2.0/keys`,
    device: `${COMMON}/oauth2/v2.0/devicecode`,
  },
  metadata: {
    issuer: `${ENTRA}/{tenantid}/v2.0`,
    token_endpoint_auth_methods_supported: ['client_secret_post', 'private_key_jwt'],
  },
  claims: { iss: `${ENTRA}/${TENANT}/v2.0`, tid: TENANT },
  callback: { session_state: '6f8f8a8e-0000-4000-8000-000000000000' },
  authentication: ['post', 'basic'],
  // The list of error codes.
  refused: {
    resource: entraError(
      'invalid_request',
      901002,
      "The 'resource' request parameter is not supported.",
    ),
  },
  // anthropics/claude-code#89862, oidcproxydotnet/OidcProxy.Net#238
  refreshNeeds: {
    parameter: 'scope',
    failure: entraError('invalid_request', 90009, 'The application asks for a token for itself.'),
  },
  lifetime: 3599,
  // The authorization code flow: only with offline_access, which is never in the answer
  // (OneDrive/onedrive-api-docs#456); a used refresh token is not revoked.
  refresh: { scope: 'offline_access' },
  rotation: 'new',
  grants: (asked) => [
    ...new Set([
      ...asked
        .filter((scope) => scope !== 'offline_access')
        .map((scope) =>
          /^(?:openid|profile|email|https:.*)$/.test(scope)
            ? scope
            : `https://graph.microsoft.com/${scope}`,
        ),
      // Everything that the user consented to earlier.
      'profile',
      'openid',
      'email',
      'https://graph.microsoft.com/User.Read',
    ]),
  ],
  extra: { ext_expires_in: 3599 },
  failures: {
    grant: entraError('invalid_grant', 50173, 'The provided grant has expired, it was revoked.'),
    code: entraError('invalid_grant', 54005, 'OAuth2 Authorization code was already redeemed.'),
    client: entraError('invalid_client', 7000215, 'Invalid client secret provided.', 401),
  },
};

/** The issuer of one tenant: its metadata name it exactly. */
export const MICROSOFT_TENANT: IssuerAnswers = {
  ...MICROSOFT,
  issuer: `${ENTRA}/${TENANT}/v2.0`,
  endpoints: {
    authorize: `${ENTRA}/${TENANT}/oauth2/v2.0/authorize`,
    token: `${ENTRA}/${TENANT}/oauth2/v2.0/token`,
    jwks: `${ENTRA}/${TENANT}/discovery/v2.0/keys`,
    device: `${ENTRA}/${TENANT}/oauth2/v2.0/devicecode`,
  },
  metadata: { ...MICROSOFT.metadata, issuer: `${ENTRA}/${TENANT}/v2.0` },
};

const GITHUB_URL = 'https://github.com/login';

/** An OAuth app of GitHub. */
export const GITHUB: IssuerAnswers = {
  profile: 'github',
  // Authorizing OAuth apps. No metadata.
  endpoints: {
    authorize: `${GITHUB_URL}/oauth/authorize`,
    token: `${GITHUB_URL}/oauth/access_token`,
    device: `${GITHUB_URL}/device/code`,
  },
  authentication: ['post', 'basic'],
  // Token expiration and revocation: no lifetime, no refresh token.
  refresh: 'never',
  rotation: 'none',
  grants: (asked) => asked,
  separator: ',',
  // Authorizing OAuth apps: JSON only with `Accept: application/json`.
  formByDefault: true,
  // Troubleshooting OAuth app access token request errors. The status is 200.
  failures: {
    grant: oauthError(
      'bad_refresh_token',
      'The refresh token passed is incorrect or expired.',
      200,
    ),
    code: oauthError('bad_verification_code', 'The code passed is incorrect or expired.', 200),
    client: oauthError(
      'incorrect_client_credentials',
      'The client_id and/or client_secret passed are incorrect.',
      200,
    ),
  },
};

/** A GitHub App whose user access tokens expire; it has no scopes. */
export const GITHUB_APP: IssuerAnswers = {
  ...GITHUB,
  // Refreshing user access tokens: eight hours, six months, each refresh token once.
  lifetime: 28_800,
  refresh: 'always',
  rotation: 'single-use',
  grants: () => [],
  extra: { refresh_token_expires_in: 15_897_600 },
};

export const BOX: IssuerAnswers = {
  profile: 'box',
  // Authorize user; Request access token; Revoke access token. No metadata.
  endpoints: {
    authorize: 'https://account.box.com/api/oauth2/authorize',
    token: 'https://api.box.com/oauth2/token',
    revoke: 'https://api.box.com/oauth2/revoke',
  },
  authentication: ['post'],
  lifetime: 3600,
  // Refresh a token: once, within 60 days (iterate-ch/cyberduck#13003).
  refresh: 'always',
  rotation: 'single-use',
  // Access token object: `restricted_to`, and no `scope`.
  extra: { restricted_to: [] },
  failures: {
    // box/box-java-sdk#114, box/box-windows-sdk-v2#96
    grant: oauthError('invalid_grant', 'Refresh token has expired'),
    code: oauthError('invalid_grant', "Auth code doesn't exist or is invalid for the client"),
    // Authorization resources: OAuth 2.0 error
    client: oauthError('invalid_client', 'The client credentials are not valid'),
  },
};

export const DROPBOX: IssuerAnswers = {
  profile: 'dropbox',
  // Using OAuth 2.0 with offline access. No metadata; revocation is not RFC 7009.
  endpoints: {
    authorize: 'https://www.dropbox.com/oauth2/authorize',
    token: 'https://api.dropboxapi.com/oauth2/token',
  },
  authentication: ['post', 'basic'],
  lifetime: 14_400,
  refresh: { parameters: { token_access_type: 'offline' } },
  rotation: 'none',
  // Customizing scopes in the OAuth app authorization flow: account_info.read is required.
  grants: (asked) => [...new Set(['account_info.read', ...asked])],
  extra: { uid: '12345', account_id: 'dbid:AAH4f99T0taONIb-OurWxbNQ6ywGRopQngc' },
  failures: {
    grant: oauthError('invalid_grant', 'refresh token is invalid or revoked'),
    code: oauthError('invalid_grant', "code doesn't exist or has expired"),
    // The text is a part of the code, in many public clients.
    client: { status: 400, body: { error: 'invalid_client: Invalid client_id or client_secret' } },
  },
};

export const ORCID: IssuerAnswers = {
  profile: 'orcid',
  // ORCID and OpenID Connect; README of the ORCID APIs; tutorial "Revoke an access token".
  issuer: 'https://orcid.org',
  endpoints: {
    authorize: 'https://orcid.org/oauth/authorize',
    token: 'https://orcid.org/oauth/token',
    jwks: 'https://orcid.org/oauth/jwks',
    revoke: 'https://orcid.org/oauth/revoke',
  },
  metadata: { token_endpoint_auth_methods_supported: ['client_secret_post'] },
  claims: { sub: '0000-0002-7900-5343' },
  authentication: ['post'],
  // About 20 years.
  lifetime: 631_138_518,
  // Refresh tokens: always, and a refresh revokes the old pair (`revoke_old`).
  refresh: 'always',
  rotation: 'single-use',
  grants: (asked) => asked,
  extra: { name: 'Sofia Maria Hernandez Garcia', orcid: '0000-0002-7900-5343' },
  // RFC 6749, section 5.2; ORCID's own texts are not documented.
  failures: {
    grant: oauthError('invalid_grant', 'Invalid refresh token'),
    code: oauthError('invalid_grant', 'Invalid authorization code'),
    client: oauthError('invalid_client', 'Client not found', 401),
  },
};
