// Work that users cause: each user's in order, and no user waits for another one. Pure.

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
