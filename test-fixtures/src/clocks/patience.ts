// The timeout of tests that wait for an event in another process. It is the only such
// limit, because a slow machine must not fail a test.

/**
 * The timeout of one condition, in seconds, from CREDMON_TEST_PATIENCE. A wait ends when
 * its condition is true, so a large value delays only failing tests.
 */
export const PATIENCE: number = Number(process.env['CREDMON_TEST_PATIENCE'] ?? 120);

/**
 * Timeouts of requests that should succeed, in seconds. A test of the timeouts sets its
 * own.
 */
export const PATIENT_LIMITS = { connectSeconds: PATIENCE, totalSeconds: PATIENCE } as const;
