// What a command finds that a user runs (the directories of the configuration, the daemon
// by its heartbeat), and a request to the daemon: put into the run directory, with a wait
// for its result.
import type { CommonOptions } from '../command-line/command.ts';
import {
  heartbeatPath,
  pidNamespace,
  requestDirectory,
  resultDirectory,
} from '../host/run-directory.ts';
import { requestName, resultName, unfinishedName } from '../requests/request.ts';
import { readRunDirectory } from '../settings/metrics-address.ts';
import { type Heartbeat, parseHeartbeat, whyNotRunning } from '../status/status-file.ts';
import { isAlive, messageOf, systemClock, systemCode, systemRandom } from '@credmon/core/base';
import {
  type AccountIds,
  type Config,
  createKnobReader,
  readCondorIds,
  readCredentialDirectory,
} from '@credmon/core/config';
import { checkRunDirectory, readCredentialFile } from '@credmon/core/store';
import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** The directories of a user's command: of the credentials, and for the users. */
export interface UserDirectories {
  readonly credDir: string;
  readonly runDir: string | undefined;
  /** The account of CONDOR_IDS; `undefined` for the user condor. */
  readonly condorIds: AccountIds | undefined;
}

/**
 * Returns the directories of the configuration, for a command that needs no other
 * settings.
 * @throws CodedError `CONFIG_INVALID`
 */
export function readDirectories(
  config: Config,
  command: Pick<CommonOptions, 'credDir'>,
): UserDirectories {
  const read = createKnobReader(config);
  const credDir = command.credDir ?? readCredentialDirectory(read);
  const runDir = readRunDirectory(read, credDir);
  const condorIds = readCondorIds(config, read);
  read.finish();
  return { credDir, runDir, condorIds };
}

/**
 * True when this process may not list the configured credential directory, and is not
 * root.
 */
export function isClosedToUs(config: Config, command: Pick<CommonOptions, 'credDir'>): boolean {
  if (process.geteuid?.() === 0) return false;
  const credDir = command.credDir ?? readCredentialDirectory(createKnobReader(config));
  return credDir !== '' && isClosed(credDir);
}

function isClosed(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.X_OK);
    return false;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code === 'EACCES' || code === 'EPERM';
  }
}

/**
 * The daemon as a user sees it: its heartbeat, or why it cannot be read; why the daemon
 * seems not to run; and why it cannot serve this user although it runs.
 */
export interface SeenDaemon {
  readonly heartbeat: Heartbeat | undefined;
  readonly unreadable?: string;
  readonly whyNot: string | undefined;
  readonly whyNotForUs: string | undefined;
}

/** Looks for the daemon that serves the run directory. */
export function seeDaemon(runDir: string): SeenDaemon {
  const path = heartbeatPath(runDir);
  const reading = readCredentialFile(path);
  if (reading.kind === 'broken') {
    const unreadable = `${path} ${reading.reason}`;
    return { heartbeat: undefined, unreadable, whyNot: unreadable, whyNotForUs: undefined };
  }
  const heartbeat = reading.kind === 'text' ? parseHeartbeat(reading.text) : undefined;
  const namespace = pidNamespace();
  const alive =
    heartbeat && namespace !== '' && namespace === heartbeat.pid_namespace
      ? isAlive(heartbeat.daemon)
      : undefined;
  const owner = lstatSync(path, { throwIfNoEntry: false })?.uid ?? 0;
  return {
    heartbeat,
    whyNot: whyNotRunning(heartbeat, { now: systemClock.now(), alive }),
    // Only root can give files to others, and read theirs.
    whyNotForUs:
      owner === 0 || owner === process.geteuid?.()
        ? undefined
        : `condor_credmon runs as user id ${owner}, not as root: it serves only that user`,
  };
}

/**
 * A request: its content, and how its result is read. `timeout` in seconds; `unasked`
 * makes the error of a request without a result; `step` is what the daemon does once it
 * runs; `late` is the text for no result in time, `isTaken` if the daemon took the
 * request.
 */
export interface Question<Result> {
  readonly runDir: string | undefined;
  readonly condorIds: AccountIds | undefined;
  readonly text: string;
  readonly parse: (text: string) => Result | undefined;
  readonly timeout: number;
  readonly unasked: (why: string) => Error;
  readonly step: string;
  readonly late: (isTaken: boolean) => string;
}

/** Seconds between two looks for the result. */
const LOOK_EVERY = 0.1;
/** Seconds between two looks at the daemon while it is waited for. */
const CHECK_EVERY = 2;

/**
 * Asks the daemon, and returns its result. Removes what is left of the request.
 * @throws the error of `unasked`; CodedError `CRED_DIR_INVALID` when others could change
 * the run directory
 */
export async function askDaemon<Result>(question: Question<Result>): Promise<Result> {
  const { runDir, condorIds, text, parse, timeout, unasked, step, late } = question;
  if (runDir === undefined) throw unasked('the daemon takes no requests (CREDMON_RUN_DIR = none)');
  const startStep =
    process.geteuid?.() === 0
      ? `start it, for example with "condor_on -daemon CREDMON_OAUTH"; ${step}`
      : `ask the administrator to start it; ${step}`;
  const { unreadable, whyNot, whyNotForUs } = seeDaemon(runDir);
  if (unreadable !== undefined) throw unasked(unreadable);
  if (whyNot !== undefined) throw unasked(`${whyNot}; fix: ${startStep}`);
  if (whyNotForUs !== undefined) throw unasked(whyNotForUs);
  // Root must not write where a user could place a link.
  if (process.geteuid?.() === 0) checkRunDirectory(runDir, { create: false, condor: condorIds });
  const id = Buffer.from(systemRandom(16)).toString('hex');
  const request = join(requestDirectory(runDir), requestName(id));
  const result = join(resultDirectory(runDir), resultName({ uid: process.geteuid?.() ?? 0, id }));
  putRequest(request, join(requestDirectory(runDir), unfinishedName(id)), text, unasked);
  const began = systemClock.steady();
  for (let checkAt = began + CHECK_EVERY; ; await systemClock.wait(LOOK_EVERY)) {
    const found = readResult(result, parse, unasked);
    if (found) return found;
    const now = systemClock.steady();
    if (now - began >= timeout) throw unasked(late(!removeIfThere(request)));
    if (now < checkAt) continue;
    checkAt = now + CHECK_EVERY;
    const { whyNot: whyGone } = seeDaemon(runDir);
    if (whyGone === undefined) continue;
    removeIfThere(request);
    throw unasked(`${whyGone}; fix: ${startStep}`);
  }
}

/** Writes under another name first: the daemon must not see half of a request. */
function putRequest(
  path: string,
  unfinished: string,
  text: string,
  unasked: Question<unknown>['unasked'],
): void {
  const flags = constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | constants.O_NOFOLLOW;
  try {
    const descriptor = openSync(unfinished, flags, 0o600);
    try {
      writeSync(descriptor, text);
    } finally {
      closeSync(descriptor);
    }
    renameSync(unfinished, path);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    throw unasked(`the request cannot be written: ${messageOf(error)}`);
  }
}

function readResult<Result>(
  path: string,
  parse: Question<Result>['parse'],
  unasked: Question<Result>['unasked'],
): Result | undefined {
  const reading = readCredentialFile(path);
  if (reading.kind === 'missing') return undefined;
  const result = reading.kind === 'text' ? parse(reading.text) : undefined;
  if (result) return result;
  const why = reading.kind === 'broken' ? reading.reason : 'is invalid';
  throw unasked(`the result ${path} ${why}`);
}

/** Removes a file; false if it is not there. */
function removeIfThere(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}
