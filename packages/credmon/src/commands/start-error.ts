// What keeps the daemon from starting, in its log: condor_master ties standard error to
// /dev/null.
import { isCoded, type CodedError } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { openStartLog, startErrorLines, type Logger } from '@credmon/core/log';
import type { DaemonCommand } from '../command-line/command.ts';
import { LOG_HABITS } from '../settings/read.ts';

/**
 * The lines that say what is wrong, all mistakes of the configuration among them, and the
 * log for them if one can be opened.
 */
export interface StartError {
  readonly lines: readonly string[];
  readonly log: Logger | undefined;
}

/** A log that cannot be opened is itself what is wrong. */
export async function startError(
  error: Error,
  command: DaemonCommand,
  env: NodeJS.ProcessEnv,
): Promise<StartError> {
  const mistakes: CodedError[] = [];
  const { name, configFile } = command;
  const config = loadConfig({
    subsystem: name,
    env: configFile === undefined ? env : { ...env, CONDOR_CONFIG: configFile },
    tolerate: (mistake) => void mistakes.push(mistake),
  });
  const log = isCoded(error, 'LOG_UNWRITABLE')
    ? undefined
    : await openStartLog(config, config.subsystem, command, LOG_HABITS);
  return { lines: startErrorLines(error, mistakes), log };
}
