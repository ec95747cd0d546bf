// The names of standing tokens in snapshots, events and status.

/** The user in a standing token's snapshot; not a valid user name. */
export const STANDING = '(standing)';

/** The kind of provider of standing tokens that are renewed from a login. */
export const STANDING_LOGIN = 'standing-login';

/** True for the kinds of provider of standing tokens. */
export function isStanding(provider: string): boolean {
  return provider === 'standing' || provider === STANDING_LOGIN;
}
