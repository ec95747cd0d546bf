// The responses of a Vault with the oauthapp secrets plug-in, and its faults by name.

/** The faults. `hang` sends no response. */
export type VaultFault =
  | 'sealed'
  | 'too-many'
  | 'server-error'
  | 'no-credential'
  | 'forbidden-html'
  | 'data-null'
  | 'token-object'
  | 'token-number'
  | 'token-with-line-feed'
  | 'no-token'
  | 'not-an-object'
  | 'html'
  | 'empty'
  | 'huge'
  | 'redirect'
  | 'echo'
  | 'hang';

/** A response. */
export interface VaultAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** The envelope of every secret, with the warnings of the plug-in. */
export function secret(data: unknown, warnings: readonly string[] | null = null): VaultAnswer {
  const envelope = {
    request_id: 'b5d3a1f0-0000-4000-8000-000000000000',
    lease_id: '',
    renewable: false,
    lease_duration: 0,
    wrap_info: null,
    warnings,
    auth: null,
  };
  return { status: 200, body: { ...envelope, data } };
}

/** An error response in the format of Vault. */
export function errors(status: number, ...texts: readonly string[]): VaultAnswer {
  return { status, body: { errors: texts } };
}

/**
 * Returns the response of a fault; `undefined` if it sends none. `vaultToken` is the
 * token of the request.
 */
export function faultyVaultAnswer(fault: VaultFault, vaultToken: string): VaultAnswer | undefined {
  switch (fault) {
    case 'hang':
      return undefined;
    case 'sealed':
      return errors(503, 'Vault is sealed');
    case 'too-many':
      return {
        ...errors(429, 'request path "oauth" is rate limited'),
        headers: { 'retry-after': '77' },
      };
    case 'server-error':
      return errors(500, 'internal error');
    case 'no-credential':
      return errors(404);
    case 'forbidden-html':
      return { status: 403, body: '<html>permission denied</html>' };
    case 'data-null':
      return secret(null);
    case 'token-object':
      return secret({ access_token: { value: 'x' } });
    case 'token-number':
      return secret({ access_token: '12345' });
    case 'token-with-line-feed':
      return secret({ access_token: 'abc\ndef' });
    case 'no-token':
      return secret({ type: 'Bearer' });
    case 'not-an-object':
      return { status: 200, body: '["access_token"]' };
    case 'html':
      return { status: 200, body: '<html>Welcome</html>' };
    case 'empty':
      return { status: 200, body: '' };
    case 'huge':
      return secret({ access_token: 'x'.repeat(3 * 1024 * 1024) });
    case 'redirect':
      return { status: 307, headers: { location: 'https://127.0.0.1:9/v1/elsewhere' }, body: '' };
    case 'echo':
      return errors(400, `the token ${vaultToken} is odd`);
  }
}
