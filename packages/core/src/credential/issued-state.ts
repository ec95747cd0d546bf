// `.S.issued`, our own state file beside a bare token: its times and granted scopes, which
// a file with the token alone cannot contain. Pure.
import { createHash } from 'node:crypto';
import { parseObject, type Parsed } from './file-contents.ts';
import type { FileState } from './snapshot.ts';
import { DOES_NOT_EXPIRE, timesInFile, type TokenTimes } from './times.ts';
import type { TokenAnswer } from './token-response.ts';

/**
 * The contents of `.S.issued`. `hash` is that of the access token: the state says nothing
 * about another token. `scope` are the granted scopes, if the issuer named them.
 */
export interface IssuedState {
  readonly hash: string;
  readonly times: TokenTimes;
  readonly scope?: string | undefined;
}

/** A longer list of scopes, in characters, is not kept. */
const LONGEST_SCOPE = 65_536;

/** Returns the SHA-256 of an access token in hexadecimal digits. */
export function tokenHash(accessToken: string): string {
  return createHash('sha256').update(accessToken).digest('hex');
}

/** Returns the text of `.S.issued` for a token that is stored bare. */
export function issuedText(
  { accessToken, scope }: Pick<TokenAnswer, 'accessToken' | 'scope'>,
  { issuedAt, expiresAt }: TokenTimes,
): string {
  const state = {
    token_sha256: tokenHash(accessToken),
    issued_at: issuedAt,
    ...(Number.isFinite(expiresAt) ? { expires_at: expiresAt } : { [DOES_NOT_EXPIRE]: true }),
    scope: scope !== undefined && scope.length <= LONGEST_SCOPE ? scope : undefined,
  };
  return `${JSON.stringify(state)}\n`;
}

/** Parses `.S.issued`. */
export function parseIssued(text: string): Parsed<IssuedState> {
  const object = parseObject(text);
  if (!object.ok) return object;
  const { token_sha256: hash, issued_at, expires_at, [DOES_NOT_EXPIRE]: timeless } = object.value;
  const recorded = { issued_at, expires_at, [DOES_NOT_EXPIRE]: timeless };
  const { times, assumed } = timesInFile(recorded, 0, 0);
  if (typeof hash !== 'string' || !/^[\da-f]{64}$/.test(hash) || assumed || times.issuedAt <= 0)
    return { ok: false, reason: 'is not the state of a token' };
  const { scope } = object.value;
  const granted = typeof scope === 'string' ? { scope } : {};
  return { ok: true, value: { hash, times, ...granted } };
}

/**
 * What `.use` says beside its times. `assumed`: the lifetime is the default one, because
 * neither the file nor the token has any; `bare`: there is no JSON around the token;
 * `hash`: that of a bare token, if it was wanted.
 */
export interface UseFacts {
  readonly assumed: boolean;
  readonly bare: boolean;
  readonly hash?: string;
}

/**
 * What a scan knows of the token in `.use`. `unfinished`: `.S.issued` is damaged, or of
 * another token that was written at the same moment or later, because its writer died
 * before it replaced `.use`.
 */
export interface KnownUse {
  readonly use: FileState<TokenTimes>;
  readonly assumed: boolean;
  readonly unfinished: boolean;
}

/**
 * Seconds. A `.use` written sooner after the state of another token may be that of a login
 * at the same moment, whose state was overwritten.
 */
const SAME_MOMENT = 60;

/**
 * Adds the times of `.S.issued` to a bare token, if the state is of this token. A `.use`
 * that another program stored later keeps its own.
 */
export function withIssuedState(
  use: FileState<TokenTimes>,
  { bare, assumed, hash }: UseFacts,
  issued: FileState<IssuedState>,
): KnownUse {
  if (use.kind !== 'valid' || !bare || issued.kind === 'missing')
    return { use, assumed, unfinished: false };
  if (issued.kind === 'broken') return { use, assumed, unfinished: true };
  if (issued.value.hash === hash)
    return { use: { ...use, value: issued.value.times }, assumed: false, unfinished: false };
  const unfinished = use.identity.mtime < issued.identity.mtime + SAME_MOMENT;
  return { use, assumed, unfinished };
}
