// Reads the configuration for a command: `--config FILE` replaces CONDOR_CONFIG. When it
// cannot be used, finds all mistakes and the daemon's log for them: condor_master connects
// standard error to /dev/null.
import { isCoded, type CodedError } from '@credmon/core/base';
import { loadConfig, type Config, type LoadOptions } from '@credmon/core/config';
import type { Logger } from '@credmon/core/log';
import type { CommonOptions, DaemonCommand } from './command.ts';

/**
 * Returns the merged configuration of the subsystem `--name`.
 * @param tolerate receives each mistake; without it, the first one is thrown
 * @throws CodedError as `loadConfig`
 */
export function openConfig(
  { name, configFile }: CommonOptions,
  env: NodeJS.ProcessEnv,
  tolerate?: LoadOptions['tolerate'],
): Config {
  return loadConfig({
    subsystem: name,
    env: configFile === undefined ? env : { ...env, CONDOR_CONFIG: configFile },
    tolerate,
  });
}

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
  const config = openConfig(command, env, (mistake) => void mistakes.push(mistake));
  // Loaded here: most commands have no log.
  const { openStartLog, startErrorLines } = await import('@credmon/core/log');
  const { LOG_OPTIONS } = await import('../settings/read.ts');
  const log = isCoded(error, 'LOG_UNWRITABLE')
    ? undefined
    : await openStartLog(config, config.subsystem, command, LOG_OPTIONS);
  return { lines: startErrorLines(error, mistakes), log };
}
