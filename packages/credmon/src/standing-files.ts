// Standing tokens' part of the world: their files, and the users they belong to.
import { spawnSync } from 'node:child_process';
import { lstatSync } from 'node:fs';
import { readCredentialFile, writeFileAtomically } from '@credmon/core';
import type { StandingFiles, StandingOwner, StandingReading } from './providers/standing-ports.ts';

/** The real files. A user once found is not asked for again. */
export function standingFiles(): StandingFiles {
  const owners = new Map<string, StandingOwner>();
  return {
    read,
    write: (path, text, mode, owner) =>
      writeFileAtomically(path, text, { mode, durable: false, ...(owner === undefined ? {} : { owner }) }),
    owner: (name) => {
      const known = owners.get(name) ?? findUser(name);
      if (known) owners.set(name, known);
      return known;
    },
  };
}

function read(path: string): StandingReading {
  const reading = readCredentialFile(path);
  if (reading.kind !== 'text') return reading;
  const stats = lstatSync(path, { throwIfNoEntry: false });
  return stats ? { ...reading, mode: stats.mode & 0o7777, uid: stats.uid } : { kind: 'missing' };
}

/** getent knows the users of every directory service, not of /etc/passwd alone. */
function findUser(name: string): StandingOwner | undefined {
  const { status, stdout } = spawnSync('getent', ['passwd', '--', name], { encoding: 'utf8' });
  const [, , uid, gid] = status === 0 ? stdout.split(':') : [];
  return uid === undefined || gid === undefined ? undefined : { uid: Number(uid), gid: Number(gid) };
}
