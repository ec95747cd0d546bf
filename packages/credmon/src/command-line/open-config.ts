// Reads the configuration for a command: `--config FILE` replaces CONDOR_CONFIG.
import { loadConfig, type Config, type LoadOptions } from '@credmon/core/config';
import type { CommonOptions } from './command.ts';

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
