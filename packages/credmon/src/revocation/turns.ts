// Whose turn it is: an issuer sees as few revocations at once as renewals, and a token's
// files stay until its turn comes.
import { originOf } from '@credmon/core/base';
import { tokenId, type TokenSnapshot } from '@credmon/core/credential';
import type { Limiter } from '../throttle/issuer-queues.ts';
import type { ProviderKind } from '../settings/lists.ts';
import type { Settings } from '../settings/read.ts';
import { serviceOf } from './clients.ts';

/**
 * Whom revoking a token will ask, as far as the configuration tells: an origin, or the
 * kind of provider.
 */
export function issuerToAsk(
  kind: ProviderKind,
  token: TokenSnapshot,
  { clients, tokenClients, lists }: Pick<Settings, 'clients' | 'tokenClients' | 'lists'>,
  revocationUrl: (service: string) => string | undefined,
): string {
  const service = serviceOf(token, lists);
  const client = tokenClients.find(
    (one) => one.name === service && one.kind.toLowerCase() === kind,
  );
  const url =
    revocationUrl(service) ??
    (kind === 'oauth2'
      ? clients.get(service.toUpperCase())?.tokenUrl
      : (client?.issuers[0] ?? client?.tokenUrl));
  return url === undefined ? kind : originOf(url);
}

/** Does `work` for a token when it is its turn at `issuer`. */
export function inTurn<T>(
  turns: Limiter,
  issuer: string,
  token: TokenSnapshot,
  work: () => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    // How it went does not matter to the next: every token that was named is tried.
    const run = async (): Promise<undefined> => {
      resolve(await work());
      return undefined;
    };
    turns
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
