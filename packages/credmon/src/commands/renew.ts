// The renew command: puts a request into the run directory, and waits for the daemon's
// result. Sends nothing to an issuer: only the daemon may use a refresh token.
import { closeSync, constants, openSync, renameSync, unlinkSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import {
  CodedError,
  durationText,
  messageOf,
  systemClock,
  systemCode,
  systemRandom,
} from '@credmon/core/base';
import { findUser } from '@credmon/core/config';
import { cutDomain, isCredName, tokenId } from '@credmon/core/credential';
import { checkRunDirectory, readCredentialFile } from '@credmon/core/store';
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { requestDirectory, resultDirectory } from '../host/run-directory.ts';
import { STANDING } from '../providers/standing/names.ts';
import {
  parseResult,
  requestName,
  requestText,
  resultName,
  unfinishedName,
  type RenewalResult,
  type WantedToken,
} from '../requests/request.ts';
import { resultRow, resultSentence } from '../requests/result-text.ts';
import { readDirectories, seeDaemon } from './user-directories.ts';

type RenewCommand = Subcommand & { kind: 'renew' };

/** Standard output and standard error of the command. */
export interface RenewOutput {
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Seconds between two looks for the result. */
const LOOK_EVERY = 0.1;
/** Seconds between two looks at the daemon while it is waited for. */
const CHECK_EVERY = 2;

/**
 * Asks the daemon to renew one token, and prints the result. Exit code 0 when it was
 * renewed, otherwise 1 with the reason.
 * @throws CodedError `USAGE` (exit code 2) for invalid names and tokens of other users;
 * `CRED_FILE_IO` when no daemon can be asked, or none answers in time; `CRED_DIR_INVALID`
 * when others could change the run directory
 */
export async function runRenewCommand(
  command: RenewCommand,
  env: NodeJS.ProcessEnv,
  { stdout, stderr }: RenewOutput,
): Promise<number> {
  const wanted = wantedBy(command);
  const { runDir, condorIds } = readDirectories(openConfig(command, env), command);
  if (runDir === undefined) throw unasked('the daemon takes no requests (CREDMON_RUN_DIR = none)');
  const { unreadable, whyNot, whyNotForUs } = seeDaemon(runDir);
  if (unreadable !== undefined) throw unasked(unreadable);
  if (whyNot !== undefined) throw unasked(`${whyNot}; fix: ${startStep()}`);
  if (whyNotForUs !== undefined) throw unasked(whyNotForUs);
  // Root must not write where a user could place a link.
  if (process.geteuid?.() === 0) checkRunDirectory(runDir, { create: false, condor: condorIds });
  const result = await resultOf(wanted, runDir, command.timeout);
  if (command.json) stdout(JSON.stringify(resultRow(wanted, result), null, 2));
  else {
    const print = result.result === 'renewed' ? stdout : stderr;
    print(resultSentence(wanted, result, systemClock.now()));
  }
  return result.result === 'renewed' ? 0 : 1;
}

function wantedBy({ user: named, service: stem }: RenewCommand): WantedToken {
  const user = named === STANDING ? named : cutDomain(named);
  for (const name of [user, stem])
    if (name !== STANDING && !isCredName(name))
      throw new CodedError(
        'USAGE',
        `${JSON.stringify(name)} is not a valid name in a credential directory`,
      );
  const uid = process.geteuid?.() ?? 0;
  if (uid !== 0 && findUser(user)?.uid !== uid)
    throw new CodedError('USAGE', `only root and ${user} may ask for tokens of ${user}`);
  return { user, stem };
}

const unasked = (why: string): CodedError =>
  new CodedError('CRED_FILE_IO', `cannot ask for a renewal: ${why}`);

const startStep = (): string =>
  process.geteuid?.() === 0
    ? 'start it, for example with "condor_on -daemon CREDMON_OAUTH"; it renews what is due'
    : 'ask the administrator to start it; it renews what is due';

/** Puts the request down, and waits for the result. Removes what is left of both. */
async function resultOf(
  wanted: WantedToken,
  runDir: string,
  timeout: number,
): Promise<RenewalResult> {
  const id = Buffer.from(systemRandom(16)).toString('hex');
  const request = join(requestDirectory(runDir), requestName(id));
  const result = join(resultDirectory(runDir), resultName({ uid: process.geteuid?.() ?? 0, id }));
  putRequest(request, join(requestDirectory(runDir), unfinishedName(id)), requestText(wanted));
  const began = systemClock.steady();
  for (let checkAt = began + CHECK_EVERY; ; await systemClock.wait(LOOK_EVERY)) {
    const found = readResult(result);
    if (found) return found;
    const now = systemClock.steady();
    if (now - began >= timeout) {
      const isTaken = !removeIfThere(request);
      throw unasked(
        `no result for ${tokenId(wanted)} within ${durationText(timeout)}: ` +
          (isTaken
            ? 'the renewal still runs; condor_credmon status shows its result'
            : 'the daemon did not take the request; ask again later, or see its log'),
      );
    }
    if (now < checkAt) continue;
    checkAt = now + CHECK_EVERY;
    const { whyNot } = seeDaemon(runDir);
    if (whyNot === undefined) continue;
    removeIfThere(request);
    throw unasked(`${whyNot}; fix: ${startStep()}`);
  }
}

/** Writes under another name first: the daemon must not see half of a request. */
function putRequest(path: string, unfinished: string, text: string): void {
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

function readResult(path: string): RenewalResult | undefined {
  const reading = readCredentialFile(path);
  if (reading.kind === 'missing') return undefined;
  const result = reading.kind === 'text' ? parseResult(reading.text) : undefined;
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
