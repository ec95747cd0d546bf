// The files of a token, made from a token response, as the web server and the daemon
// write them.
import type { TokenAnswer } from './token-response.ts';
import type { MetaContents, TopContents } from './file-contents.ts';
import { issuedText } from './issued-state.ts';
import { jobReadable, readableUse, type UseOrigin } from './job-readable.ts';
import { DOES_NOT_EXPIRE, STORED_BEFORE_TOP, promisedLifetime, type TokenTimes } from './times.ts';

/**
 * The result of a login. Scopes and audience are byte for byte those of the key file;
 * times in epoch seconds, lifetimes in seconds.
 */
export interface LoginResult {
  readonly answer: TokenAnswer;
  readonly scopes: string;
  readonly audience: string;
  readonly client: Omit<MetaContents, 'use_refresh_token'>;
  readonly issuedAt: number;
  readonly defaultLifetime: number;
  /** True if jobs may read the ID token (CREDMON_<P>_USE_ID_TOKEN). */
  readonly idToken?: boolean;
  /** False for a `.use` with the bare token (CREDMON_<P>_TOKEN_USE_JSON). */
  readonly json?: boolean;
}

/** The texts of a token's files; `issued` only for a bare token. */
export interface LoginFiles {
  readonly top: string;
  readonly use: string;
  readonly meta: string;
  readonly issued?: string;
}

/**
 * What `.use` holds as JSON. Times in epoch seconds, the lifetime in seconds. A token that
 * does not expire has {@link DOES_NOT_EXPIRE} in place of lifetime and expiry.
 */
export interface WrittenUse extends Readonly<Record<string, unknown>> {
  readonly issued_at: number;
  readonly expires_in?: number;
  readonly expires_at?: number;
  readonly [DOES_NOT_EXPIRE]?: true;
}

const line = (value: unknown): string => `${JSON.stringify(value)}\n`;

/**
 * Returns the contents of `.use`: the token response without its refresh tokens and,
 * unless `idToken` is true, without ID tokens; with integer `expires_in`, `issued_at` and
 * `expires_at`, or {@link DOES_NOT_EXPIRE}. Times in epoch seconds, lifetimes in seconds;
 * an infinite `defaultLifetime` is that of tokens that do not expire.
 */
export function useContents(
  answer: TokenAnswer,
  issuedAt: number,
  defaultLifetime: number,
  idToken = false,
): WrittenUse {
  const issued = Math.floor(issuedAt);
  const lifetime = promisedLifetime(answer.answer, defaultLifetime, issued);
  const secrets = answer.refreshToken === undefined ? [] : [answer.refreshToken];
  const {
    [DOES_NOT_EXPIRE]: _ours,
    [STORED_BEFORE_TOP]: _alsoOurs,
    ...readable
  } = jobReadable(answer.answer, { secrets, idToken });
  if (Number.isFinite(lifetime))
    return { ...readable, expires_in: lifetime, issued_at: issued, expires_at: issued + lifetime };
  const { expires_in: _in, expires_at: _at, ...timeless } = readable;
  return { ...timeless, issued_at: issued, [DOES_NOT_EXPIRE]: true };
}

/** A `.use` that is ready to be written, and the times that every reader finds in it. */
export interface UseFile {
  readonly text: string;
  readonly times: TokenTimes;
}

/**
 * How a `.use` is made. `now` in epoch seconds, `defaultLifetime` in seconds; `json` false
 * makes a file with the bare token, `idToken` true leaves the ID token in.
 */
export interface UseOptions extends UseOrigin {
  readonly idToken?: boolean | undefined;
  readonly json?: boolean | undefined;
}

/**
 * The `.use` of an accepted answer, see {@link useContents}.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when no reader could read it
 */
export function useFile(answer: TokenAnswer, options: UseOptions): UseFile {
  const { now, defaultLifetime, idToken, json = true } = options;
  const contents = useContents(answer, now, defaultLifetime, idToken);
  const text = json ? line(contents) : bareText(answer);
  return { text: readableUse(text, options), times: timesOf(contents) };
}

const bareText = ({ accessToken }: TokenAnswer): string => `${accessToken}\n`;

function timesOf(contents: WrittenUse): TokenTimes {
  const { issued_at: issuedAt, expires_at: expiresAt = Number.POSITIVE_INFINITY } = contents;
  return { issuedAt, expiresAt };
}

/** Returns the text of `.use`, see {@link useContents}. */
export function useText(...args: Parameters<typeof useContents>): string {
  return line(useContents(...args));
}

/**
 * Returns the text of `.top` after a renewal: the rotated refresh token replaces the old
 * one, all other keys are kept.
 */
export function rotatedTopText(top: TopContents, refreshToken: string): string {
  return line({ ...top, refresh_token: refreshToken });
}

/**
 * Returns the texts of all files after a login. Without a refresh token, `.top` has an
 * empty one and `use_refresh_token` in `.meta` is false.
 */
export function filesFromLogin(login: LoginResult): LoginFiles {
  const { answer, issuedAt, defaultLifetime, idToken, json = true } = login;
  const { refreshToken } = answer;
  const contents = useContents(answer, issuedAt, defaultLifetime, idToken);
  return {
    top: line({
      refresh_token: refreshToken ?? '',
      scopes: login.scopes === '' ? undefined : login.scopes,
      audience: login.audience === '' ? undefined : login.audience,
    }),
    use: json ? line(contents) : bareText(answer),
    ...(json ? {} : { issued: issuedText(answer, timesOf(contents)) }),
    meta: line({ ...login.client, use_refresh_token: refreshToken !== undefined }),
  };
}
