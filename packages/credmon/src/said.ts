// What the log has said already, so that only changes are said again.

/** What was last said about each of many things; of more than `most` the longest unsaid are forgotten. */
export interface Said {
  /** Calls `say` unless `key` was the last thing said about `about`. */
  once(about: string, key: string, say: () => void): void;
  forget(about: string): void;
  /** Forgets whatever `stays` does not want to keep. */
  keepOnly(stays: (about: string) => boolean): void;
  readonly size: number;
}

/** Nothing has been said yet. */
export function createSaid(most: number = Number.POSITIVE_INFINITY): Said {
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
