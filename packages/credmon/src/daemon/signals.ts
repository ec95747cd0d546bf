// Reloads the configuration while the daemon runs (SIGHUP): applied, unchanged or
// rejected; each change is logged once. SIGTERM, SIGINT and SIGQUIT end it.
import type { Settings } from '../settings/read.ts';
import { messageOf } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { isDeepStrictEqual } from 'node:util';

/**
 * What signals do: `wake` on SIGHUP, `stop` on the first of SIGTERM, SIGINT and SIGQUIT,
 * `die` on the second.
 */
export interface SignalActions {
  readonly wake: () => void;
  readonly stop: (signal: string) => void;
  readonly die: (signal: string) => void;
}

/**
 * Prevents SIGHUP from killing the process until {@link handleSignals} handles it. The
 * returned function ends this, and returns whether a SIGHUP came.
 */
export function holdHangup(): () => boolean {
  let came = false;
  const note = (): void => {
    came = true;
  };
  process.on('SIGHUP', note);
  return () => {
    process.off('SIGHUP', note);
    return came;
  };
}

/**
 * Installs the handlers and returns a function that removes them. Must run before
 * `writePid`, because CredD signals the process in the pid file. After the removal SIGHUP
 * is ignored: it must not kill the process before it exits with its code.
 */
export function handleSignals(actions: SignalActions): () => void {
  let stopping = false;
  const ending = (signal: string): void => {
    if (stopping) actions.die(signal);
    stopping = true;
    actions.stop(signal);
  };
  const handlers = {
    SIGHUP: actions.wake,
    SIGTERM: ending,
    SIGINT: ending,
    SIGQUIT: ending,
  } as const;
  for (const [signal, handler] of Object.entries(handlers)) process.on(signal, handler);
  return () => {
    process.on('SIGHUP', () => undefined);
    for (const [signal, handler] of Object.entries(handlers)) process.off(signal, handler);
  };
}

/**
 * Reads the configuration and applies it when it differs from `current`; an invalid one
 * is rejected.
 */
export type Reload = (current: Settings) => void;

/**
 * Creates a {@link Reload} from `read` and `apply`. Both throw what is wrong; `apply` has
 * then changed nothing. Settings that need a restart keep their values, with a log line.
 */
export function createReload(
  read: () => Settings,
  apply: (next: Settings) => void,
  log: Log,
): Reload {
  let rejection: string | undefined;
  let logged: readonly string[] = [];
  return (current) => {
    try {
      const { next, restart } = keepFixed(read(), current);
      const same = isDeepStrictEqual(next, current);
      if (!same) apply(next);
      if (same && rejection !== undefined)
        log.info('The configuration is valid again and unchanged');
      rejection = undefined;
      for (const text of restart) if (!logged.includes(text)) log.warn(text);
      logged = restart;
    } catch (error) {
      const why = messageOf(error);
      if (why !== rejection)
        log.error(`The new configuration is rejected, the old one is still used: ${why}`);
      rejection = why;
    }
  };
}

/**
 * Keeps the settings of `current` that a running daemon cannot change, with a line for
 * each that differs in `read`.
 */
function keepFixed(
  read: Settings,
  current: Settings,
): { readonly next: Settings; readonly restart: readonly string[] } {
  const { credDir, condorIds, runDir } = current;
  const restart = [
    ...(read.credDir === credDir
      ? []
      : [
          `A changed credential directory (${read.credDir}) needs a restart; still using the old one`,
        ]),
    ...(isDeepStrictEqual(read.condorIds, condorIds)
      ? []
      : ['A changed CONDOR_IDS needs a restart; still using the old one']),
    ...(read.runDir === runDir
      ? []
      : ['A changed CREDMON_RUN_DIR needs a restart; still using the old one']),
  ];
  return { next: restart.length === 0 ? read : { ...read, credDir, condorIds, runDir }, restart };
}
