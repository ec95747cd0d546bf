// How long tests wait for an event in another process: the only such limit, because a
// busy machine is slow and not wrong.

/**
 * The longest wait for one condition, in seconds; CREDMON_TEST_PATIENCE changes it. A
 * wait ends as soon as its condition holds, so a large value costs time only in a test
 * that fails.
 */
export const PATIENCE: number = Number(process.env['CREDMON_TEST_PATIENCE'] ?? 120);

/**
 * Limits of a request that is meant to be answered; a test of the limits themselves sets
 * its own. Seconds.
 */
export const PATIENT_LIMITS = { connectSeconds: PATIENCE, totalSeconds: PATIENCE } as const;
