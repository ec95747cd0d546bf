// The exit codes of the programs, and which one an error has. Pure.
import { ERROR_CODES, isCoded } from '@credmon/core/base';

/** "Do not restart": condor_master holds the daemon. */
const EXIT_HOLD = 99;
/** The log cannot be written. */
export const EXIT_LOG = 44;
/** A usage error. */
export const EXIT_USAGE = 2;
/** Every other error. */
export const EXIT_FAILED = 1;

/**
 * Returns the exit code for an error at start. `underMaster`: condor_master started us
 * (CONDOR_INHERIT is set).
 */
export function exitCodeOf(error: unknown, underMaster: boolean): number {
  if (!isCoded(error)) return EXIT_FAILED;
  switch (ERROR_CODES[error.code].exit) {
    case 'log':
      return EXIT_LOG;
    case 'usage':
      return EXIT_USAGE;
    case 'hold':
      return underMaster ? EXIT_HOLD : EXIT_FAILED;
    case 'failed':
      return EXIT_FAILED;
  }
}
