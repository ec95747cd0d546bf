// What /readyz answers: whether tokens are being looked after, judged by the last pass
// and the directory. Pure.

/**
 * A pass is made every minute at the latest; after this many seconds without one,
 * something is wrong.
 */
export const PASS_IS_OLD = 180;

/**
 * What readiness is judged by: seconds since the last pass ended, if any did, and why the
 * credential directory cannot be read, if so.
 */
export interface Vitals {
  readonly sincePass: number | undefined;
  readonly unreadable: string | undefined;
}

/** The verdict, as it is sent. */
export type Readiness =
  { readonly ready: true } | { readonly ready: false; readonly reason: string };

/** Whether the daemon does its work now. */
export function judgeReadiness({ sincePass, unreadable }: Vitals): Readiness {
  if (unreadable !== undefined)
    return { ready: false, reason: `the credential directory: ${unreadable}` };
  if (sincePass === undefined) return { ready: false, reason: 'no pass has ended yet' };
  if (sincePass > PASS_IS_OLD)
    return { ready: false, reason: `the last pass ended ${Math.floor(sincePass)} s ago` };
  return { ready: true };
}
