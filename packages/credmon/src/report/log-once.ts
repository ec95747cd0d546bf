// What the log has said already, so that only changes are said again.

/**
 * What was last said about each of many things; of more than `most` the longest unsaid
 * are forgotten.
 */
export interface LogOnce {
  /** Calls `say` unless `key` was the last thing said about `about`. */
  once(about: string, key: string, say: () => void): void;
  /** Forgets what was said: the trouble has ended, and is said again when it recurs. */
  forget(about: string): void;
  /** Forgets whatever `stays` does not want to keep. */
  keepOnly(stays: (about: string) => boolean): void;
  readonly size: number;
}

/** Nothing has been said yet. */
export function createLogOnce(most: number = Number.POSITIVE_INFINITY): LogOnce {
  const said = new Map<string, string>();
  return {
    once: (about, key, say) => {
      const before = said.get(about);
      said.delete(about);
      said.set(about, key);
      for (const oldest of said.keys()) {
        if (said.size <= most) break;
        said.delete(oldest);
      }
      if (before !== key) say();
    },
    forget: (about) => void said.delete(about),
    keepOnly: (stays) => {
      for (const about of said.keys()) if (!stays(about)) said.delete(about);
    },
    get size() {
      return said.size;
    },
  };
}

/**
 * Problems that are looked for in every round of work: one that a whole round did not
 * meet has ended, and is said again when it recurs.
 */
export interface Rounds {
  /** Calls `say` unless the text was said in this round or the one before. */
  once(text: string, say: () => void): void;
  /**
   * Ends the round. Calls `more` with the number of texts beyond the limit, unless there
   * were some in the round before, too.
   */
  end(more: (count: number) => void): void;
}

/** No round has begun yet. Of one round at most `most` texts are said. */
export function createRounds(most: number): Rounds {
  let before = new Set<string>();
  let now = new Set<string>();
  let beyondBefore = 0;
  let beyond = 0;
  return {
    once: (text, say) => {
      if (now.has(text)) return;
      if (now.size >= most) {
        beyond += 1;
        return;
      }
      now.add(text);
      if (!before.has(text)) say();
    },
    end: (more) => {
      if (beyond > 0 && beyondBefore === 0) more(beyond);
      [before, now, beyondBefore, beyond] = [now, new Set(), beyond, 0];
    },
  };
}
