// What a command finds that a user runs: the directories of the configuration, and the
// daemon by its heartbeat.
import { accessSync, constants, lstatSync } from 'node:fs';
import { isAlive, systemClock, systemCode } from '@credmon/core/base';
import {
  createKnobReader,
  readCondorIds,
  readCredentialDirectory,
  type AccountIds,
  type Config,
} from '@credmon/core/config';
import { readCredentialFile } from '@credmon/core/store';
import type { CommonOptions } from '../command-line/command.ts';
import { heartbeatPath, pidNamespace } from '../host/run-directory.ts';
import { readRunDirectory } from '../settings/metrics-address.ts';
import { parseHeartbeat, whyNotRunning, type Heartbeat } from '../status/status-file.ts';

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
