// The requests of users and their results: a request is noticed within seconds, and only
// the user who asked can read its result.
import { readdirSync, statSync, unlinkSync, watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import {
  messageOf,
  milliseconds,
  printableLine,
  systemClock,
  systemCode,
  writeFileAtomically,
  type Clock,
} from '@credmon/core/base';
import { createLogOnce } from '../report/log-once.ts';
import {
  resultName,
  type RenewalRequest,
  type Asker,
  type TokenRequest,
} from '../requests/request.ts';
import { createRequestReader } from './request-reader.ts';

/** The requests of users, while the daemon runs. */
export interface RequestBox {
  /** Reads the waiting requests. Never throws. */
  look(this: void): void;
  /**
   * Writes a result that only the user who asked can read; it is removed after five
   * minutes. A result with a token is removed after 30 s and at `close`. Never throws.
   */
  answer(
    this: void,
    request: Asker | RenewalRequest,
    text: string,
    kind?: 'renewal' | 'token',
  ): void;
  close(this: void): void;
}

/**
 * Options: the directories of requests and results, and the private one into which
 * requests are moved; `take` gets each request for a renewal, and `takeToken` each one for
 * a token, whose owner is proven and whose permission is not; `warn` gets each kind of
 * problem once.
 */
export interface RequestBoxOptions {
  readonly requests: string;
  readonly results: string;
  readonly taken: string;
  readonly take: (request: RenewalRequest) => void;
  readonly takeToken?: ((request: TokenRequest) => void) | undefined;
  readonly warn: (text: string) => void;
  readonly clock?: Pick<Clock, 'now' | 'steady'>;
}

/** Milliseconds between two looks because of changes: users can cause any number. */
const LOOK_INTERVAL = 1000;
/**
 * While entries are left: the wait before the next look, as a multiple of the time that
 * the last one took. A user's entries cost a quarter of the processor's time at the most.
 */
const REST = 3;
/** Milliseconds between two checks of the directory's time, where no change is noticed. */
const POLL_INTERVAL = 5000;
/** Kinds of problems that are remembered as logged. */
const MOST_TEXTS = 1000;
/** Seconds for which a result is kept. */
const KEEP = { renewal: 300, token: 30 } as const;

/**
 * Opens the directory of requests; results of an earlier daemon are removed.
 * @throws the system's error if the directory of results or the private one cannot be read
 */
export function openRequestBox(options: RequestBoxOptions): RequestBox {
  const { requests, results, warn, clock = systemClock } = options;
  const logged = createLogOnce(MOST_TEXTS);
  const warnOnce = (text: string): void => logged.once(text, '', () => warn(text));
  const reader = createRequestReader({ ...options, warn: warnOnce });
  /** The results by path; `until`: the time of their removal (steady seconds). */
  const kept = new Map<string, { readonly until: number; readonly kind: 'renewal' | 'token' }>();
  let closed = false;
  let seen: number | undefined;
  let lookedAt = Number.NEGATIVE_INFINITY;
  let timer: NodeJS.Timeout | undefined;

  const lookAfter = (wait: number): void => {
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      look();
    }, wait).unref();
  };
  /** Looks a second after the last look: without a watch, changes in between cost nothing. */
  const lookSoon = (): void => {
    if (!timer) lookAfter(Math.max(0, lookedAt + LOOK_INTERVAL - milliseconds()));
  };
  const look = (): void => {
    lookedAt = milliseconds();
    // Before the names are read: no change may be missed in between.
    watching.begin();
    try {
      seen = timeOf(requests);
      const left = reader.look();
      if (left === 'more') lookAfter(REST * (milliseconds() - lookedAt));
      else if (left === 'waiting') lookSoon();
    } catch (error) {
      warnOnce(`Cannot read requests in ${requests}: ${systemCode(error) ?? messageOf(error)}`);
    }
  };
  const poll = (): void => {
    for (const [path, { until }] of kept) {
      if (until > clock.steady()) continue;
      kept.delete(path);
      removeResult(path);
    }
    if (timeOf(requests) !== seen) look();
  };

  const watching = watchOnce(requests, lookSoon, warnOnce);

  for (const name of readdirSync(results)) removeResult(join(results, name));
  watching.begin();
  const polling = setInterval(poll, POLL_INTERVAL).unref();

  return {
    look,
    answer: (request, text, kind = 'renewal') => {
      if (closed && kind === 'token') return;
      const path = join(results, resultName(request));
      const { uid, gid } = request;
      try {
        writeFileAtomically(path, text, { mode: 0o400, durable: false, owner: { uid, gid } });
        kept.set(path, { until: clock.steady() + KEEP[kind], kind });
      } catch (error) {
        // A whole message names a new temporary file each time.
        const why = systemCode(error) ?? messageOf(error);
        warnOnce(`Cannot write the result of a request in ${results}: ${why}`);
      }
    },
    close: () => {
      closed = true;
      for (const [path, { kind }] of kept) if (kind === 'token') removeResult(path);
      clearInterval(polling);
      clearTimeout(timer);
      watching.end();
      reader.close();
    },
  };
}

/** Returns the modification time of a directory; `undefined` if it cannot be read. */
function timeOf(path: string): number | undefined {
  try {
    return statSync(path).mtimeMs;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

function removeResult(path: string): void {
  try {
    unlinkSync(path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

/**
 * Returns what begins to watch a directory, if it is not watched. `changed` is called
 * once, at the first change, which ends the watch: a user can cause any number of changes.
 * If the system cannot watch, only polling remains.
 */
function watchOnce(
  directory: string,
  changed: () => void,
  warn: (text: string) => void,
): { readonly begin: () => void; readonly end: () => void } {
  let watcher: FSWatcher | undefined;
  const end = (): void => {
    watcher?.close();
    watcher = undefined;
  };
  const failed = (error: unknown): void =>
    warn(
      `Cannot watch ${directory}, requests wait up to ${POLL_INTERVAL / 1000} s: ${printableLine(messageOf(error))}`,
    );
  const begin = (): void => {
    if (watcher) return;
    try {
      watcher = watch(directory, { persistent: false }, () => {
        end();
        changed();
      });
      watcher.on('error', failed);
    } catch (error) {
      failed(error);
    }
  };
  return { begin, end };
}
