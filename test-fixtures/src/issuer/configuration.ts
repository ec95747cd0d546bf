// The settings of oidc-provider for a test issuer: loopback http, rotation, JWT access
// tokens for any audience, one login page.
import { randomBytes } from 'node:crypto';
import type * as OidcProvider from 'oidc-provider';
import type { Adapter, Configuration, JWK } from 'oidc-provider';
import { devicePages } from './device-pages.ts';
import type { IssuerOptions } from './options.ts';
import type { TokenState } from './token-endpoint.ts';

/** Settings that can change while the issuer runs. */
export interface IssuerState {
  accessTokenTtl: number;
  readonly removedAccounts: Set<string>;
}

type Settings = Required<Omit<IssuerOptions, 'tls' | 'clients'>>;

/** The parts of an issuer. `url` is its identifier. */
export interface IssuerParts {
  readonly url: string;
  readonly options: Settings;
  readonly state: IssuerState;
  readonly keys: readonly JWK[];
  readonly storage: (model: string) => Adapter;
  readonly policy: typeof OidcProvider.interactionPolicy;
}

/** The settings of one issuer. */
export function providerConfiguration({
  url,
  options,
  state,
  keys,
  storage,
  policy,
}: IssuerParts): Configuration {
  const cookie = options.name.replace(/\W/g, '_');
  const resourceScopes = options.scopes.join(' ');
  return {
    adapter: storage,
    clients: [],
    jwks: { keys: [...keys] },
    cookies: {
      keys: [randomBytes(16).toString('hex')],
      names: {
        session: `${cookie}_session`,
        interaction: `${cookie}_interaction`,
        resume: `${cookie}_resume`,
      },
    },
    scopes: ['openid', 'profile', 'offline_access'],
    claims: { openid: ['sub'], profile: ['name', 'preferred_username'] },
    conformIdTokenClaims: false,
    findAccount: (_context, id) =>
      state.removedAccounts.has(id)
        ? undefined
        : {
            accountId: id,
            claims: () => ({ sub: id, name: `${id} of ${options.name}`, preferred_username: id }),
          },
    pkce: { required: () => options.pkceRequired },
    // Without a new refresh token in the response, the old one is still valid (RFC 6749
    // section 6).
    rotateRefreshToken: (context) =>
      options.rotate && (context.state as TokenState).fault !== 'no-refresh-token',
    // A second login in the same browser must not revoke the tokens of the first.
    expiresWithSession: () => false,
    issueRefreshToken: () => options.refreshTokens,
    interactions: {
      url: (_context, interaction) => `/interaction/${interaction.uid}`,
      policy: alwaysAsk(policy),
    },
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
      clientCredentials: { enabled: true },
      deviceFlow: devicePages,
      resourceIndicators: {
        enabled: true,
        // Every access token needs an audience to be a JWT.
        defaultResource: () => `${url}/api`,
        useGrantedResource: () => true,
        getResourceServerInfo: (_context, resource) => ({
          scope: resourceScopes,
          audience: resource,
          accessTokenTTL: state.accessTokenTtl,
          accessTokenFormat: options.accessTokenFormat,
          jwt: { sign: { alg: 'ES256' } },
        }),
      },
    },
    ttl: {
      AccessToken: () => state.accessTokenTtl,
      AuthorizationCode: 60,
      ClientCredentials: () => state.accessTokenTtl,
      DeviceCode: 600,
      Grant: 86_400,
      IdToken: 600,
      Interaction: 600,
      RefreshToken: 86_400,
      Session: 86_400,
    },
  };
}

/**
 * Shows the login page at every login, even after an earlier login, so that tests always
 * see the same pages.
 */
function alwaysAsk({
  base,
  Check,
}: IssuerParts['policy']): OidcProvider.interactionPolicy.DefaultPolicy {
  const prompts = base();
  const always = new Check('always', 'every login is asked for', 'login_required', (context) =>
    context.oidc.result?.login === undefined ? Check.REQUEST_PROMPT : Check.NO_NEED_TO_PROMPT,
  );
  prompts.get('login')?.checks.add(always);
  return prompts;
}
