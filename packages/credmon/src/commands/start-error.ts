// Writes a start error into the daemon's log: condor_master connects standard error to
// /dev/null.
import { isCoded, type CodedError } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { openStartLog, startErrorLines, type Logger } from '@credmon/core/log';
import type { DaemonCommand } from '../command-line/command.ts';
import { LOG_OPTIONS } from '../settings/read.ts';

/**
 * The lines of the error, with all mistakes of the configuration, and the log for them if
 * one can be opened.
 */
export interface StartError {
  readonly lines: readonly string[];
  readonly log: Logger | undefined;
}

/** If the log cannot be opened, that is the error itself. */
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
    : await openStartLog(config, config.subsystem, command, LOG_OPTIONS);
  return { lines: startErrorLines(error, mistakes), log };
}
