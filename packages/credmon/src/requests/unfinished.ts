// Which unfinished requests are left alone for now: their names are enough to know. Pure.

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
