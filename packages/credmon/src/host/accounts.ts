// The ids of many accounts, and the groups of users, from the system's name services,
// without blocking the event loop.
import type { Accounts } from '../status/publisher.ts';
import { milliseconds, runFile, systemCode } from '@credmon/core/base';
import type { AccountIds } from '@credmon/core/config';
import { lstatSync } from 'node:fs';
import { join } from 'node:path';

/** Seconds until a known account is looked up again: a name may get another id. */
const ACCOUNT_KNOWN_FOR = 3600;
/** Seconds until a name without an account is looked up again. */
const NONE_FOR = 300;
/** Seconds until a look-up without an answer is repeated. */
const RETRY_AFTER = 60;
/** Names of users who ask that are remembered. */
const MOST_ASKERS = 1000;
/**
 * Names in one look-up. It starts a process, so twice as many follow after a fast answer:
 * names of local files take no time, those of a directory service some milliseconds each.
 * The length of the largest number fits the arguments of a program.
 */
const AT_ONCE = { first: 100, most: 1600 };
/** Seconds. */
const FAST_ANSWER = 0.25;
/** Time limit of a look-up, in milliseconds. */
const LOOKUP_TIMEOUT = 5000;

/** The largest id. (uid_t)-1 is not an id. @see chown(2) */
const LARGEST_ID = 0xffff_fffe;

/**
 * Finds accounts by name. Resolves with those that exist; names that are missing have
 * none. `undefined` if the name services did not answer.
 */
export type FindAccounts = (
  names: readonly string[],
) => Promise<ReadonlyMap<string, AccountIds> | undefined>;

interface Entry {
  readonly ids: AccountIds | 'none' | undefined;
  /** When it is looked up again, in steady seconds. */
  readonly again: number;
}

/**
 * Creates the accounts of the names in the last look-up; others are forgotten. Look-ups
 * follow one another. A process that is not root (`self`: its user id) cannot give files
 * away: other users count as `none` for it. `now`: steady seconds.
 */
export function createAccounts(
  self: number = ownId(),
  find: FindAccounts = findBySystem,
  now: () => number = steadyNow,
): Accounts {
  const memory = createMemory(self, find, now);
  let running = Promise.resolve();
  const findStale = async (names: readonly string[]): Promise<void> => {
    const wanted = new Set(names);
    for (const name of memory.names()) if (!wanted.has(name)) memory.forget(name);
    const stale = memory.staleIn([...wanted]);
    let size = AT_ONCE.first;
    for (let start = 0, end = 0; start < stale.length; start = end) {
      end = start + size;
      const began = now();
      await memory.find(stale.slice(start, end));
      size = now() - began < FAST_ANSWER ? Math.min(2 * size, AT_ONCE.most) : AT_ONCE.first;
    }
  };
  return {
    known: memory.known,
    lookUp: (names) => {
      running = running.then(() => findStale(names));
      return running;
    },
  };
}

/**
 * Creates the accounts of users who ask for something. Each name is looked up by itself:
 * a name that takes long delays no other. The names looked up last are remembered.
 * Options as in {@link createAccounts}.
 */
export function createAskers(
  self: number = ownId(),
  find: FindAccounts = findBySystem,
  now: () => number = steadyNow,
): Accounts {
  const memory = createMemory(self, find, now);
  const running = new Map<string, Promise<void>>();
  const lookUpOne = async (name: string): Promise<void> => {
    if (memory.staleIn([name]).length === 0) return;
    const finding = running.get(name) ?? memory.find([name]);
    running.set(name, finding);
    await finding;
    running.delete(name);
    for (const oldest of memory.names().slice(0, -MOST_ASKERS)) memory.forget(oldest);
  };
  return {
    known: memory.known,
    lookUp: async (names) => void (await Promise.all(names.map(lookUpOne))),
  };
}

/** What is known of names. */
interface Memory {
  readonly known: Accounts['known'];
  /** The names, the one looked up last at the end. */
  readonly names: () => string[];
  /** Returns the names that are to be looked up. */
  readonly staleIn: (names: readonly string[]) => readonly string[];
  readonly find: (names: readonly string[]) => Promise<void>;
  readonly forget: (name: string) => void;
}

function createMemory(self: number, find: FindAccounts, now: () => number): Memory {
  const entries = new Map<string, Entry>();
  return {
    known: (name) => {
      const ids = entries.get(name)?.ids;
      return typeof ids === 'object' && self !== 0 && ids.uid !== self ? 'none' : ids;
    },
    names: () => [...entries.keys()],
    staleIn: (names) => {
      const at = now();
      return names.filter((name) => (entries.get(name)?.again ?? 0) <= at);
    },
    find: async (names) => {
      const found = await find(names);
      for (const name of names) {
        const ids = found ? (found.get(name) ?? 'none') : entries.get(name)?.ids;
        const pause = !found ? RETRY_AFTER : ids === 'none' ? NONE_FOR : ACCOUNT_KNOWN_FOR;
        entries.delete(name);
        entries.set(name, { ids, again: now() + pause });
      }
    },
    forget: (name) => void entries.delete(name),
  };
}

const ownId = (): number => process.geteuid?.() ?? 0;
const steadyNow = (): number => milliseconds() / 1000;

/** True if a user has a directory in the credential directory. */
export function hasDirectory(credDir: string, user: string): boolean {
  try {
    return lstatSync(join(credDir, user)).isDirectory();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** @see getent(1): exit code 2 says that a name was not found */
const findBySystem: FindAccounts = (names) => {
  const options = {
    encoding: 'utf8',
    timeout: LOOKUP_TIMEOUT,
    killSignal: 'SIGKILL',
    maxBuffer: 16 * 1024 * 1024,
  } as const;
  return new Promise((resolve) => {
    runFile('getent', ['passwd', '--', ...names], options, (error, stdout) => {
      const hasAnswer = error === null || error.code === 2;
      resolve(hasAnswer ? accountsIn(stdout, names) : undefined);
    });
  });
};

/**
 * Returns the accounts in lines of the password database that have one of these names:
 * for a name of digits, getent prints the account with that id.
 * @see passwd(5)
 */
export function accountsIn(
  text: string,
  names: readonly string[],
): ReadonlyMap<string, AccountIds> {
  const wanted = new Set(names);
  const found = new Map<string, AccountIds>();
  for (const line of text.split('\n')) {
    const [name = '', , uid = '', gid = ''] = line.split(':');
    if (wanted.has(name) && isId(uid) && isId(gid))
      found.set(name, { uid: Number(uid), gid: Number(gid) });
  }
  return found;
}

const isId = (text: string): boolean => /^\d{1,10}$/.test(text) && Number(text) <= LARGEST_ID;

/** The groups of this machine. `undefined`: the name services did not answer. */
export interface Memberships {
  /** Returns the group ids of a user; none if there is no such user. */
  groupsOf(this: void, uid: number): Promise<ReadonlySet<number> | undefined>;
  /** Returns the id of a group; `none` if there is no such group. */
  idOf(this: void, group: string): Promise<number | 'none' | undefined>;
}

/** Seconds for which an answer of the name services is remembered. */
const GROUPS_KNOWN_FOR = 30;
/** Users, and groups, that are remembered. */
const MOST_KNOWN = 1000;

/**
 * Returns memberships that remember each answer for 30 s: a user's requests do not start a
 * program each, and a user who leaves the group soon gets no more tokens. A look-up
 * without an answer is repeated. `steady` in seconds; of more than `most` users or groups
 * the oldest is forgotten.
 */
export function rememberMemberships(
  { groupsOf, idOf }: Memberships,
  { steady, most = MOST_KNOWN }: { readonly steady: () => number; readonly most?: number },
): Memberships {
  return {
    groupsOf: remember(groupsOf, steady, most),
    idOf: remember(idOf, steady, most),
  };
}

function remember<K, V>(
  lookUp: (key: K) => Promise<V | undefined>,
  steady: () => number,
  most: number,
): (key: K) => Promise<V | undefined> {
  const known = new Map<K, { readonly answer: Promise<V | undefined>; readonly until: number }>();
  return async (key) => {
    const found = known.get(key);
    if (found && steady() < found.until) return found.answer;
    const answer = lookUp(key);
    known.delete(key);
    known.set(key, { answer, until: steady() + GROUPS_KNOWN_FOR });
    for (const oldest of [...known.keys()].slice(0, -most)) known.delete(oldest);
    if ((await answer) === undefined && known.get(key)?.answer === answer) known.delete(key);
    return answer;
  };
}

/** The groups as getent(1) and id(1) see them. */
export const systemMemberships: Memberships = {
  groupsOf: async (uid) => {
    // `+` makes a number of it, also if a user has this name.
    const found = await run('id', ['-G', '--', `+${uid}`], 1);
    if (found === undefined) return undefined;
    const ids = found.split(/\s+/).filter((word) => /^\d+$/.test(word));
    return new Set(ids.map(Number));
  },
  idOf: async (group) => {
    const found = await run('getent', ['group', '--', group], 2);
    if (found === undefined) return undefined;
    const [name, , gid = ''] = found.split('\n')[0]?.split(':') ?? [];
    return name === group && /^\d+$/.test(gid) ? Number(gid) : 'none';
  },
};

/** Runs a program; the exit code `none` says that a name was not found. */
function run(program: string, args: readonly string[], none: number): Promise<string | undefined> {
  const options = { encoding: 'utf8', timeout: LOOKUP_TIMEOUT, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    runFile(program, args, options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else resolve(error.code === none ? '' : undefined);
    });
  });
}
