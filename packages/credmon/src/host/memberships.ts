// The groups of users, from the system's name services, without blocking the event loop.
import { execFile } from 'node:child_process';

/** The groups of this machine. `undefined`: the name services did not answer. */
export interface Memberships {
  /** Returns the group ids of a user; none if there is no such user. */
  groupsOf(this: void, uid: number): Promise<ReadonlySet<number> | undefined>;
  /** Returns the id of a group; `none` if there is no such group. */
  idOf(this: void, group: string): Promise<number | 'none' | undefined>;
}

/** Seconds for which an answer of the name services is remembered. */
const KNOWN_FOR = 30;
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
    known.set(key, { answer, until: steady() + KNOWN_FOR });
    for (const oldest of [...known.keys()].slice(0, -most)) known.delete(oldest);
    if ((await answer) === undefined && known.get(key)?.answer === answer) known.delete(key);
    return answer;
  };
}

/** Time limit of a look-up, in milliseconds. */
const LOOKUP_TIMEOUT = 5000;

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
    execFile(program, [...args], options, (error, stdout) => {
      if (error === null) resolve(stdout);
      else resolve(error.code === none ? '' : undefined);
    });
  });
}
