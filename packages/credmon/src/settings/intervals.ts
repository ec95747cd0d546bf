// The daemon's own intervals, in seconds.

/** The longest time between two passes. */
export const LONGEST_SLEEP = 60;
/**
 * The shortest, unless somebody rings: a token that is due at every look must not keep a
 * processor busy.
 */
export const SHORTEST_SLEEP = 0.2;
/** How long a rotated token that could not be written waits for the next try. */
export const REWRITE_INTERVAL = 5;
/**
 * While late answers are awaited, the next pass comes this soon: a token whose connection
 * ended without an answer may be due.
 */
export const LATE_INTERVAL = 5;
/** How long a token rests whose renewal met what nobody expected. */
export const UNEXPECTED_INTERVAL = 60;
/**
 * A pass that somebody called for looks at what changed only; the next one comes this
 * soon and looks at the rest.
 */
export const SLEEP_AFTER_CALL = 5;
