// Limits per user; the steps and the stores share them.

/**
 * Logins of one flow that may be in progress at the same time. Only a script needs more.
 */
export const MAX_LIVE_LOGINS = 50;

/**
 * Logins of one flow in total: twice the number of tokens that a key file may request.
 */
export const MAX_LOGINS = 200;

/** The size of the text of missing scopes in an event, in bytes. */
export const MAX_MISSING_TEXT = 500;

/**
 * Flows, and sessions, that one local user may have open. Above this, the least recently
 * used one is removed.
 */
export const MAX_OPEN_PER_USER = 20;

/** Above this size in bytes, a flow starts no new login. */
export const MAX_FLOW_BYTES: number = 256 * 1024;

/** Additional bytes of a full flow, so that its logins in progress can finish. */
export const FLOW_RESERVE_BYTES: number = 64 * 1024;

/** The largest size of a session in bytes; it contains two ids. */
export const MAX_SESSION_BYTES = 4096;
