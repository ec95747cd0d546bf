// The groups of users, from the system's name services, without blocking the event loop.
import { execFile } from 'node:child_process';

/** The groups of this machine. `undefined`: the name services did not answer. */
export interface Memberships {
  /** Returns the group ids of a user; none if there is no such user. */
  groupsOf(this: void, uid: number): Promise<ReadonlySet<number> | undefined>;
  /** Returns the id of a group; `none` if there is no such group. */
  idOf(this: void, group: string): Promise<number | 'none' | undefined>;
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
