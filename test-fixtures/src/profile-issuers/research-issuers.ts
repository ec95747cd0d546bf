// How the issuers of research answer: Globus, CILogon, INDIGO IAM, Keycloak, EGI Check-in,
// and an issuer that follows the standards to the letter.
import { oauthError, type Endpoints, type IssuerAnswers } from './answers.ts';

const GLOBUS_URL = 'https://auth.globus.org/v2/oauth2';
const TRANSFER = 'urn:globus:auth:scope:transfer.api.globus.org:all';

export const GLOBUS: IssuerAnswers = {
  profile: 'globus',
  // The metadata, as in the tests of globus/globus-sdk-python.
  issuer: 'https://auth.globus.org',
  endpoints: {
    authorize: `${GLOBUS_URL}/authorize`,
    token: `${GLOBUS_URL}/token`,
    jwks: 'https://auth.globus.org/jwk.json',
    revoke: `${GLOBUS_URL}/token/revoke`,
  },
  metadata: { token_endpoint_auth_methods_supported: ['client_secret_basic'] },
  hashesToken: true,
  authentication: ['basic'],
  lifetime: 172_800,
  // globus-sdk-python, flow_managers/authorization_code.py
  refresh: { parameters: { access_type: 'offline' } },
  rotation: 'none',
  grants: (asked) => asked,
  // Globus Auth API reference: a token for each resource server, the others in other_tokens.
  tokens: (granted) => {
    const of = (scope: string): string =>
      /^urn:globus:auth:scope:([^:]+):/.exec(scope)?.[1] ?? 'auth.globus.org';
    return [...new Set(granted.map(of))].map((resourceServer) => ({
      resourceServer,
      scopes: granted.filter((scope) => of(scope) === resourceServer),
    }));
  },
  failures: {
    grant: oauthError('invalid_grant'),
    code: oauthError('invalid_grant'),
    client: oauthError('invalid_client', undefined, 401),
  },
};

/** The scope of Globus Transfer, whose token is not the first one of an answer. */
export const GLOBUS_TRANSFER = TRANSFER;

/** CILogon; `path` is that of a virtual organization, such as `/fermilab`. */
export function cilogon(path = ''): IssuerAnswers {
  return {
    profile: 'cilogon',
    // https://www.cilogon.org/oidc
    issuer: `https://cilogon.org${path}`,
    endpoints: {
      authorize: 'https://cilogon.org/authorize',
      token: 'https://cilogon.org/oauth2/token',
      jwks: 'https://cilogon.org/oauth2/certs',
      revoke: 'https://cilogon.org/oauth2/revoke',
      device: 'https://cilogon.org/oauth2/device_authorization',
    },
    metadata: {
      code_challenge_methods_supported: ['S256', 'plain'],
      token_endpoint_auth_methods_supported: [
        'client_secret_post',
        'client_secret_basic',
        'private_key_jwt',
      ],
    },
    claims: { sub: 'http://cilogon.org/serverA/users/12345' },
    authentication: ['post', 'basic'],
    lifetime: 900,
    // If refresh tokens are enabled for the client.
    refresh: 'always',
    rotation: 'single-use',
    // At most the scopes with which the client is registered.
    grants: (asked) => asked,
    extra: { refresh_token_lifetime: 864_000 },
    failures: {
      grant: oauthError('invalid_grant', 'The refresh token is no longer valid.'),
      code: oauthError('invalid_grant', 'The authorization grant has expired.'),
      client: oauthError('invalid_client', undefined, 401),
    },
  };
}

export const IAM: IssuerAnswers = {
  profile: 'iam',
  // The issuer of INDIGO IAM ends with a slash (user guide, "Getting a token").
  issuer: 'https://iam.example.org/',
  endpoints: {
    authorize: 'https://iam.example.org/authorize',
    token: 'https://iam.example.org/token',
    jwks: 'https://iam.example.org/jwk',
    revoke: 'https://iam.example.org/revoke',
    device: 'https://iam.example.org/devicecode',
  },
  metadata: {
    code_challenge_methods_supported: ['plain', 'S256'],
    token_endpoint_auth_methods_supported: [
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
      'private_key_jwt',
      'none',
    ],
  },
  authentication: ['post', 'basic'],
  // Client registration: one hour and 30 days.
  lifetime: 3600,
  refresh: { scope: 'offline_access' },
  // MITREid Connect repeats the refresh token.
  rotation: 'repeated',
  grants: (asked) => asked,
  failures: {
    // IamRefreshTokenGranter
    grant: oauthError('invalid_grant', 'Invalid Refresh Token'),
    code: oauthError('invalid_grant', 'Invalid authorization code'),
    client: oauthError('invalid_client', 'Bad client credentials', 401),
  },
};

/** The endpoints of a realm. @see https://www.keycloak.org/securing-apps/oidc-layers */
function realm(issuer: string): Endpoints {
  const at = `${issuer}/protocol/openid-connect`;
  return {
    authorize: `${at}/auth`,
    token: `${at}/token`,
    jwks: `${at}/certs`,
    revoke: `${at}/revoke`,
    device: `${at}/auth/device`,
  };
}

const REALM = 'https://keycloak.example.org/realms/lab';
const SESSION = '7c2c2a10-0000-4000-8000-000000000000';

export const KEYCLOAK: IssuerAnswers = {
  profile: 'keycloak',
  issuer: REALM,
  endpoints: realm(REALM),
  metadata: {
    code_challenge_methods_supported: ['plain', 'S256'],
    authorization_response_iss_parameter_supported: true,
    token_endpoint_auth_methods_supported: [
      'private_key_jwt',
      'client_secret_basic',
      'client_secret_post',
      'client_secret_jwt',
    ],
  },
  hashesToken: true,
  // RFC 9207, and the session of OpenID Connect Session Management.
  sendsIssuer: true,
  callback: { session_state: SESSION },
  authentication: ['post', 'basic'],
  // Session and token timeouts: access tokens live five minutes.
  lifetime: 300,
  refresh: 'always',
  // "Revoke Refresh Token" is off: a new one each time, and the old one stays valid.
  rotation: 'new',
  // Client scopes: profile and email are defaults of each client (bcgov/entity#14807).
  grants: (asked) => [...new Set([...asked, 'profile', 'email'])],
  refusesScopes: true,
  extra: { refresh_expires_in: 1800, 'not-before-policy': 0, session_state: SESSION },
  failures: {
    grant: oauthError('invalid_grant', 'Token is not active'),
    code: oauthError('invalid_grant', 'Code not valid'),
    client: oauthError('unauthorized_client', 'Invalid client or Invalid client credentials', 401),
  },
};

const EGI_ISSUER = 'https://aai.egi.eu/auth/realms/egi';

export const EGI: IssuerAnswers = {
  ...KEYCLOAK,
  profile: 'egi',
  // https://docs.egi.eu/providers/check-in/sp/
  issuer: EGI_ISSUER,
  endpoints: realm(EGI_ISSUER),
  claims: { voperson_id: '0123456789@egi.eu' },
  lifetime: 3599,
  refresh: { scope: 'offline_access' },
  // Refresh request: `scope` is required.
  refreshNeeds: {
    parameter: 'scope',
    failure: oauthError('invalid_request', 'Missing parameter: scope'),
  },
};

/** An issuer without any habits of its own. */
export const GENERIC: IssuerAnswers = {
  profile: 'generic',
  // OpenID Connect Discovery 1.0; RFC 8414
  issuer: 'https://login.example.org',
  endpoints: {
    authorize: 'https://login.example.org/authorize',
    token: 'https://login.example.org/token',
    jwks: 'https://login.example.org/jwks',
    revoke: 'https://login.example.org/revoke',
    device: 'https://login.example.org/device',
  },
  metadata: { code_challenge_methods_supported: ['S256'] },
  authentication: ['post', 'basic'],
  lifetime: 3600,
  refresh: 'always',
  // RFC 9700, section 4.14.2
  rotation: 'single-use',
  grants: (asked) => asked,
  // RFC 6749, section 5.2
  failures: {
    grant: oauthError('invalid_grant'),
    code: oauthError('invalid_grant'),
    client: oauthError('invalid_client', undefined, 401),
  },
};
