// Checks the credential directory before anything is written: it must exist, be usable by
// this process, and be inaccessible to other users.
import { accessSync, chmodSync, constants } from 'node:fs';
import { CodedError, systemCode, type ErrorFields } from '../base/errors/errors.ts';
import { makeDirectory } from '../base/files/make-directory.ts';
import { shellWord } from '../base/process/shell-word.ts';
import { findUser, groupId, isPrivateGroup, userName } from '../config/machine/accounts.ts';
import type { AccountIds } from '../config/typed/condor-knobs.ts';
import {
  weaknessOf,
  type PathStep,
  type Trust,
  type Weakness,
  lookAlong,
  type PathLook,
} from './path-steps.ts';

/** All permissions for owner and group; new files inherit the group. */
const DIRECTORY_MODE = 0o2770;

/**
 * `create` creates a missing directory. `condor` is the account of CONDOR_IDS; default:
 * the user condor.
 */
export interface DirectoryCheck {
  readonly create: boolean;
  readonly condor?: AccountIds | undefined;
}

/**
 * Checks the credential directory, and creates it with mode 2770 if it is missing and
 * `create` is set. Rejects a directory that other users may enter, read or write, or that
 * this process may not. Also rejects one that is owned by, or could be replaced by, a
 * user other than root, the condor account and this process, through a directory or link
 * in its path. Returns its path without links.
 * @throws CodedError `CRED_DIR_INVALID` with the fix; its field `missing` is true if the
 * directory does not exist
 */
export function checkCredentialDirectory(path: string, { create, condor }: DirectoryCheck): string {
  const look = lookAt(path);
  const { end } = look;
  if (end.kind === 'directory') refuseOthers(path, end.step);
  const weakness = weaknessOf(
    look.way,
    end.kind === 'directory' ? end.step : undefined,
    trustIn(condor),
  );
  if (weakness) throw weaknessError(look, path, weakness);
  switch (end.kind) {
    case 'missing':
      createDirectory(path, create, look);
      return look.real;
    case 'link':
      throw isLink(path, end);
    case 'other':
      throw invalid(
        path,
        'is not a directory',
        'set SEC_CREDENTIAL_DIRECTORY_OAUTH or --cred-dir to a directory',
      );
    case 'directory':
      checkAccess(path);
      return look.real;
  }
}

function lookAt(path: string): PathLook {
  try {
    return lookAlong(path);
  } catch (error) {
    throw invalid(
      path,
      `cannot be checked as user id ${self()} (${systemCode(error) ?? 'unknown'}); ${AS_ITS_USER}`,
    );
  }
}

function refuseOthers(path: string, { mode }: PathStep): void {
  if ((mode & 0o007) === 0) return;
  const text = mode.toString(8).padStart(4, '0');
  throw invalid(
    path,
    `has mode ${text}: other users can access it`,
    `chmod o-rwx ${shellWord(path)}`,
  );
}

function checkAccess(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw invalid(
      path,
      `is not readable, writable and searchable for user id ${self()}; ${AS_ITS_USER}`,
    );
  }
}

function createDirectory(path: string, create: boolean, { dangling }: PathLook): void {
  if (dangling)
    throw unsafe(
      path,
      `does not exist: ${dangling.path} is a dangling symbolic link to ${dangling.target}`,
      `mkdir ${shellWord(dangling.target)}, or rm ${shellWord(dangling.path)}`,
    );
  const fix = `install -d -o root -g condor -m 2770 ${shellWord(path)}`;
  if (!create) throw invalid(path, 'does not exist', fix, { missing: true });
  try {
    makeDirectory(path, DIRECTORY_MODE);
    // The umask reduces mkdir's mode, and some systems ignore its setgid bit.
    chmodSync(path, DIRECTORY_MODE);
  } catch (error) {
    throw invalid(path, `cannot be created (${systemCode(error) ?? 'unknown'})`, fix);
  }
}

/**
 * Looks up the user condor only if neither root nor this process is the owner: the lookup
 * may need a directory service.
 */
function trustIn(condor: AccountIds | undefined): Trust {
  let known: AccountIds | undefined = condor;
  let lookedUp = condor !== undefined;
  const account = (): AccountIds | undefined => {
    if (!lookedUp) known = findUser('condor');
    lookedUp = true;
    return known;
  };
  const user = (uid: number): boolean => uid === 0 || uid === self() || uid === account()?.uid;
  const group = (gid: number): boolean =>
    gid === 0 || gid === account()?.gid || gid === groupId('condor') || isPrivateGroup(gid, user);
  return { user, group };
}

/** The error for a weakness, with the command that fixes it. */
function weaknessError({ real }: PathLook, path: string, { why, step }: Weakness): CodedError {
  const itself = step.path === real;
  const kind = step.kind === 'link' ? 'the symbolic link' : 'the directory';
  const subject = itself ? '' : `is not safe: ${kind} ${step.path} in its path `;
  const name = shellWord(step.path);
  const mode = step.mode.toString(8).padStart(4, '0');
  switch (why) {
    case 'owner':
      return unsafe(
        path,
        `${subject}is owned by ${nameOf(step.uid)}, who can replace ${itself ? 'the tokens in it' : 'it'}; ` +
          `the owner must be root${self() === 0 ? '' : `, ${nameOf(self())}`} or the condor user`,
        `chown ${step.kind === 'link' ? '-h ' : ''}${ownerFor(itself)} ${name}`,
      );
    case 'others':
      return unsafe(
        path,
        `${subject}has mode ${mode}: every user can write to it`,
        `chmod o-w ${name}`,
      );
    case 'group':
      return unsafe(
        path,
        `${subject}has mode ${mode}: group id ${step.gid} can write to it (only the groups of root and condor may)`,
        itself ? `chgrp condor ${name}, or chmod g-w ${name}` : `chmod g-w ${name}`,
      );
  }
}

/**
 * Root is the safe owner. A daemon that runs as another user can only own its directory
 * itself.
 */
function ownerFor(itself: boolean): string {
  const own =
    self() === 0 || userName(self()) === 'condor' ? 'root' : (userName(self()) ?? String(self()));
  return itself && own === 'root' && groupId('condor') !== undefined ? 'root:condor' : own;
}

function nameOf(uid: number): string {
  const name = userName(uid);
  return name === undefined ? `user id ${uid}` : `${name} (user id ${uid})`;
}

function isLink(
  path: string,
  { target, exists }: Extract<PathLook['end'], { kind: 'link' }>,
): CodedError {
  const what = `is a ${exists ? '' : 'dangling '}symbolic link to ${target}, not a directory`;
  return exists
    ? unsafe(path, what, `set SEC_CREDENTIAL_DIRECTORY_OAUTH or --cred-dir to that directory`)
    : unsafe(path, what, `rm ${shellWord(path)}`);
}

const AS_ITS_USER = 'run this as root or as the owner of the directory';

const self = (): number => process.geteuid?.() ?? 0;

const unsafe = (path: string, what: string, fix: string): CodedError =>
  new CodedError('CRED_DIR_INVALID', `the credential directory ${path} ${what}; fix: ${fix}`, {
    path,
  });

function invalid(path: string, what: string, fix?: string, fields: ErrorFields = {}): CodedError {
  const remedy = fix === undefined ? '' : `; fix: ${fix}`;
  return new CodedError('CRED_DIR_INVALID', `the credential directory ${path} ${what}${remedy}`, {
    path,
    ...fields,
  });
}
