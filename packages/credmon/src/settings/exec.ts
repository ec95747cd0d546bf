// Settings of the sites' own token programs (EXEC_CREDMON_*).
import { isAbsolute } from 'node:path';
import { knob, ownKnob, type KnobReader } from '@credmon/core/config';

/**
 * A provider's program with its arguments and its time limit in seconds; `extraScopes`
 * may be granted without a request.
 */
export interface TokenProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly seconds: number;
  readonly extraScopes: readonly string[];
  /** True when jobs may read the ID token of an answer. */
  readonly useIdToken: boolean;
}

/** Reads the programs of these providers. Mistakes are added to `read`. */
export function readTokenPrograms(read: KnobReader, names: readonly string[]): TokenProgram[] {
  const seconds = read.duration('EXEC_CREDMON_TIMEOUT');
  return [...new Set(names)].map((name) => {
    const line = read.string(knob('EXEC_CREDMON_<PROVIDER>_COMMAND', name)) ?? '';
    const [command = '', ...args] = line.split(/\s+/).filter((word) => word !== '');
    if (!isAbsolute(command))
      read.mistake(
        `EXEC_CREDMON_${name}_COMMAND`,
        command === '' ? 'is not set' : 'does not begin with an absolute path',
      );
    return {
      name,
      command,
      args,
      seconds: read.duration(ownKnob('EXEC_CREDMON_TIMEOUT', name)) ?? seconds,
      extraScopes: read.list(knob('CREDMON_<PROVIDER>_EXTRA_SCOPES', name)) ?? [],
      useIdToken: read.boolean(knob('CREDMON_<PROVIDER>_USE_ID_TOKEN', name)),
    };
  });
}
