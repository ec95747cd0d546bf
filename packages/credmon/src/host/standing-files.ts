// Standing tokens' part of the context: their files, and the users they belong to.
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
import type { StandingFiles, StandingReading, StandingOwner } from '../providers/standing/ports.ts';
import { execFile, spawnSync } from 'node:child_process';

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

// The users that standing tokens belong to: asked of the system's directory services
// without holding up the event loop.

/**
 * A directory service that does not answer is waited for at most this long, in
 * milliseconds.
 */
const PATIENCE = 2000;
/**
 * A user who was not found is asked for again after this time, in milliseconds; each
 * further time doubles.
 */
const FIRST_PAUSE = 60_000;
/** The longest such time, in milliseconds. */
const LONGEST_PAUSE = 3_600_000;

/** getent knows the users of every directory service, not only those of /etc/passwd. */
const GETENT = 'getent';
const argumentsFor = (name: string): string[] => ['passwd', '--', name];

/** User and group ids by user name. */
interface Owners {
  /**
   * Asks for names that are not known. Resolves when every name has been asked for once,
   * at the latest after two seconds.
   */
  lookUp(names: readonly string[]): Promise<void>;
  /**
   * A user by name; `undefined` when there is none, as far as is known. Only a name that
   * {@link Owners.lookUp} was never given is asked for here.
   */
  owner(name: string): StandingOwner | undefined;
}

/**
 * A user who was not found: when to ask again (milliseconds of the steady clock), and the
 * pause before that.
 */
interface Unknown {
  readonly again: number;
  readonly pause: number;
}

/**
 * Nobody has been asked for yet. A user once found is not asked for again. `now`:
 * milliseconds of a steady clock; `askOne` must not reject.
 */
export function createOwners(
  now: () => number = () => performance.now(),
  askOne: (name: string) => Promise<StandingOwner | undefined> = askSystem,
): Owners {
  const known = new Map<string, StandingOwner>();
  const unknown = new Map<string, Unknown>();
  const asking = new Map<string, Promise<void>>();

  const note = (name: string, found: StandingOwner | undefined): void => {
    if (found) {
      known.set(name, found);
      unknown.delete(name);
      return;
    }
    const pause = Math.min(LONGEST_PAUSE, 2 * (unknown.get(name)?.pause ?? FIRST_PAUSE / 2));
    unknown.set(name, { again: now() + pause, pause });
  };

  const ask = (name: string): Promise<void> => {
    const before = asking.get(name);
    if (before) return before;
    const asked = askOne(name).then((found) => {
      note(name, found);
      asking.delete(name);
      return undefined;
    });
    asking.set(name, asked);
    return asked;
  };

  return {
    lookUp: async (names) => {
      const first: Promise<void>[] = [];
      for (const name of new Set(names)) {
        if (known.has(name)) continue;
        const missing = unknown.get(name);
        if (!missing) first.push(ask(name));
        else if (missing.again <= now()) void ask(name);
      }
      await Promise.all(first);
    },
    owner: (name) => {
      if (!known.has(name) && !unknown.has(name) && !asking.has(name))
        note(name, askSystemNow(name));
      return known.get(name);
    },
  };
}

function askSystem(name: string): Promise<StandingOwner | undefined> {
  const options = { encoding: 'utf8', timeout: PATIENCE, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    execFile(GETENT, argumentsFor(name), options, (error, stdout) =>
      resolve(error ? undefined : ownerIn(stdout)),
    );
  });
}

function askSystemNow(name: string): StandingOwner | undefined {
  const { status, stdout } = spawnSync(GETENT, argumentsFor(name), {
    encoding: 'utf8',
    timeout: PATIENCE,
  });
  return status === 0 ? ownerIn(stdout) : undefined;
}

/** The ids in a line of the password database. @see passwd(5) */
function ownerIn(line: string): StandingOwner | undefined {
  const [, , uid = '', gid = ''] = line.split(':');
  return /^\d+$/.test(uid) && /^\d+$/.test(gid)
    ? { uid: Number(uid), gid: Number(gid) }
    : undefined;
}
