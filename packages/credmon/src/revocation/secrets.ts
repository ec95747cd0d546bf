// The secrets in a token's files. Any user can have stored any bytes there.
import { parseObject, type Parsed } from '@credmon/core/credential';

/** What may be sent as a token: visible ASCII, of a sane length. */
const TOKEN = /^[!-~]{1,65536}$/;

/** The refresh token in `.top`; `undefined` when it holds none. */
export function refreshTokenIn(top: Parsed<string>): string | undefined {
  const object = top.ok ? parseObject(top.value) : top;
  return object.ok ? tokenOf(object.value['refresh_token']) : undefined;
}

/** The access token in `.use`, JSON or bare; `undefined` when it holds none. */
export function accessTokenIn(use: string): string | undefined {
  const object = parseObject(use);
  if (object.ok) return tokenOf(object.value['access_token']);
  return tokenOf(use.trim());
}

function tokenOf(value: unknown): string | undefined {
  return typeof value === 'string' && TOKEN.test(value) ? value : undefined;
}
