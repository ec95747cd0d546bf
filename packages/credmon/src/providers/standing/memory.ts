// What is known of fetched standing tokens, kept beside the tokens of jobs: a restart and
// `condor_credmon status` know it, too.
import { isRecord } from '@credmon/core/base';
import { parseObject, type FileIdentity } from '@credmon/core/credential';
import type { StandingFiles } from './ports.ts';

/**
 * A fetched token that we know: which version of its file, the configuration that it
 * answers, and its lifetime in seconds.
 */
export interface Known {
  readonly identity: FileIdentity;
  readonly stands: string;
  readonly lifetime?: number;
}

/** What was kept, by the token's name; what cannot be read is unknown. */
export function recall(files: StandingFiles): Map<string, Known> {
  const object = parseObject(files.recall() ?? '');
  const entries = object.ok && isRecord(object.value) ? Object.entries(object.value) : [];
  return new Map(
    entries.flatMap(([name, value]) => {
      const known = knownOf(value);
      return known ? [[name, known] as const] : [];
    }),
  );
}

/** Keeps it, without the tokens that stand no longer. */
export function keep(
  files: StandingFiles,
  known: ReadonlyMap<string, Known>,
  names: readonly string[],
): void {
  files.keep(
    `${JSON.stringify(Object.fromEntries([...known].filter(([name]) => names.includes(name))))}\n`,
  );
}

function knownOf(value: unknown): Known | undefined {
  if (!isRecord(value) || !isRecord(value['identity'])) return undefined;
  const { stands, lifetime, identity } = value;
  const { ino, mtime, size } = identity;
  if (typeof ino !== 'number' || typeof mtime !== 'number' || typeof size !== 'number')
    return undefined;
  if (typeof stands !== 'string') return undefined;
  return {
    identity: { ino, mtime, size },
    stands,
    ...(typeof lifetime === 'number' ? { lifetime } : {}),
  };
}
