// The log of requests to the revocation endpoint.
import type { Provider } from 'oidc-provider';
import { tokenId } from './token-log.ts';

/** One request. It contains the {@link tokenId} of the token, not the token. */
export interface RevocationRequest {
  readonly client: string;
  readonly hint: string;
  readonly token: string;
  readonly status: number;
}

/** Appends each answered request to the revocation endpoint of `provider` to `log`. */
export function watchRevocations(provider: Provider, log: RevocationRequest[]): void {
  provider.use(async (context, next) => {
    await next();
    if (context.path !== '/token/revocation') return;
    const form = (context.oidc?.params ?? {}) as Readonly<Record<string, unknown>>;
    const text = (name: string): string => (typeof form[name] === 'string' ? form[name] : '');
    const client = context.oidc?.client?.clientId ?? '';
    log.push({
      client,
      hint: text('token_type_hint'),
      token: tokenId(text('token')),
      status: context.status,
    });
  });
}
