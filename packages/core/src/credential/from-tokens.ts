// The three files of a token, from an issuer's answer: what the web server and the daemon write.
import type { TokenAnswer } from '../oauth/response.ts';
import type { MetaContents, TopContents } from './contents.ts';
import { promisedLifetime } from './times.ts';

/** What a finished login knows. Scopes and audience are those of the key file, to the byte; times in epoch seconds, lifetimes in seconds. */
export interface LoginResult {
  readonly answer: TokenAnswer;
  readonly scopes: string;
  readonly audience: string;
  readonly client: Omit<MetaContents, 'use_refresh_token'>;
  readonly issuedAt: number;
  readonly defaultLifetime: number;
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

/** The text of `.use`: the issuer's answer without its refresh token, with integer `expires_in`, `issued_at` and `expires_at`. */
export function useText(answer: TokenAnswer, issuedAt: number, defaultLifetime: number): string {
  const issued = Math.floor(issuedAt);
  const lifetime = promisedLifetime(answer.answer, defaultLifetime, issued);
  return line({ ...answer.answer, expires_in: lifetime, issued_at: issued, expires_at: issued + lifetime });
}

/** The text of a `.top` after a renewal: a rotated refresh token replaces the old one, every other key stays. */
export function rotatedTopText(top: TopContents, refreshToken: string): string {
  return line({ ...top, refresh_token: refreshToken });
}

/** The text of all three files after a login. Without a refresh token, `.top` holds an empty one and `.meta` says not to use it. */
export function filesFromLogin(login: LoginResult): { top: string; use: string; meta: string } {
  const { refreshToken } = login.answer;
  return {
    top: line({
      refresh_token: refreshToken ?? '',
      ...(login.scopes === '' ? {} : { scopes: login.scopes }),
      ...(login.audience === '' ? {} : { audience: login.audience }),
    }),
    use: useText(login.answer, login.issuedAt, login.defaultLifetime),
    meta: line({ ...login.client, use_refresh_token: refreshToken !== undefined }),
  };
}
