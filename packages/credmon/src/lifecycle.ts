// The daemon as a process: signals, the pid file, and the marks that it leaves in the credential directory.
import { closeSync, futimesSync, openSync, readFileSync, unlinkSync, watch } from 'node:fs';
import { join } from 'node:path';
import {
  COMPLETE_FILE,
  PID_FILE,
  hintsAtTokens,
  messageOf,
  systemCode,
  writeFileAtomically,
} from '@credmon/core';

/** What signals do: `wake` on SIGHUP, `stop` on the first of SIGTERM, SIGINT and SIGQUIT, `die` on the second. */
export interface SignalActions {
  readonly wake: () => void;
  readonly stop: (signal: string) => void;
  readonly die: () => void;
}

/** Installs the handlers; must happen before {@link writePid}, because CredD signals whoever stands there. Returns their removal. */
export function handleSignals(actions: SignalActions): () => void {
  let stopping = false;
  const ending = (signal: string): void => {
    if (stopping) actions.die();
    stopping = true;
    actions.stop(signal);
  };
  const handlers = { SIGHUP: actions.wake, SIGTERM: ending, SIGINT: ending, SIGQUIT: ending } as const;
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}

/** Writes our process id for CredD, readable for everybody, by rename; the directory must be locked. */
export function writePid(directory: string): void {
  writeFileAtomically(join(directory, PID_FILE), `${process.pid}\n`, {
    mode: 0o644,
    durable: false,
    locked: true,
  });
}

/** Removes the pid file if it still names this process, so that CredD never signals a stranger with our old number. */
function removePid(directory: string): void {
  const path = join(directory, PID_FILE);
  try {
    if (Number.parseInt(readFileSync(path, 'utf8'), 10) === process.pid) unlinkSync(path);
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** The process that the pid file names, if it lives. */
export function runningDaemon(directory: string): number | undefined {
  let pid = 0;
  try {
    pid = Number.parseInt(readFileSync(join(directory, PID_FILE), 'utf8'), 10);
    if (!(pid > 0)) return undefined;
    process.kill(pid, 0);
    return pid;
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    // Another user's process may not be signalled, but it is there.
    return code === 'EPERM' ? pid : undefined;
  }
}

/** Removes CREDMON_COMPLETE: no pass has been made yet, or nobody makes passes any more. */
export function clearComplete(directory: string): void {
  try {
    unlinkSync(join(directory, COMPLETE_FILE));
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error;
  }
}

/** Removes pid and CREDMON_COMPLETE at the end; `trouble` hears of what stays, for the other must go all the same. */
export function removeMarks(directory: string, trouble: (text: string) => void): void {
  for (const [name, remove] of [
    [PID_FILE, removePid],
    [COMPLETE_FILE, clearComplete],
  ] as const) {
    try {
      remove(directory);
    } catch (error) {
      trouble(`${name} cannot be removed: ${messageOf(error)}`);
    }
  }
}

/** Touches CREDMON_COMPLETE: a pass has ended. */
export function touchComplete(directory: string): void {
  const descriptor = openSync(join(directory, COMPLETE_FILE), 'a', 0o644);
  try {
    const now = new Date();
    futimesSync(descriptor, now, now);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Calls `wake` when something in the top of the credential directory hints at a new token: the web portal does not signal. Where the
 * system cannot watch, `trouble` says so and the passes by the clock remain. Returns the end of the watch.
 */
export function watchDirectory(
  directory: string,
  wake: () => void,
  trouble: (text: string) => void,
): () => void {
  const failed = (error: unknown): void =>
    trouble(
      `The credential directory cannot be watched, new logins wait for the next pass: ${messageOf(error)}`,
    );
  try {
    const watcher = watch(directory, { persistent: false }, (_event, name) => {
      if (name === null || hintsAtTokens(name)) wake();
    });
    watcher.on('error', failed);
    return () => watcher.close();
  } catch (error) {
    failed(error);
    return () => undefined;
  }
}
