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

/** What each exit code of a command means, without the 1 and the 2 of {@link COMMON_EXITS}. */
type Exits = Readonly<Record<number, string>>;

/** What every command ends with if it cannot begin. */
export const COMMON_EXITS: Exits = {
  [EXIT_FAILED]: 'the configuration is invalid, or something else failed',
  [EXIT_USAGE]: 'wrong command line',
};

const STARTS: Exits = {
  0: 'stopped by a signal',
  [EXIT_FAILED]: 'failed at start, or lost its directory or a refresh token',
  [EXIT_LOG]: 'the log cannot be opened',
  [EXIT_HOLD]: 'invalid configuration, under condor_master',
};

/**
 * The exit codes of every command; the daemon is `''`. The help of each command and
 * docs/exit-codes.md say this.
 */
export const EXITS: Readonly<Record<string, Exits>> = {
  '': STARTS,
  '--once': { ...STARTS, 0: 'every due token was tried', 1: 'ended before all was done' },
  init: {
    0: 'written, and check found no error',
    1: 'written, and check found an error',
    2: 'wrong or missing options, or the file exists',
  },
  status: {
    0: 'no shown token is expired or stopped',
    1: 'a shown token is expired or stopped, or the user of --user has no token',
  },
  explain: {
    0: 'the token is usable',
    1: 'the token is expired or stopped, or does not exist',
  },
  check: { 0: 'no error', 1: 'at least one ERROR' },
  'check --migrate': { 0: 'every line was understood', 1: 'a line could not be parsed' },
  'config dump': { 0: 'printed' },
  'config get': { 0: 'printed', 1: 'the knob is not defined' },
  usable: {
    0: 'the token is valid long enough',
    1: 'the token is not valid that long, or does not exist',
  },
  renew: {
    0: 'renewed',
    1: 'not renewed; the output says why',
    2: 'wrong arguments, or a token of another user',
  },
  revoke: {
    0: 'nothing is left to do',
    1: 'a token was not revoked, a file was not removed, or there is no such token',
    2: 'wrong arguments, or a standing token',
  },
  'keys list': { 0: 'all keys are usable', 1: 'a key is unusable' },
  'keys rotate': { 0: 'every step that is due was taken', 1: 'a step failed' },
  'keys publish': { 0: 'published', 1: 'a key set was not published' },
  'standing list': {
    0: 'no token is expired or stopped',
    1: 'a token is expired or stopped',
  },
  'standing login': {
    0: 'the login is stored, and a running daemon has renewed the token',
    1: 'not stored, or stored and not renewed; the output says why',
  },
  token: { 0: 'the token was written or printed', 1: 'no token; the output says why' },
};

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
