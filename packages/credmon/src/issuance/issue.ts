// Issues one token: signs it, or fetches it, by the rules of its provider.
import type { LocalPorts } from '../providers/local/ports.ts';
import type { ProviderContext } from '../providers/common/provider.ts';
import type { Settings } from '../settings/read.ts';
import type { TokenSource } from '../settings/token-source.ts';
import { fetchOne } from './fetch.ts';
import type { IssuedToken, TokenWish } from './request.ts';
import { signOne } from './sign.ts';

/** The ports of signing and fetching. `now` in epoch seconds. */
export interface IssuancePorts {
  readonly local: LocalPorts;
  readonly secretVersion: (path: string) => string;
  readonly send: ProviderContext['send'];
  readonly readSecret: ProviderContext['readSecret'];
  readonly now: () => number;
}

/**
 * Issues the token.
 * @throws CodedError as `signOne` and `fetchOne`
 */
export async function issueOne(
  wish: TokenWish,
  source: TokenSource,
  { local, lists, allowLoopbackHttp, endpointOrigins, policy }: Settings,
  { local: ports, secretVersion, send, readSecret, now: time }: IssuancePorts,
): Promise<IssuedToken> {
  const { further } = source;
  const now = time();
  if (source.kind === 'signed')
    return signOne(wish, { local, issuer: source.issuer, further, ports, now });
  const { client } = source;
  const nothing = { ok: false, reason: 'is missing' } as const;
  return fetchOne(wish, {
    client,
    further,
    options: {
      clients: [client],
      secretVersion,
      random: ports.random,
      specialNames: lists.specialNames,
      allowLoopbackHttp,
      endpointOrigins,
      defaultLifetime: policy.defaultLifetime,
    },
    context: {
      send,
      now,
      readSecret,
      readToken: () => ({ top: nothing, topIdentity: undefined, meta: nothing }),
    },
  });
}
