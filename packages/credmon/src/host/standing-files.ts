// Standing tokens' part of the world: their files, and the users they belong to.
import { lstatSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  inDirectory,
  isCoded,
  messageOf,
  systemCode,
  writeFileAtomically,
} from '@credmon/core/base';
import { readCredentialFile } from '@credmon/core/store';
import { createOwners } from './owners.ts';
import type { StandingFiles, StandingReading } from '../providers/standing/ports.ts';

/** Is in the credential directory; a name that begins with a dot is not a user's. */
const MEMORY_FILE = '.credmon-standing.json';

/**
 * The real files, with the credential directory if anything is to be remembered. A user
 * once found is not asked for again.
 */
export function standingFiles(credDir?: string): StandingFiles {
  const owners = createOwners();
  return {
    read,
    write: (path, text, mode, owner) =>
      inDirectory(dirname(path), (directory) =>
        writeFileAtomically(join(directory, basename(path)), text, {
          mode,
          durable: false,
          ...(owner === undefined ? {} : { owner }),
        }),
      ),
    owner: (name) => owners.owner(name),
    lookUpOwners: (names) => owners.lookUp(names),
    recall: () => {
      const reading = credDir === undefined ? undefined : readIn(credDir, MEMORY_FILE);
      return reading?.kind === 'text' ? reading.text : undefined;
    },
    keep: (text) => {
      if (credDir === undefined) return;
      inDirectory(credDir, (directory) =>
        writeFileAtomically(join(directory, MEMORY_FILE), text, { mode: 0o600, durable: false }),
      );
    },
  };
}

function read(path: string): StandingReading {
  return readIn(dirname(path), basename(path));
}

/** Reads a file of a directory that no other user can have led us to. */
function readIn(where: string, name: string): StandingReading {
  try {
    return inDirectory(where, (directory) => {
      const path = join(directory, name);
      const reading = readCredentialFile(path);
      if (reading.kind !== 'text') return reading;
      const stats = lstatSync(path, { throwIfNoEntry: false });
      return stats
        ? { ...reading, mode: stats.mode & 0o7777, uid: stats.uid }
        : { kind: 'missing' };
    });
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined && !isCoded(error)) throw error;
    if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'missing' };
    return { kind: 'broken', reason: `cannot be read (${code ?? messageOf(error)})` };
  }
}
