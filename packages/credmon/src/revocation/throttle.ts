// Limits the revocations at one issuer like renewals; a token's files are kept until its
// request may start.
import { originOf } from '@credmon/core/base';
import { tokenId, type TokenSnapshot } from '@credmon/core/credential';
import type { Limiter } from '../throttle/issuer-queues.ts';
import type { ProviderKind } from '../settings/lists.ts';
import { policyOf } from '@credmon/core/profiles';
import { serverOf } from '../settings/clients.ts';
import type { Settings } from '../settings/read.ts';
import { serviceOf } from './clients.ts';

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
        token: tokenId(token),
        deadline: Number.POSITIVE_INFINITY,
        run,
        skip: reject,
      })
      .catch(reject);
  });
}
