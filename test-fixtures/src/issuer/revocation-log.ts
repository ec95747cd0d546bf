// What the issuer writes down about every request to its revocation endpoint.
import type { Provider } from 'oidc-provider';
import { tokenId } from './token-log.ts';

/** One request. The token is named by {@link tokenId}, never written out. */
export interface RevocationRequest {
  readonly client: string;
  readonly hint: string;
  readonly token: string;
  readonly status: number;
}

/**
 * Appends to `log` what reaches the revocation endpoint of `provider`, once it is
 * answered.
 */
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
