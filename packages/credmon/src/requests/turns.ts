// Which requests are taken at once, which wait for their turn, and which are too many.
// Pure.
import { createRequestRate, MOST_WAITING } from './rate.ts';
import { OLDEST_REQUEST } from './request.ts';
import type { Asker } from './token-request.ts';

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
