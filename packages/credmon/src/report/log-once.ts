// Remembers what was logged, so that only changes are logged again.

/**
 * Remembers the last message about each subject; beyond `most` subjects the oldest are
 * forgotten.
 */
export interface LogOnce {
  /** Calls `log` unless `key` was the last message about `about`. */
  once(about: string, key: string, log: () => void): void;
  /** Forgets a subject: its problem has ended, and is logged again when it recurs. */
  forget(about: string): void;
  /** Forgets subjects that `keep` rejects. */
  keepOnly(keep: (about: string) => boolean): void;
  readonly size: number;
}

/** Creates an empty memory. */
export function createLogOnce(most: number = Number.POSITIVE_INFINITY): LogOnce {
  const logged = new Map<string, string>();
  return {
    once: (about, key, log) => {
      const before = logged.get(about);
      logged.delete(about);
      logged.set(about, key);
      for (const oldest of logged.keys()) {
        if (logged.size <= most) break;
        logged.delete(oldest);
      }
      if (before !== key) log();
    },
    forget: (about) => void logged.delete(about),
    keepOnly: (keep) => {
      for (const about of logged.keys()) if (!keep(about)) logged.delete(about);
    },
    get size() {
      return logged.size;
    },
  };
}

/**
 * Problems that each round checks: a problem that a complete round did not report has
 * ended, and is logged again when it recurs.
 */
export interface Rounds {
  /** Calls `log` unless the text was reported in this round or the previous one. */
  once(text: string, log: () => void): void;
  /**
   * Ends the round. Calls `more` with the number of texts beyond the limit, unless the
   * previous round had some, too.
   */
  end(more: (count: number) => void): void;
}

/** Creates the rounds. At most `most` texts are logged per round. */
export function createRounds(most: number): Rounds {
  let before = new Set<string>();
  let now = new Set<string>();
  let beyondBefore = 0;
  let beyond = 0;
  return {
    once: (text, log) => {
      if (now.has(text)) return;
      if (now.size >= most) {
        beyond += 1;
        return;
      }
      now.add(text);
      if (!before.has(text)) log();
    },
    end: (more) => {
      if (beyond > 0 && beyondBefore === 0) more(beyond);
      [before, now, beyondBefore, beyond] = [now, new Set(), beyond, 0];
    },
  };
}
