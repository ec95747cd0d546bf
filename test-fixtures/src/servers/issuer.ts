// A real, certified OpenID provider on loopback for tests and the demo, with faults for
// its token endpoint.
import { setMaxListeners } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { JWK } from 'oidc-provider';
import { providerConfiguration, type IssuerState } from '../issuer/configuration.ts';
import type { FaultName, FaultOptions } from '../issuer/faults.ts';
import { publicKeys, signingKeys } from '../issuer/keys.ts';
import { listen, stop } from '../issuer/listener.ts';
import { loadOidcProvider } from '../issuer/load.ts';
import { loginPage } from '../issuer/login-page.ts';
import {
  clientMetadata,
  ISSUER_DEFAULTS,
  type IssuerClient,
  type IssuerOptions,
} from '../issuer/options.ts';
import { watchRevocations, type RevocationRequest } from '../issuer/revocation-log.ts';
import { registerTokenExchange } from '../issuer/token-exchange.ts';
import { memoryStorage } from '../issuer/storage.ts';
import { watchTokenEndpoint, type CurrentFault } from '../issuer/token-endpoint.ts';
import { TokenLog } from '../issuer/token-log.ts';

export type { FaultName, FaultOptions } from '../issuer/faults.ts';
export type { IssuerClient, IssuerOptions } from '../issuer/options.ts';
export { tokenId, TokenLog, type TokenRequest } from '../issuer/token-log.ts';

/** A running issuer. `url` is its identifier. */
export interface Issuer {
  readonly name: string;
  readonly url: string;
  readonly authorizationUrl: string;
  readonly tokenUrl: string;
  readonly log: TokenLog;
  /** The requests to the revocation endpoint, in order. */
  readonly revocations: readonly RevocationRequest[];
  /** The public signing keys. */
  readonly jwks: { readonly keys: readonly JWK[] };
  /** Switches a fault of the token endpoint on; `undefined` switches it off. */
  setFault(name?: FaultName, options?: FaultOptions): Promise<void>;
  addClient(client: IssuerClient): Promise<void>;
  /** Deletes the client. */
  removeClient(clientId: string): Promise<void>;
  /**
   * Deletes the account: its logins, refresh tokens and subject tokens become invalid.
   */
  removeAccount(name: string): void;
  /** Sets the lifetime of new access tokens, in seconds. */
  setAccessTokenTtl(seconds: number): void;
  close(): Promise<void>;
}

/** Starts an issuer on 127.0.0.1, on a port that the system chooses. */
export async function startIssuer(options: IssuerOptions = {}): Promise<Issuer> {
  const settings = { ...ISSUER_DEFAULTS, ...options };
  const server = options.tls === undefined ? createServer() : createTlsServer({ ...options.tls });
  const port = await listen(server, 0);
  const url = `${options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`;
  const log = new TokenLog();
  const revocations: RevocationRequest[] = [];
  let fault: CurrentFault | undefined;
  let left = 0;
  let switched = new AbortController();
  const state: IssuerState = {
    accessTokenTtl: settings.accessTokenTtl,
    removedAccounts: new Set(),
  };
  const takeFault = (): CurrentFault | undefined => {
    const taken = fault;
    left -= 1;
    if (left <= 0) fault = undefined;
    return taken;
  };

  const { Provider, errors, interactionPolicy: policy } = await loadOidcProvider();
  const [keys, storage] = [signingKeys(settings.name), memoryStorage()];
  const provider = new Provider(
    url,
    providerConfiguration({ url, options: settings, state, keys, storage, policy }),
  );
  // A request without scopes gets the first one (RFC 6749 section 3.3); oidc-provider
  // itself would reject it.
  provider.use((context, next) => {
    const { scope } = context.query;
    if (context.path === '/auth' && (scope === undefined || scope === ''))
      context.query = { ...context.query, scope: settings.scopes[0] };
    return next();
  });
  registerTokenExchange(provider, {
    errors,
    url,
    keys: publicKeys(keys),
    scopes: settings.scopes,
    state,
  });
  watchTokenEndpoint(provider, log, takeFault, () => !server.listening);
  watchRevocations(provider, revocations);
  const answer = provider.callback();
  server.on('request', (request: IncomingMessage, response: ServerResponse) => {
    if (request.url?.startsWith('/interaction/') === true)
      void loginPage(provider, settings, request, response);
    else void answer(request, response);
  });

  const addClient = async (client: IssuerClient): Promise<void> => {
    await storage('Client').upsert(client.clientId, { ...clientMetadata(client) }, 86_400);
  };
  for (const client of settings.clients) await addClient(client);

  return {
    name: settings.name,
    url,
    authorizationUrl: `${url}/auth`,
    tokenUrl: `${url}/token`,
    log,
    revocations,
    jwks: { keys: publicKeys(keys) },
    addClient,
    removeClient: async (clientId) => {
      await storage('Client').destroy(clientId);
    },
    removeAccount: (name) => void state.removedAccounts.add(name),
    setAccessTokenTtl: (seconds) => {
      state.accessTokenTtl = seconds;
    },
    setFault: async (name, faultOptions = {}) => {
      switched.abort();
      switched = new AbortController();
      // One signal can hold back any number of responses.
      setMaxListeners(0, switched.signal);
      fault =
        name === undefined || name === 'refused'
          ? undefined
          : { name, options: faultOptions, ended: switched.signal };
      left = faultOptions.times ?? Infinity;
      if (name === 'refused') await stop(server);
      else if (!server.listening) await listen(server, port);
    },
    close: () => stop(server),
  };
}
