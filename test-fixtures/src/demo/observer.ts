// Reads the tokens of the demo like a job and records their renewals.
import { existsSync, readFileSync } from 'node:fs';

/** One token of the demo. */
export interface WatchedToken {
  readonly owner: string;
  readonly service: string;
  readonly usePath: string;
}

/** The observations of a token. Times are in epoch seconds, `left` in seconds. */
export interface Sighting {
  readonly token: WatchedToken;
  /** False until the user has logged in. */
  readonly there: boolean;
  readonly left: number;
  readonly renewals: number;
  /** The time of the last observed renewal; 0 before the first. */
  readonly renewedAt: number;
  /** True if the token was ever observed after its expiry. */
  readonly everExpired: boolean;
}

/** Reads all tokens; call it often with the current time. */
export interface Observer {
  look(now: number): readonly Sighting[];
}

/** Creates an observer of `tokens`. */
export function observe(tokens: readonly WatchedToken[]): Observer {
  const seen = new Map<
    WatchedToken,
    { accessToken: string; renewals: number; renewedAt: number; expired: boolean }
  >();
  return {
    look: (now) =>
      tokens.map((token) => {
        const use = readUse(token.usePath);
        if (use === undefined)
          return { token, there: false, left: 0, renewals: 0, renewedAt: 0, everExpired: false };
        const memory = seen.get(token) ?? {
          accessToken: use.accessToken,
          renewals: 0,
          renewedAt: 0,
          expired: false,
        };
        seen.set(token, memory);
        if (memory.accessToken !== use.accessToken) {
          memory.accessToken = use.accessToken;
          memory.renewals += 1;
          memory.renewedAt = now;
        }
        const left = use.expiresAt - now;
        memory.expired ||= left <= 0;
        const { renewals, renewedAt, expired } = memory;
        return { token, there: true, left, renewals, renewedAt, everExpired: expired };
      }),
  };
}

function readUse(path: string): { accessToken: string; expiresAt: number } | undefined {
  if (!existsSync(path)) return undefined;
  const use = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
  return { accessToken: String(use['access_token']), expiresAt: Number(use['expires_at']) };
}
