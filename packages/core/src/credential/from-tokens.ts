// The three files of a token, from an issuer's answer: what the web server and the daemon
// write.
import type { TokenAnswer } from './token-response.ts';
import type { MetaContents, TopContents } from './contents.ts';
import { jobReadable } from './job-readable.ts';
import { promisedLifetime } from './times.ts';

/**
 * What a finished login knows. Scopes and audience are those of the key file, to the
 * byte; times in epoch seconds, lifetimes in seconds.
 */
export interface LoginResult {
  readonly answer: TokenAnswer;
  readonly scopes: string;
  readonly audience: string;
  readonly client: Omit<MetaContents, 'use_refresh_token'>;
  readonly issuedAt: number;
  readonly defaultLifetime: number;
  /** True when jobs may read the ID token (CREDMON_<P>_USE_ID_TOKEN). */
  readonly idToken?: boolean;
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

/**
 * Returns what `.use` holds: the issuer's answer without its refresh tokens and, unless
 * `idToken` is true, without ID tokens, with integer `expires_in`, `issued_at` and
 * `expires_at`. Times in epoch seconds, lifetimes in seconds.
 */
export function useContents(
  answer: TokenAnswer,
  issuedAt: number,
  defaultLifetime: number,
  idToken = false,
): Record<string, unknown> {
  const issued = Math.floor(issuedAt);
  const lifetime = promisedLifetime(answer.answer, defaultLifetime, issued);
  const secrets = answer.refreshToken === undefined ? [] : [answer.refreshToken];
  const readable = jobReadable(answer.answer, { secrets, idToken });
  return { ...readable, expires_in: lifetime, issued_at: issued, expires_at: issued + lifetime };
}

/** The text of `.use`, see {@link useContents}. */
export function useText(...args: Parameters<typeof useContents>): string {
  return line(useContents(...args));
}

/**
 * The text of a `.top` after a renewal: a rotated refresh token replaces the old one,
 * every other key stays.
 */
export function rotatedTopText(top: TopContents, refreshToken: string): string {
  return line({ ...top, refresh_token: refreshToken });
}

/**
 * The text of all three files after a login. Without a refresh token, `.top` holds an
 * empty one and `.meta` says not to use it.
 */
export function filesFromLogin(login: LoginResult): { top: string; use: string; meta: string } {
  const { refreshToken } = login.answer;
  return {
    top: line({
      refresh_token: refreshToken ?? '',
      ...(login.scopes === '' ? {} : { scopes: login.scopes }),
      ...(login.audience === '' ? {} : { audience: login.audience }),
    }),
    use: useText(login.answer, login.issuedAt, login.defaultLifetime, login.idToken),
    meta: line({ ...login.client, use_refresh_token: refreshToken !== undefined }),
  };
}
