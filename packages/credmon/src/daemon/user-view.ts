// Adds the users' own view to a running daemon: opens the run directory, keeps the status
// files and the heartbeat, takes requests, and never disturbs a renewal.
import { messageOf, systemClock, systemCode } from '@credmon/core/base';
import type { AccountIds } from '@credmon/core/config';
import { instantOf } from '@credmon/core/credential';
import type { Logger } from '@credmon/core/log';
import {
  createAccounts,
  createAskers,
  hasDirectory,
  rememberMemberships,
  systemMemberships,
} from '../host/accounts.ts';
import { openRequestBox, type RequestBox, type RequestBoxOptions } from '../host/request-box.ts';
import {
  openRunDirectory,
  ownIdentity,
  ownIds,
  type ProcessIdentity,
  type RunDirectory,
} from '../host/run-directory.ts';
import { localFiles } from '../host/local-files.ts';
import { secretVersion } from '../host/secret-file.ts';
import { reportOf, reportToAll, type Report } from '../report/events.ts';
import { LONGEST_SLEEP } from '../settings/policy.ts';
import { createAskedRenewals } from '../requests/asked.ts';
import { resultText } from '../requests/request.ts';
import type { Settings } from '../settings/read.ts';
import { createPublisher, type Accounts, type Publisher } from '../status/publisher.ts';
import { fileText } from '../status/status-file.ts';
import type { DaemonParts } from './loop.ts';
import { ownerOfToken } from './provider-lookup.ts';
import { takersOf, type TakerOptions, type Takers } from './requests.ts';

/**
 * Options of the view: `open` opens the run directory or throws why not, `openBox` its
 * requests; `accounts` are those of users with tokens; `process` names this process to users.
 */
export interface UserViewOptions extends TakerOptions {
  readonly open: (path: string) => RunDirectory;
  readonly openBox: (options: RequestBoxOptions) => RequestBox;
  readonly accounts: Accounts;
  readonly process: ProcessIdentity;
  /** The daemon's own ids; with them, `check` can see the state of standing tokens. */
  readonly self?: AccountIds;
}

/** Returns the options with the files and accounts of this machine. */
export function systemUserView(
  settings: () => Settings,
  log: Pick<Logger, 'audit'>,
): UserViewOptions {
  return {
    settings,
    open: (path) => openRunDirectory(path, settings().condorIds),
    openBox: openRequestBox,
    accounts: createAccounts(),
    askers: createAskers(),
    isUser: (name) => hasDirectory(settings().credDir, name),
    process: ownIdentity(),
    self: ownIds(),
    tokens: {
      memberships: rememberMemberships(systemMemberships, {
        steady: () => systemClock.steady(),
      }),
      audit: (text) => log.audit(text),
      self: ownIds().uid,
      local: localFiles(() => undefined),
      secretVersion,
    },
  };
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
/** Seconds between two passes while a request is not answered. */
const ANSWER_EVERY = 2;

/** The run directory while it is open, and what is written there. */
interface Open {
  readonly run: RunDirectory;
  readonly publisher: Publisher;
  readonly box: RequestBox;
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
  const asked = createAskedRenewals({
    now: () => clock.now(),
    answer: (request, result) => open?.box.answer(request, resultText(result)),
  });
  const takers = takersOf(parts, options, asked, () => open?.box);
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
      open = openAll(parts, options, runDir, takers);
      warnOnce(undefined);
    } catch (error) {
      const code = systemCode(error);
      warnOnce(code === undefined ? messageOf(error) : `cannot open ${runDir} (${code})`);
    }
    return open;
  };
  const beat = (): void => {
    if (!open || clock.steady() - open.beatAt < BEAT_INTERVAL) return;
    open.beatAt = clock.steady();
    try {
      open.run.beat(heartbeatText(options, clock.now()));
      warnOnce(undefined);
    } catch (error) {
      warnOnce(`cannot write the heartbeat in ${open.run.path}: ${whyFailed(error)}`);
    }
  };
  const close = (): void => {
    const closing = open;
    open = undefined;
    if (closing) closeAll(closing, log);
  };
  const report: Report = reportOf(
    async (event) => ensureOpen()?.publisher.scanned(event),
    (event) => asked.report(event),
  );

  return {
    close: () => {
      asked.close();
      close();
    },
    parts: {
      ...parts,
      context: { ...context, asked, report: reportToAll([context.report, report]) },
      complete: () => {
        try {
          parts.complete();
        } finally {
          beat();
          open?.box.look();
        }
      },
      nextLook: (started) => {
        if (!open) return Number.POSITIVE_INFINITY;
        if (started > 0) return SHOW_AFTER;
        if (asked.size > 0) return ANSWER_EVERY;
        return memory.inFlight.size > 0 ? SHOW_EVERY : Number.POSITIVE_INFINITY;
      },
    },
  };
}

function closeAll({ publisher, box, run }: Open, log: DaemonParts['log']): void {
  publisher.close();
  box.close();
  try {
    run.close();
  } catch (error) {
    log.warn(`Cannot close ${run.path}: ${whyFailed(error)}`);
  }
}

function heartbeatText({ settings, process }: UserViewOptions, now: number): string {
  return fileText({
    directory: settings().credDir,
    daemon: process.pid,
    pid_namespace: process.pidNamespace,
    checked_at: Math.floor(now),
    every: LONGEST_SLEEP,
  });
}

/** The same text for the same fault: a message may name a new temporary file each time. */
const whyFailed = (error: unknown): string => systemCode(error) ?? messageOf(error);

function openAll(
  { context, log }: DaemonParts,
  { settings, open, openBox, accounts, self }: UserViewOptions,
  runDir: string,
  takers: Takers,
): Open {
  const run = open(runDir);
  const publisher = createPublisher({
    files: run.statusFiles,
    accounts,
    self,
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
  const { requests, results, taken } = run;
  try {
    const warn = (text: string): void => log.warn(text);
    const box = openBox({ requests, results, taken, ...takers, warn });
    log.info(`Status files and requests of users: ${run.path}`);
    return { run, publisher, box, beatAt: Number.NEGATIVE_INFINITY };
  } catch (error) {
    run.close();
    throw error;
  }
}
