// Exit codes of errors, and printable text. Pure.
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

// Texts of users and issuers may contain characters that control a terminal; these are
// escaped.

/**
 * Control characters (except line feeds and tabs), and invisible characters that change
 * the direction of writing or break lines.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu;

/** Replaces unprintable characters by `\uXXXX`; JSON keeps its meaning. */
export function printable(text: string): string {
  return text.replaceAll(UNPRINTABLE, (character) =>
    character === '\n' || character === '\t'
      ? character
      : [...Array(character.length).keys()]
          .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
          .join(''),
  );
}
