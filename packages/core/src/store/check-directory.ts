// The credential directory must be there, ours to use, closed to others, and out of their
// reach: checked before anything is written.
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

/** Owner and group may do everything; new files inherit the group. */
const DIRECTORY_MODE = 0o2770;

/**
 * `create` makes a missing directory; `condor` is the account that CONDOR_IDS names, else
 * the user condor.
 */
export interface DirectoryCheck {
  readonly create: boolean;
  readonly condor?: AccountIds | undefined;
}

/**
 * Makes sure of the credential directory: creates it (mode 2770) when it is missing and
 * `create` says so, and refuses one that others may enter, read or write, or that this
 * process may not. Refused, too, is one that another user than root, the condor account
 * or this process's owns, or could put another in place of: by a directory or a link on
 * the way. Returns its path without links.
 * @throws CodedError `CRED_DIR_INVALID` with the command that helps; its field `missing`
 * is true where the directory is not there
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
  if (weakness) throw weak(look, path, weakness);
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
        'name a directory in SEC_CREDENTIAL_DIRECTORY_OAUTH or after --cred-dir',
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
      `cannot be read (stat) as user id ${self()} (${systemCode(error) ?? 'unknown'}); ${AS_ITS_USER}`,
    );
  }
}

function refuseOthers(path: string, { mode }: PathStep): void {
  if ((mode & 0o007) === 0) return;
  const text = mode.toString(8).padStart(4, '0');
  throw invalid(
    path,
    `has mode ${text}, so that other users can get in`,
    `chmod o-rwx ${shellWord(path)}`,
  );
}

function checkAccess(path: string): void {
  try {
    accessSync(path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw invalid(path, `cannot be read, written and entered by user id ${self()}; ${AS_ITS_USER}`);
  }
}

function createDirectory(path: string, create: boolean, { dangling }: PathLook): void {
  if (dangling)
    throw unsafe(
      path,
      `does not exist: ${dangling.path} is a symbolic link to ${dangling.target}, which does not exist`,
      `mkdir ${shellWord(dangling.target)}, or rm ${shellWord(dangling.path)}`,
    );
  const fix = `install -d -o root -g condor -m 2770 ${shellWord(path)}`;
  if (!create) throw invalid(path, 'does not exist', fix, { missing: true });
  try {
    makeDirectory(path, DIRECTORY_MODE);
    // mkdir's mode is cut by the umask, and its setgid bit is ignored on some systems.
    chmodSync(path, DIRECTORY_MODE);
  } catch (error) {
    throw invalid(path, `cannot be created (${systemCode(error) ?? 'unknown'})`, fix);
  }
}

/**
 * The user condor is asked for only where neither root nor this process owns something:
 * that may take a directory service.
 */
function trustIn(condor: AccountIds | undefined): Trust {
  let known: AccountIds | undefined = condor;
  let asked = condor !== undefined;
  const account = (): AccountIds | undefined => {
    if (!asked) known = findUser('condor');
    asked = true;
    return known;
  };
  const user = (uid: number): boolean => uid === 0 || uid === self() || uid === account()?.uid;
  const group = (gid: number): boolean =>
    gid === 0 || gid === account()?.gid || gid === groupId('condor') || isPrivateGroup(gid, user);
  return { user, group };
}

/** What is wrong with a step, and the command that makes it right. */
function weak({ real }: PathLook, path: string, { why, step }: Weakness): CodedError {
  const itself = step.path === real;
  const kind = step.kind === 'link' ? 'the symbolic link' : 'the directory';
  const subject = itself ? '' : `is not safe: ${kind} ${step.path} on the way to it `;
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
        `${subject}has mode ${mode}: group id ${step.gid} can write to it, which is not the group of root or condor`,
        itself ? `chgrp condor ${name}, or chmod g-w ${name}` : `chmod g-w ${name}`,
      );
  }
}

/**
 * Root is the safe owner; a daemon that another user runs for itself can only own its
 * directory.
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
  const what = `is not a directory, but a symbolic link to ${target}`;
  return exists
    ? unsafe(
        path,
        what,
        `name that directory in SEC_CREDENTIAL_DIRECTORY_OAUTH or after --cred-dir`,
      )
    : unsafe(path, `${what}, which does not exist`, `rm ${shellWord(path)}`);
}

const AS_ITS_USER = 'run this as root, or as the user whom the directory belongs to';

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
