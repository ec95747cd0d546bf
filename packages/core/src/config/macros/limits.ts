// Bounds that keep any configuration from hanging a daemon or filling its memory.

/** Bounds of reading and expanding; each one passed raises `CONFIG_LIMIT`. */
export const LIMITS = {
  /** Substitutions in one expansion. */
  steps: 20_000,
  /** Characters that one expansion may copy or search. */
  work: 1_000_000_000,
  /** Characters of one value. */
  valueLength: 4_194_304,
  /** Knobs expanded inside each other through function macros. */
  depth: 32,
  /** Files and templates that include each other. */
  includeDepth: 20,
  /** `if` inside `if`. */
  ifDepth: 63,
  /** Bytes of one source. */
  sourceBytes: 67_108_864,
  /** Sources read in one configuration. */
  sources: 10_000,
} as const;
