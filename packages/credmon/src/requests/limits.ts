// Limits how many requests of each user are taken, and which of them start in a pass or
// after the work that this user caused before.
import { OLDEST_REQUEST, type Asker } from './request.ts';

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

/** The requests that wait because their user has asked often. Times in steady seconds. */
export interface Turns<Request extends Asker> {
  /** The number of requests that wait. */
  readonly waiting: number;
  /** Says what happens to a request. One that waits is returned by {@link next} later. */
  add(request: Request, now: number): 'take' | 'wait' | 'refuse';
  /** Returns the requests whose turn has come. Those that waited too long are dropped. */
  next(now: number): readonly Request[];
}

/** Creates the turns; no request waits. */
export function createTurns<Request extends Asker>(): Turns<Request> {
  const rate = createRequestRate();
  let line: readonly { readonly request: Request; readonly since: number }[] = [];
  const isTurn = ({ uid }: Asker, now: number): boolean => {
    const permits = rate.permits(uid, now);
    if (permits) rate.count(uid, now);
    return permits;
  };
  return {
    get waiting() {
      return line.length;
    },
    add: (request, now) => {
      if (isTurn(request, now)) return 'take';
      const ahead = line.filter((each) => each.request.uid === request.uid).length;
      if (ahead >= MOST_WAITING) return 'refuse';
      line = [...line, { request, since: now }];
      return 'wait';
    },
    next: (now) => {
      const current = line.filter(({ since }) => now - since <= OLDEST_REQUEST);
      const ready = new Set(current.filter(({ request }) => isTurn(request, now)));
      line = current.filter((each) => !ready.has(each));
      return [...ready].map(({ request }) => request);
    },
  };
}

/** Seconds after which an unfinished request counts as left over. */
export const LONGEST_WRITE = 60;
/** Unfinished requests that are left alone at the same time. */
export const MOST_UNFINISHED = 1024;

/** The unfinished requests that were seen, and when. */
export interface Unfinished {
  /**
   * True if a request with this name is left alone at `now` (steady seconds). Its owner
   * can set the time of the file, but not the time when it is first seen.
   */
  mayStay(name: string, now: number): boolean;
  /** All names were read once: forgets those that are gone. */
  allRead(): void;
}

/** Creates the memory; nothing was seen yet. */
export function createUnfinished(): Unfinished {
  const firstSeen = new Map<string, number>();
  let met = new Set<string>();
  return {
    mayStay: (name, now) => {
      const since = firstSeen.get(name);
      if (since === undefined && firstSeen.size >= MOST_UNFINISHED) return false;
      firstSeen.set(name, since ?? now);
      met.add(name);
      return now - (since ?? now) <= LONGEST_WRITE;
    },
    allRead: () => {
      for (const name of firstSeen.keys()) if (!met.has(name)) firstSeen.delete(name);
      met = new Set();
    },
  };
}

/** Adds work of the user with this id to the queue of this user. It must not reject. */
export type UserQueues = (uid: number, work: () => Promise<void>) => void;

/**
 * Creates the queues. The work of one user is done one at a time, in order, and never
 * waits for that of another user. A queue without work is forgotten.
 */
export function createUserQueues(): UserQueues {
  const working = new Map<number, Promise<void>>();
  return (uid, work) => {
    const last = (working.get(uid) ?? Promise.resolve()).then(work).finally(() => {
      if (working.get(uid) === last) working.delete(uid);
    });
    working.set(uid, last);
  };
}
