// Which exit code an error that ends the daemon gets. Pure.
import { isCoded, type ErrorCode } from '@credmon/core';

/** "Do not restart": condor_master then holds the daemon. */
export const EXIT_HOLD = 99;
/** The log cannot be written. */
export const EXIT_LOG = 44;
/** The command line is wrong. */
export const EXIT_USAGE = 2;
/** Everything else. */
export const EXIT_FAILED = 1;

/** Errors that a restart cannot mend. */
const HOLD: ReadonlySet<ErrorCode> = new Set([
  'CONFIG_INVALID',
  'CONFIG_SYNTAX',
  'CONFIG_READ',
  'CONFIG_LIMIT',
  'CRED_DIR_INVALID',
]);

/** The exit code for an error at start. `underMaster`: condor_master started us (CONDOR_INHERIT is set). */
export function exitCodeOf(error: unknown, underMaster: boolean): number {
  if (isCoded(error, 'LOG_UNWRITABLE')) return EXIT_LOG;
  if (isCoded(error, 'USAGE')) return EXIT_USAGE;
  return underMaster && isCoded(error) && HOLD.has(error.code) ? EXIT_HOLD : EXIT_FAILED;
}
