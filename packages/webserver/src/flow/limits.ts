// How much one user's way through the portal may take: numbers that the steps and the
// stores share.

/** Logins of one flow that may wait at issuers at the same time; more is a script. */
export const MAX_LIVE_LOGINS = 50;

/** Logins that one flow may see in all: twice as many as a key file may ask for. */
export const MAX_LOGINS = 200;

/** How many bytes of ungranted scopes an event keeps, for people to read. */
export const MAX_MISSING_TEXT = 500;

/**
 * Flows, and sessions, that one local user may have open; the one unused for longest
 * goes.
 */
export const MAX_OPEN_PER_USER = 20;

/** A flow as large as this many bytes takes no new login. */
export const MAX_FLOW_BYTES: number = 256 * 1024;

/**
 * What a full flow may still grow by, in bytes, so that the logins that it has begun can
 * end.
 */
export const FLOW_RESERVE_BYTES: number = 64 * 1024;

/** The largest session in bytes; it holds two ids. */
export const MAX_SESSION_BYTES = 4096;
