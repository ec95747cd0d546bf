// Checks the daemon's directories before anything is written: they must exist, be usable
// by this process, and not be replaceable by other users.
import { accessSync, chmodSync, constants, existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { CodedError, systemCode, type ErrorFields } from '../base/errors/errors.ts';
import {
  lookAlong,
  makeDirectory,
  type PathLook,
  type PathStep,
} from '../base/files/safe-directory.ts';
import { shellWord } from '../base/text/printable.ts';
import { findUser, groupId, isPrivateGroup, userName } from '../config/machine/accounts.ts';
import type { AccountIds } from '../config/typed/typed.ts';

/** How messages name a directory and its commands, and what the directory must be. */
interface Subject {
  readonly name: string;
  readonly contents: string;
  /** The permissions of a new one. */
  readonly mode: number;
  /** Whether missing directories above it are created, too. */
  readonly parents: boolean;
  /** Whether other users may enter and read it. */
  readonly open: boolean;
  /** The command that creates it, without its path. */
  readonly install: string;
  /** Where its path is set. */
  readonly knob: string;
}

/** All permissions for owner and group; new files inherit the group. */
const CREDENTIAL: Subject = {
  name: 'the credential directory',
  contents: 'the tokens',
  mode: 0o2770,
  parents: true,
  open: false,
  install: 'install -d -o root -g condor -m 2770',
  knob: 'SEC_CREDENTIAL_DIRECTORY_OAUTH or --cred-dir',
};

const RUN: Subject = {
  name: 'the run directory',
  contents: 'the files',
  mode: 0o755,
  parents: false,
  open: true,
  install: 'install -d -o root -m 0755',
  knob: 'CREDMON_RUN_DIR',
};

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
 * directory does not exist, `denied` if this user may not see or change it
 */
export function checkCredentialDirectory(path: string, check: DirectoryCheck): string {
  return checkDirectory(CREDENTIAL, path, check);
}

/**
 * Checks the directory for files that users read, and creates it with mode 0755 if it is
 * missing, the directory above it exists and `create` is set. Its owner, and the owners
 * and modes of everything in its path, must be those of {@link checkCredentialDirectory}:
 * no other user may write there. Returns its path without links.
 * @throws CodedError `CRED_DIR_INVALID` with the fix; its field `missing` is true if the
 * directory does not exist, `denied` if this user may not see or change it
 */
export function checkRunDirectory(path: string, check: DirectoryCheck): string {
  return checkDirectory(RUN, path, check);
}

function checkDirectory(subject: Subject, path: string, check: DirectoryCheck): string {
  const place = { subject, path };
  const look = lookAt(place);
  const { end } = look;
  if (end.kind === 'directory') refuseOthers(place, end.step);
  const weakness = weaknessOf(
    look.way,
    end.kind === 'directory' ? end.step : undefined,
    trustIn(check.condor),
  );
  if (weakness) throw weaknessError(look, place, weakness);
  switch (end.kind) {
    case 'missing':
      createDirectory(place, check.create, look);
      return look.real;
    case 'link':
      throw isLink(place, end);
    case 'other':
      throw invalid(place, 'is not a directory', `set ${subject.knob} to a directory`);
    case 'directory':
      checkAccess(place);
      return look.real;
  }
}

/** A directory under the path by which it is configured. */
interface Place {
  readonly subject: Subject;
  readonly path: string;
}

function lookAt(place: Place): PathLook {
  try {
    return lookAlong(place.path);
  } catch (error) {
    throw invalid(
      place,
      `cannot be checked as user id ${self()} (${systemCode(error) ?? 'unknown'}); ${AS_ITS_USER}`,
      undefined,
      { denied: systemCode(error) === 'EACCES' },
    );
  }
}

function refuseOthers(place: Place, { mode }: PathStep): void {
  if (place.subject.open || (mode & 0o007) === 0) return;
  const text = mode.toString(8).padStart(4, '0');
  throw invalid(
    place,
    `has mode ${text}: other users can access it`,
    `chmod o-rwx ${shellWord(place.path)}`,
  );
}

function checkAccess(place: Place): void {
  try {
    accessSync(place.path, constants.R_OK | constants.W_OK | constants.X_OK);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw invalid(
      place,
      `is not readable, writable and searchable for user id ${self()}; ${AS_ITS_USER}`,
      undefined,
      { denied: systemCode(error) === 'EACCES' },
    );
  }
}

function createDirectory(place: Place, create: boolean, { dangling, real }: PathLook): void {
  const { subject, path } = place;
  if (dangling)
    throw unsafe(
      place,
      `does not exist: ${dangling.path} is a dangling symbolic link to ${dangling.target}`,
      `mkdir ${shellWord(dangling.target)}, or rm ${shellWord(dangling.path)}`,
    );
  const fix = `${subject.install} ${shellWord(path)}`;
  if (!create) throw invalid(place, 'does not exist', fix, { missing: true });
  const parent = dirname(real);
  if (!subject.parents && !existsSync(parent))
    throw invalid(place, `cannot be created: ${parent} does not exist`, fix, { missing: true });
  try {
    makeDirectory(path, subject.mode);
    // The umask reduces mkdir's mode, and some systems ignore its setgid bit.
    chmodSync(path, subject.mode);
  } catch (error) {
    throw invalid(place, `cannot be created (${systemCode(error) ?? 'unknown'})`, fix);
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
function weaknessError({ real }: PathLook, place: Place, { why, step }: Weakness): CodedError {
  const itself = step.path === real;
  const kind = step.kind === 'link' ? 'the symbolic link' : 'the directory';
  const subject = itself ? '' : `is not safe: ${kind} ${step.path} in its path `;
  const name = shellWord(step.path);
  const mode = step.mode.toString(8).padStart(4, '0');
  switch (why) {
    case 'owner': {
      const what = itself ? `${place.subject.contents} in it` : 'it';
      return unsafe(
        place,
        `${subject}is owned by ${nameOf(step.uid)}, who can replace ${what}; ` +
          `the owner must be root${self() === 0 ? '' : `, ${nameOf(self())}`} or the condor user`,
        `chown ${step.kind === 'link' ? '-h ' : ''}${ownerFor(itself)} ${name}`,
      );
    }
    case 'others':
      return unsafe(
        place,
        `${subject}has mode ${mode}: every user can write to it`,
        `chmod o-w ${name}`,
      );
    case 'group':
      return unsafe(
        place,
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
  place: Place,
  { target, exists }: Extract<PathLook['end'], { kind: 'link' }>,
): CodedError {
  const what = `is a ${exists ? '' : 'dangling '}symbolic link to ${target}, not a directory`;
  return exists
    ? unsafe(place, what, `set ${place.subject.knob} to that directory`)
    : unsafe(place, what, `rm ${shellWord(place.path)}`);
}

const AS_ITS_USER = 'run this as root or as the owner of the directory';

const self = (): number => process.geteuid?.() ?? 0;

const unsafe = ({ subject, path }: Place, what: string, fix: string): CodedError =>
  new CodedError('CRED_DIR_INVALID', `${subject.name} ${path} ${what}; fix: ${fix}`, {
    path,
  });

function invalid(
  { subject, path }: Place,
  what: string,
  fix?: string,
  fields: ErrorFields = {},
): CodedError {
  const remedy = fix === undefined ? '' : `; fix: ${fix}`;
  return new CodedError('CRED_DIR_INVALID', `${subject.name} ${path} ${what}${remedy}`, {
    path,
    ...fields,
  });
}

// Whether the location of a directory can be trusted, from the lstat of each name in its
// path. Pure.

/** The trusted owners of a directory with credentials. */
export interface Trust {
  readonly user: (uid: number) => boolean;
  readonly group: (gid: number) => boolean;
}

/** Why a step is not trusted: its owner, or users with write permission. */
export interface Weakness {
  readonly why: 'owner' | 'group' | 'others';
  readonly step: PathStep;
}

const STICKY = 0o1000;
const GROUP_WRITE = 0o020;
const OTHERS_WRITE = 0o002;

/**
 * Returns the first step from `/` that an untrusted user could exploit: `way` leads to
 * `directory`, if it exists. The owner of a directory can rename its entries. So can its
 * group and others with write permission, unless it is sticky. In the credential
 * directory new names matter, too, so sticky is not sufficient there.
 */
export function weaknessOf(
  way: readonly PathStep[],
  directory: PathStep | undefined,
  trust: Trust,
): Weakness | undefined {
  for (const step of [...way, ...(directory ? [directory] : [])]) {
    const why = weaknessOfStep(step, step === directory, trust);
    if (why) return { why, step };
  }
  return undefined;
}

function weaknessOfStep(step: PathStep, last: boolean, trust: Trust): Weakness['why'] | undefined {
  if (!trust.user(step.uid)) return 'owner';
  // The mode of a link has no meaning.
  if (step.kind === 'link' || ((step.mode & STICKY) !== 0 && !last)) return undefined;
  if ((step.mode & OTHERS_WRITE) !== 0) return 'others';
  return (step.mode & GROUP_WRITE) !== 0 && !trust.group(step.gid) ? 'group' : undefined;
}
