// The ids of many accounts, from the system's name services, without blocking the event
// loop.
import { execFile } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import type { AccountIds } from '@credmon/core/config';
import type { Accounts } from '../status/publisher.ts';

/** Seconds until a known account is looked up again: a name may get another id. */
const KNOWN_FOR = 3600;
/** Seconds until a name without an account is looked up again. */
const NONE_FOR = 300;
/** Seconds until a look-up without an answer is repeated. */
const RETRY_AFTER = 60;
/** Names in one look-up: their length fits the arguments of a program. */
const AT_ONCE = 100;
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
 * Creates the accounts. A process that is not root (`self`: its user id) cannot give
 * files away: other users count as `none` for it. `now`: steady seconds.
 */
export function createAccounts(
  self: number = process.geteuid?.() ?? 0,
  find: FindAccounts = findBySystem,
  now: () => number = () => performance.now() / 1000,
): Accounts {
  const entries = new Map<string, Entry>();
  let running = Promise.resolve();

  const findSome = async (names: readonly string[]): Promise<void> => {
    const found = await find(names);
    for (const name of names) {
      const ids = found ? (found.get(name) ?? 'none') : entries.get(name)?.ids;
      const pause = !found ? RETRY_AFTER : ids === 'none' ? NONE_FOR : KNOWN_FOR;
      entries.set(name, { ids, again: now() + pause });
    }
  };
  const findStale = async (names: readonly string[]): Promise<void> => {
    const wanted = new Set(names);
    for (const name of entries.keys()) if (!wanted.has(name)) entries.delete(name);
    const stale = [...wanted].filter((name) => (entries.get(name)?.again ?? 0) <= now());
    for (let start = 0; start < stale.length; start += AT_ONCE)
      await findSome(stale.slice(start, start + AT_ONCE));
  };

  return {
    known: (name) => {
      const ids = entries.get(name)?.ids;
      return typeof ids === 'object' && self !== 0 && ids.uid !== self ? 'none' : ids;
    },
    lookUp: (names) => {
      running = running.then(() => findStale(names));
      return running;
    },
  };
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
    execFile('getent', ['passwd', '--', ...names], options, (error, stdout) => {
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
