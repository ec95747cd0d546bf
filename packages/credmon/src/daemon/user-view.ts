// Adds the users' own view to a running daemon: opens the run directory, keeps the status
// files and the heartbeat, and never disturbs a renewal.
import { messageOf } from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import type { RunDirectory } from '../host/run-directory.ts';
import { reportOf, reportToAll, type Report } from '../report/events.ts';
import { LONGEST_SLEEP } from '../settings/policy.ts';
import type { Settings } from '../settings/read.ts';
import { createPublisher, type Accounts, type Publisher } from '../status/publisher.ts';
import { fileText } from '../status/status-file.ts';
import type { DaemonParts } from './loop.ts';
import { ownerOfToken } from './provider-lookup.ts';

/**
 * Options of the view: `open` opens the run directory or throws why not, `process` names
 * this process to users.
 */
export interface UserViewOptions {
  readonly settings: () => Settings;
  readonly open: (path: string) => RunDirectory;
  readonly accounts: Accounts;
  readonly process: { readonly pid: number; readonly pidNamespace: string };
}

/** The daemon's parts with the view. `close` ends the view. */
export interface UserView {
  readonly parts: DaemonParts;
  readonly close: () => void;
}

/** Seconds between two attempts to open the run directory. */
const REOPEN_INTERVAL = 60;
/** Minimum seconds between two heartbeats. */
const BEAT_INTERVAL = 15;
/** Seconds until a pass shows the result of renewals that this pass has started. */
const SHOW_AFTER = 1;
/** Seconds between two passes while renewals are in progress. */
const SHOW_EVERY = 5;

/** The run directory while it is open, and what is written there. */
interface Open {
  readonly run: RunDirectory;
  readonly publisher: Publisher;
  beatAt: number;
}

/** Adds the view to the parts of a daemon. */
export function addUserView(parts: DaemonParts, options: UserViewOptions): UserView {
  const { context, log, memory } = parts;
  const { clock } = context;
  const { settings } = options;
  let open: Open | undefined;
  let tryAt = Number.NEGATIVE_INFINITY;
  let problem: string | undefined;
  const warnOnce = (text: string | undefined): void => {
    if (text !== undefined && text !== problem)
      log.warn(`Users cannot see their own tokens, renewals continue: ${text}`);
    problem = text;
  };

  const ensureOpen = (): Open | undefined => {
    if (open?.run.isIntact() === true) return open;
    if (open) close();
    const { runDir } = settings();
    if (runDir === undefined || clock.steady() < tryAt) return undefined;
    tryAt = clock.steady() + REOPEN_INTERVAL;
    try {
      open = openAll(parts, options, runDir);
      warnOnce(undefined);
    } catch (error) {
      warnOnce(messageOf(error));
    }
    return open;
  };
  const beat = (): void => {
    if (!open || clock.steady() - open.beatAt < BEAT_INTERVAL) return;
    const { pid, pidNamespace } = options.process;
    open.beatAt = clock.steady();
    try {
      open.run.beat(
        fileText({
          directory: settings().credDir,
          daemon: pid,
          pid_namespace: pidNamespace,
          checked_at: Math.floor(clock.now()),
          every: LONGEST_SLEEP,
        }),
      );
      warnOnce(undefined);
    } catch (error) {
      warnOnce(messageOf(error));
    }
  };
  const close = (): void => {
    const closing = open;
    open = undefined;
    closing?.publisher.close();
    try {
      closing?.run.close();
    } catch (error) {
      log.warn(`Cannot close ${closing?.run.path ?? ''}: ${messageOf(error)}`);
    }
  };
  const report: Report = reportOf(
    async (event) => ensureOpen()?.publisher.scanned(event),
    () => undefined,
  );

  return {
    close,
    parts: {
      ...parts,
      context: { ...context, report: reportToAll([context.report, report]) },
      complete: () => {
        parts.complete();
        beat();
      },
      nextLook: (started) => {
        if (!open) return Number.POSITIVE_INFINITY;
        if (started > 0) return SHOW_AFTER;
        return memory.inFlight.size > 0 ? SHOW_EVERY : Number.POSITIVE_INFINITY;
      },
    },
  };
}

function openAll(
  { context, log }: DaemonParts,
  { settings, open, accounts }: UserViewOptions,
  runDir: string,
): Open {
  const run = open(runDir);
  const publisher = createPublisher({
    files: run.statusFiles,
    accounts,
    directory: settings().credDir,
    every: LONGEST_SLEEP,
    now: () => instantOf(context.clock),
    why: (token) => {
      const owner = ownerOfToken(token, settings());
      return owner.kind === 'nobody' ? owner.why : undefined;
    },
    version: settings,
    warn: (text) => log.warn(text),
  });
  log.info(`Status files of users: ${run.path}`);
  return { run, publisher, beatAt: Number.NEGATIVE_INFINITY };
}
