// Which exit code an error that ends the daemon gets. Pure.
import { ERROR_CODES, isCoded, type CodedError } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { openStartLog, startErrorLines, type Logger } from '@credmon/core/log';
import type { DaemonCommand } from './command.ts';
import { LOG_HABITS } from '../settings/read.ts';

// Which exit code an error that ends the daemon gets. Pure.

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

// What keeps the daemon from starting, in its log: condor_master ties standard error to
// /dev/null.

/**
 * The lines that say what is wrong, all mistakes of the configuration among them, and the
 * log for them if one can be opened.
 */
export interface StartError {
  readonly lines: readonly string[];
  readonly log: Logger | undefined;
}

/** A log that cannot be opened is itself what is wrong. */
export function startError(
  error: Error,
  command: DaemonCommand,
  env: NodeJS.ProcessEnv,
): StartError {
  const mistakes: CodedError[] = [];
  const { name, configFile } = command;
  const config = loadConfig({
    subsystem: name,
    env: configFile === undefined ? env : { ...env, CONDOR_CONFIG: configFile },
    tolerate: (mistake) => void mistakes.push(mistake),
  });
  const log = isCoded(error, 'LOG_UNWRITABLE')
    ? undefined
    : openStartLog(config, config.subsystem, command, LOG_HABITS);
  return { lines: startErrorLines(error, mistakes), log };
}
