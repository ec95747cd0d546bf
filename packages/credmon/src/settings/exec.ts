// Settings of the sites' own token programs (EXEC_CREDMON_*).
import { isAbsolute } from 'node:path';
import type { KnobReader } from '@credmon/core/config';

/**
 * A provider's program, with its arguments, and how long it may run, in seconds;
 * `extraScopes` may be granted unasked.
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

/** Reads the programs of these providers. Mistakes are noted in `read`. */
export function readTokenPrograms(read: KnobReader, names: readonly string[]): TokenProgram[] {
  const seconds = read.seconds('EXEC_CREDMON_TIMEOUT', 30, 1, 600);
  return [...new Set(names)].map((name) => {
    const line = read.string(`EXEC_CREDMON_${name}_COMMAND`) ?? '';
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
      seconds: read.seconds(`EXEC_CREDMON_${name}_TIMEOUT`, seconds, 1, 600),
      extraScopes: read.list(`CREDMON_${name}_EXTRA_SCOPES`) ?? [],
      useIdToken: read.boolean(`CREDMON_${name}_USE_ID_TOKEN`, false),
    };
  });
}
