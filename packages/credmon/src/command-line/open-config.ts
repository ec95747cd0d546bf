// Reads the configuration for a command: `--config FILE` replaces CONDOR_CONFIG.
import { loadConfig, type Config } from '@credmon/core/config';
import type { CommonOptions } from './command.ts';

/**
 * Returns the merged configuration of the subsystem `--name`.
 * @throws CodedError as `loadConfig`
 */
export function openConfig({ name, configFile }: CommonOptions, env: NodeJS.ProcessEnv): Config {
  return loadConfig({
    subsystem: name,
    env: configFile === undefined ? env : { ...env, CONDOR_CONFIG: configFile },
  });
}
