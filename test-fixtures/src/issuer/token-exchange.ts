// Token exchange at the test issuer: exchanges its own access token for one with another
// audience or scope, with a refresh token.
import { createLocalJWKSet, jwtVerify, type JSONWebKeySet } from 'jose';
import type * as OidcProvider from 'oidc-provider';
import type { JWK, Provider } from 'oidc-provider';
import { TOKEN_EXCHANGE } from './options.ts';

/** The parts of the issuer that the exchange needs. */
export interface ExchangeParts {
  readonly errors: typeof OidcProvider.errors;
  readonly url: string;
  readonly keys: readonly JWK[];
  readonly scopes: readonly string[];
  readonly state: {
    readonly accessTokenTtl: number;
    readonly removedAccounts: ReadonlySet<string>;
  };
}

/**
 * Registers the grant. The granted scope is the requested scope, limited to the scopes of
 * the issuer.
 * @see RFC 8693, section 2
 */
export function registerTokenExchange(
  provider: Provider,
  { errors, url, keys, scopes, state }: ExchangeParts,
): void {
  const keySet = createLocalJWKSet({ keys } as unknown as JSONWebKeySet);
  const parameters = ['subject_token', 'subject_token_type', 'scope', 'audience', 'resource'];
  provider.registerGrantType(
    TOKEN_EXCHANGE,
    async (context) => {
      const { client } = context.oidc;
      const params: Readonly<Record<string, unknown>> = context.oidc.params ?? {};
      const text = (name: string): string => {
        const value = params[name];
        return typeof value === 'string' ? value : '';
      };
      if (client === undefined) throw new errors.InvalidClient('no client');
      const { payload } = await jwtVerify(text('subject_token'), keySet, { issuer: url }).catch(
        () => {
          throw new errors.InvalidGrant('the subject token is not good');
        },
      );
      const accountId = payload.sub ?? '';
      if (state.removedAccounts.has(accountId))
        throw new errors.InvalidGrant('the account is not known any more');
      const scope = text('scope')
        .split(' ')
        .filter((one) => scopes.includes(one))
        .join(' ');
      const audience = text('audience') || `${url}/api`;
      const grant = new provider.Grant({ accountId, clientId: client.clientId });
      grant.addResourceScope(audience, scope);
      const grantId = await grant.save();
      const common = { accountId, client, grantId, gty: TOKEN_EXCHANGE, scope };
      const access = new provider.AccessToken(common);
      access.resourceServer = new provider.ResourceServer(audience, {
        scope: scopes.join(' '),
        audience,
        accessTokenTTL: state.accessTokenTtl,
        accessTokenFormat: 'jwt',
        jwt: { sign: { alg: 'ES256' } },
      });
      const refresh = new provider.RefreshToken({ ...common, resource: audience });
      context.body = {
        access_token: await access.save(),
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        token_type: 'Bearer',
        expires_in: state.accessTokenTtl,
        scope,
        refresh_token: await refresh.save(),
      };
    },
    parameters,
  );
}
