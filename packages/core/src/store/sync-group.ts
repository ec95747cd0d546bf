// Syncs the files and directories of many changes together, off the event loop: a change
// waits for the disk, the process does not.
import { fstatSync, fsync, fsyncSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createTurnLimit } from '../base/time/yielder.ts';

/** Syncs what several changes ask for. */
export interface SyncGroup {
  /**
   * Resolves when the contents of an open file are durable.
   * @throws the system's error for this file
   */
  file(descriptor: number): Promise<void>;
  /**
   * Resolves when all renames made in the directory before this call are durable. Calls
   * for one directory that wait for the same fsync share its error.
   * @throws the system's error
   */
  directory(descriptor: number): Promise<void>;
  /** Await this before work after a sync, because many syncs end in the same turn. */
  readonly turn: () => Promise<void> | undefined;
}

/** Something to sync, for all who wait for it. */
interface Waiting {
  readonly descriptor: number;
  readonly done: Promise<void>;
  readonly end: (error: unknown) => void;
}

/**
 * Creates a group. The fsync of a file starts at once; that of a directory in the next turn
 * of the event loop, or when the one before for the same directory has ended: it serves all
 * who have asked for it meanwhile.
 */
export function createSyncGroup(
  sync: (descriptor: number) => Promise<void> = syncDescriptor,
): SyncGroup {
  const running = new Set<string>();
  const waiting = new Map<string, Waiting>();

  const run = async (key: string): Promise<void> => {
    running.add(key);
    // Renames that other changes make in this turn of the event loop share the first fsync.
    await nextTurn();
    for (let next = waiting.get(key); next; next = waiting.get(key)) {
      waiting.delete(key);
      next.end(await errorOf(sync(next.descriptor)));
    }
    running.delete(key);
  };

  return {
    turn: createTurnLimit(),
    file: (descriptor) => sync(descriptor),
    directory: async (descriptor) => {
      const { dev, ino } = fstatSync(descriptor);
      const key = `${dev} ${ino}`;
      const entry = waiting.get(key) ?? newWaiting(descriptor);
      waiting.set(key, entry);
      if (!running.has(key)) void run(key);
      await entry.done;
    },
  };
}

function newWaiting(descriptor: number): Waiting {
  let end: (error: unknown) => void = () => undefined;
  const done = new Promise<void>((resolve, reject) => {
    end = (error) => (error === undefined ? resolve() : reject(error));
  });
  return { descriptor, done, end };
}

function syncDescriptor(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => (error ? reject(error) : resolve()));
  });
}

// Work in steps, which syncs between them: at once, or in a group.

/** What must be durable before the next step. The answer: the error of each, if any. */
export interface Sync {
  readonly kind: 'file' | 'directory';
  readonly descriptors: readonly number[];
}
export type Steps<T> = Generator<Sync, T, readonly unknown[]>;

/** Takes all steps at once. */
export function runNow<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next(step.value.descriptors.map(syncNow));
  return step.value;
}

/** Takes the first step now, and each of the others when what it needs is durable. */
export async function runInGroup<T>(steps: Steps<T>, group: SyncGroup): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    const { kind, descriptors } = step.value;
    const done = descriptors.map((descriptor) => errorOf(group[kind](descriptor)));
    const errors = await Promise.all(done);
    const turn = group.turn();
    if (turn) await turn;
    step = steps.next(errors);
  }
  return step.value;
}

function syncNow(descriptor: number): unknown {
  try {
    fsyncSync(descriptor);
    return undefined;
  } catch (error) {
    return error;
  }
}

async function errorOf(work: Promise<void>): Promise<unknown> {
  try {
    await work;
    return undefined;
  } catch (error) {
    return error;
  }
}
