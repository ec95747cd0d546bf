// The accounts of this machine: from the local files first, then from directory services.
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { systemCode } from '../../base/errors/errors.ts';

/** A user of this machine. */
export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
  readonly home: string;
}

/** Time limit in milliseconds of a lookup in a directory service. */
const LOOKUP_TIMEOUT = 2000;

/** Returns the users in /etc/passwd. */
export function localUsers(): Account[] {
  return linesOf('/etc/passwd').map(accountOf);
}

/**
 * Returns the user of this name from /etc/passwd or a directory service; `undefined` if
 * there is none or the service does not answer within two seconds.
 * @see getpwnam(3), getent(1)
 */
export function findUser(name: string): Account | undefined {
  const local = localUsers().find((user) => user.name === name);
  if (local) return local;
  const line = getent('passwd', name);
  return line === undefined ? undefined : accountOf(line);
}

/**
 * Returns the name of a user id from /etc/passwd or a directory service, or `undefined`.
 */
export function userName(uid: number): string | undefined {
  return (
    localUsers().find((user) => user.uid === uid)?.name ??
    getent('passwd', String(uid))?.split(':', 1)[0]
  );
}

/** Returns the id of a group from /etc/group or a directory service, or `undefined`. */
export function groupId(name: string): number | undefined {
  const line =
    linesOf('/etc/group').find((group) => group.startsWith(`${name}:`)) ?? getent('group', name);
  const [, , gid = ''] = line?.split(':') ?? [];
  return /^\d+$/.test(gid) ? Number(gid) : undefined;
}

/**
 * True for the private group of a trusted user (`isTrusted`): it has the name of that
 * user, is that user's primary group, and has no other members. Only the local files
 * count: a group without members may still be the primary group of users in a directory
 * service.
 */
export function isPrivateGroup(gid: number, isTrusted: (uid: number) => boolean): boolean {
  const group = linesOf('/etc/group').find((line) => line.split(':')[2] === String(gid));
  const [name = '', , , list = ''] = group?.trimEnd().split(':') ?? [];
  const users = localUsers();
  const owner = users.find((user) => user.name === name);
  if (!owner || owner.gid !== gid || !isTrusted(owner.uid)) return false;
  const members = list.split(',').filter((member) => member !== '');
  const primary = users.filter((user) => user.gid === gid).map((user) => user.name);
  return [...members, ...primary].every((member) => member === name);
}

function accountOf(line: string): Account {
  const [name = '', , uid = '-1', gid = '-1', , home = ''] = line.trimEnd().split(':');
  return { name, uid: Number(uid), gid: Number(gid), home };
}

function linesOf(path: string): string[] {
  try {
    return readFileSync(path, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return [];
    throw error;
  }
}

function getent(database: 'passwd' | 'group', key: string): string | undefined {
  const { status, stdout } = spawnSync('getent', [database, '--', key], {
    encoding: 'utf8',
    timeout: LOOKUP_TIMEOUT,
  });
  const [line = ''] = status === 0 ? stdout.split('\n') : [];
  return line === '' ? undefined : line;
}
