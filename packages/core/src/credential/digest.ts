// Parsers from the text of a credential file to its part of a snapshot.
import { ERROR_CODES, type ErrorCode } from '../base/errors/errors.ts';
import { MAX_REFRESH_TOKEN, parseMeta, parseObject, type Parsed } from './contents.ts';
import { tokenHash, type UseFacts } from './issued-state.ts';
import type { MetaDigest, RenewalState, TopDigest } from './snapshot.ts';
import { STORED_BEFORE_TOP, timesInFile, type TokenTimes } from './times.ts';

/**
 * Parses `.top`. Any text is valid except a refresh token that is too long; the provider
 * that owns the token checks the rest.
 */
export function digestTop(text: string): Parsed<TopDigest> {
  const object = parseObject(text);
  if (!object.ok) return { ok: true, value: { opaque: true, refreshToken: 'absent' } };
  const { refresh_token: token, vault_url: vaultUrl } = object.value;
  if (typeof token === 'string' && token.length > MAX_REFRESH_TOKEN)
    return { ok: false, reason: 'has a refresh token longer than 16 KiB' };
  const refreshToken = typeof token !== 'string' ? 'absent' : token === '' ? 'empty' : 'present';
  return {
    ok: true,
    value: {
      opaque: false,
      refreshToken,
      vaultUrl: typeof vaultUrl === 'string' ? vaultUrl : undefined,
    },
  };
}

/** What a reader finds in `.use`, without the token. */
export interface UseDigest extends UseFacts {
  readonly times: TokenTimes;
}

/**
 * Returns the times of `.use`: JSON with an access token, or a bare token on one line.
 * `mtime` in epoch seconds and `defaultLifetime` in seconds are used if neither the file
 * nor the token contains the times.
 */
export function digestUse(
  text: string,
  mtime: number,
  defaultLifetime: number,
): Parsed<TokenTimes> {
  const digest = digestUseFile(text, mtime, defaultLifetime);
  return digest.ok ? { ok: true, value: digest.value.times } : digest;
}

/**
 * Like {@link digestUse}, with all that is known of the times, and with `hashed` the hash
 * of a bare token.
 */
export function digestUseFile(
  text: string,
  mtime: number,
  defaultLifetime: number,
  hashed = false,
): Parsed<UseDigest> {
  const object = parseObject(text);
  if (!object.ok) {
    const token = bareToken(text, object.reason);
    if (!token.ok) return token;
    const stored = timesInFile({ access_token: token.value }, mtime, defaultLifetime);
    const hash = hashed ? { hash: tokenHash(token.value) } : {};
    return { ok: true, value: { ...stored, bare: true, ...hash } };
  }
  const token = object.value['access_token'];
  if (typeof token !== 'string' || token === '')
    return { ok: false, reason: 'has no "access_token" string' };
  const { times, assumed } = timesInFile(object.value, mtime, defaultLifetime);
  const beforeTop = object.value[STORED_BEFORE_TOP] === true;
  return {
    ok: true,
    value: { times: beforeTop ? { ...times, beforeTop } : times, assumed, bare: false },
  };
}

/** Returns the access token in the text of `.use`, JSON or bare, if any. */
export function accessTokenOf(text: string): string | undefined {
  const object = parseObject(text);
  if (object.ok) {
    const token = object.value['access_token'];
    return typeof token === 'string' && token !== '' ? token : undefined;
  }
  const token = bareToken(text, object.reason);
  return token.ok ? token.value : undefined;
}

/** Returns a bare token; `notJson` is why the text is no JSON object. */
function bareToken(text: string, notJson: string): Parsed<string> {
  const bare = text.trim();
  if (isJson(bare)) return { ok: false, reason: notJson };
  return /^[!#-Z\\^-z|~]+$/.test(bare)
    ? { ok: true, value: bare }
    : { ok: false, reason: `${notJson} and not a bare token` };
}

/** `null`, `5` and `true` look like bare tokens, but come from a faulty writer. */
function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    // Most bare tokens are not JSON.
    return false;
  }
}

/** Parses `.meta`, without its secret. */
export function digestMeta(text: string): Parsed<MetaDigest> {
  const meta = parseMeta(text);
  if (!meta.ok) return meta;
  const {
    client_id: clientId,
    token_url: tokenUrl,
    use_refresh_token: useRefreshToken,
  } = meta.value;
  return { ok: true, value: { clientId, tokenUrl, useRefreshToken } };
}

/** Parses `.S.renewal`. Invalid contents count as no state, which costs one attempt. */
export function parseRenewal(text: string): RenewalState | undefined {
  const object = parseObject(text);
  if (!object.ok) return undefined;
  const { attempts, last_attempt, not_before, stopped, code, message, basis, outage } =
    object.value;
  const counted = [attempts, last_attempt, not_before].every(
    (value) => typeof value === 'number' && Number.isFinite(value),
  );
  if (
    !counted ||
    typeof stopped !== 'boolean' ||
    typeof message !== 'string' ||
    typeof basis !== 'string'
  )
    return undefined;
  if (typeof code !== 'string' || !Object.hasOwn(ERROR_CODES, code)) return undefined;
  return {
    attempts: Number(attempts),
    last_attempt: Number(last_attempt),
    not_before: Number(not_before),
    stopped,
    code: code as ErrorCode,
    message,
    basis,
    ...(outage === true ? { outage } : {}),
  };
}

/** Returns the text of `.S.renewal`. */
export function renewalText(state: RenewalState): string {
  return `${JSON.stringify(state)}\n`;
}
