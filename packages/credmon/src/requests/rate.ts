// Limits how many requests of each user are taken, so that no user keeps the daemon busy.

/** Requests of one user that are taken within a minute. */
export const MOST_PER_MINUTE = 30;
/** Requests of one user that may wait for their turn. */
export const MOST_WAITING = 64;
/** In seconds. */
const MINUTE = 60;

/** The rate of each user's requests. */
export interface RequestRate {
  /** True if a request of this user may be taken at `now` (steady seconds). Root's always. */
  permits(uid: number, now: number): boolean;
  /** Counts a request that was taken. */
  count(uid: number, now: number): void;
}

/** Creates the rate; nothing is taken yet. */
export function createRequestRate(): RequestRate {
  const taken = new Map<number, readonly number[]>();
  const recent = (uid: number, now: number): readonly number[] =>
    (taken.get(uid) ?? []).filter((at) => now - at < MINUTE);
  return {
    permits: (uid, now) => uid === 0 || recent(uid, now).length < MOST_PER_MINUTE,
    count: (uid, now) => {
      for (const other of taken.keys()) if (recent(other, now).length === 0) taken.delete(other);
      taken.set(uid, [...recent(uid, now), now]);
    },
  };
}
