// Syncs the files and directories of many changes together, off the event loop: a change
// waits for the disk, the process does not.
import { fstatSync, fsync, fsyncSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { createYielder } from '../base/time/yielder.ts';

/** Syncs what several changes ask for, in rounds. */
export interface SyncGroup {
  /**
   * Resolves when the contents of an open file are durable.
   * @throws the system's error for this file
   */
  file(descriptor: number): Promise<void>;
  /**
   * Resolves when all renames made in the directory before this call are durable. Calls
   * for one directory in the same round share one fsync, and its error.
   * @throws the system's error
   */
  directory(descriptor: number): Promise<void>;
}

/** Something to sync, for all who wait for it. */
interface Waiting {
  readonly descriptor: number;
  readonly done: Promise<void>;
  readonly end: (error: unknown) => void;
}

/**
 * Creates a group. A round starts when the one before has ended; what is asked for
 * meanwhile waits for the next. So no rename of a change has to wait for a commit of the
 * file system that an fsync of another change has caused.
 */
export function createSyncGroup(
  sync: (descriptor: number) => Promise<void> = syncDescriptor,
): SyncGroup {
  let waiting = new Map<string, Waiting>();
  let running = false;

  const run = async (): Promise<void> => {
    running = true;
    const yieldIfDue = createYielder();
    while (waiting.size > 0) {
      const round = [...waiting.values()];
      waiting = new Map();
      const errors = await Promise.all(round.map(({ descriptor }) => errorOf(sync(descriptor))));
      for (const [at, { end }] of round.entries()) {
        end(errors[at]);
        await yieldIfDue();
      }
      // All changes of this round go on, and requests and signals that arrived are served.
      await nextTurn();
    }
    running = false;
  };

  const add = (key: string, descriptor: number): Promise<void> => {
    const known = waiting.get(key);
    if (known) return known.done;
    const entry = newWaiting(descriptor);
    waiting.set(key, entry);
    if (!running) void run();
    return entry.done;
  };

  return {
    file: (descriptor) => add(`file ${descriptor}`, descriptor),
    directory: async (descriptor) => {
      const { dev, ino } = fstatSync(descriptor);
      await add(`${dev} ${ino}`, descriptor);
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

/** Takes the first step now, and each of the others when its round has ended. */
export async function runInGroup<T>(steps: Steps<T>, group: SyncGroup): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    const { kind, descriptors } = step.value;
    const done = descriptors.map((descriptor) => errorOf(group[kind](descriptor)));
    step = steps.next(await Promise.all(done));
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
