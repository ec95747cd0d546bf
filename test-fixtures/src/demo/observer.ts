// Watches the tokens of the demo as a job would read them, and remembers what it has
// seen.
import { existsSync, readFileSync } from 'node:fs';

/** One token that the demo asks for. */
export interface WatchedToken {
  readonly owner: string;
  readonly service: string;
  readonly usePath: string;
}

/** What was seen of a token so far. Times in epoch seconds, `left` in seconds. */
export interface Sighting {
  readonly token: WatchedToken;
  /** False until the user has logged in. */
  readonly there: boolean;
  readonly left: number;
  readonly renewals: number;
  /** When the latest renewal was seen; 0 before the first. */
  readonly renewedAt: number;
  /** True when the token was past its expiry at any look. */
  readonly everExpired: boolean;
}

/** Looks at every token; to be called often with the time. */
export interface Observer {
  look(now: number): readonly Sighting[];
}

/** An observer of `tokens` that has seen nothing yet. */
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
