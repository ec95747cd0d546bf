// The exit code of an error, and texts from users and issuers made printable. Pure.
import { ERROR_CODES, isCoded } from '@credmon/core/base';

/** "Do not restart": condor_master then holds the daemon. */
const EXIT_HOLD = 99;
/** The log cannot be written. */
export const EXIT_LOG = 44;
/** The command line is wrong. */
export const EXIT_USAGE = 2;
/** Everything else. */
export const EXIT_FAILED = 1;

/**
 * The exit code for an error at start. `underMaster`: condor_master started us
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

// The printing edge of the commands: what users and issuers wrote may stand in a text,
// and must not steer a terminal.

/**
 * Control characters (line feeds and tabs are kept), and what turns the direction of
 * writing or breaks lines unseen.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/**
 * The text with `\uXXXX` for everything that no terminal prints; JSON means the same
 * after it as before.
 */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) =>
    character === '\n' || character === '\t'
      ? character
      : [...Array(character.length).keys()]
          .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join(''),
  );
}
