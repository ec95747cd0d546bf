// Settings of the sites' own token programs (EXEC_CREDMON_*).
import { isAbsolute } from 'node:path';
import { knob, ownKnob, type KnobReader } from '@credmon/core/config';
import { readIssuerPolicy, type IssuerPolicy } from '@credmon/core/profiles';

/**
 * A provider's program with its arguments and its time limit in seconds.
 */
export interface TokenProgram {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly seconds: number;
  /** What depends on the issuer: rules for scopes, and what jobs may read. */
  readonly policy: IssuerPolicy;
}

/** Reads the programs of these providers. Mistakes are added to `read`. */
export function readTokenPrograms(
  read: KnobReader,
  names: readonly string[],
  allowLoopbackHttp: boolean,
): TokenProgram[] {
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
      policy: readIssuerPolicy(read, name, allowLoopbackHttp),
    };
  });
}
