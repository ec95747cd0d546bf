// The daemon command: opens what it needs in the order that CredD relies on, runs, and
// closes it.
import { graceSeconds } from '../settings/policy.ts';
import {
  checkCredentialDirectory,
  lockDirectory,
  openCredentialDirectory,
  openReserve,
  type CredentialStore,
  type DirectoryLock,
} from '@credmon/core/store';
import {
  type CodedError,
  type ServiceManager,
  connectServiceManager,
  createSend,
  collectEarly,
  exitAtOnce,
  isCoded,
  keepHeapSmall,
  messageOf,
  systemClock,
  systemRandom,
  createTurnLimit,
} from '@credmon/core/base';
import type { Config } from '@credmon/core/config';
import type { DaemonCommand } from '../command-line/command.ts';
import { createWakeUp, runDaemon, runOnce, type DaemonParts } from '../daemon/loop.ts';
import {
  clearComplete,
  ownsMarks,
  removeMarks,
  watchDirectory,
  writePid,
} from '../daemon/pid-and-complete.ts';
import { createReload, handleSignals } from '../daemon/signals.ts';
import { createKeyRotation } from '../keys/signing-keys.ts';
import { createLimiter } from '../throttle/limiter.ts';
import { addUserView, systemUserView } from '../daemon/user-view.ts';
import { olderDirectory } from '../host/older-directory.ts';
import { keyDirectories, localFiles } from '../host/local-files.ts';
import { watchMaster } from '../daemon/master-watch.ts';
import { openListener, whyUnreadable } from '../metrics/health-and-pages.ts';
import { monitorDaemon, type Monitor } from '../metrics/monitor.ts';
import { openLog, openStartLog, reopenLog, startErrorLines, type Logger } from '@credmon/core/log';
import { providerLookupOf } from '../daemon/provider-lookup.ts';
import { emptyMemory, type PassMemory } from '../daemon/context.ts';
import { prepareKeyPair } from '../providers/local/keys.ts';
import { createProcessTrust, namedTrustOf } from '../host/tls-ca.ts';
import { withStanding } from '../providers/standing/store.ts';
import { createAuditReport } from '../report/audit-report.ts';
import { reportOf, reportToAll } from '../report/events.ts';
import { createReport } from '../report/log-report.ts';
import { createReserveKeeper, reserveBytes, type ReserveKeeper } from '../daemon/full-disk.ts';
import { createSecretReader, secretVersion } from '../host/secret-file.ts';
import { LOG_OPTIONS, programFolder, readDaemonSettings, type Settings } from '../settings/read.ts';
import { openStandingLogins, standingFiles } from '../host/standing-files.ts';
import { VERSION } from '../version.ts';
import { openConfig } from '../command-line/open-config.ts';
import { createPassEnd } from './pass-end.ts';

/** Everything that a running daemon has open. */
interface Running {
  readonly command: DaemonCommand;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Logger;
  /**
   * The credential directory, its path without links: a link that appears later is not
   * followed.
   */
  readonly directory: string;
  readonly lock: DirectoryLock;
  readonly reserve: ReserveKeeper;
  readonly service: ServiceManager;
  readonly memory: PassMemory;
  settings: Settings;
  /** True from SIGHUP until the configuration is reloaded. */
  reloadAsked: boolean;
}

/**
 * Runs the daemon until a signal, or a single pass with `--once`. Returns the exit code:
 * 1 when that pass was not complete. `opened` gets the log as soon as it is open.
 * `heldHangup` ends the hold of SIGHUP and returns whether one came since the start.
 * @throws CodedError when the daemon cannot start
 */
export async function runDaemonCommand(
  command: DaemonCommand,
  env: NodeJS.ProcessEnv,
  opened: (log: Logger) => void,
  heldHangup: () => boolean,
): Promise<number> {
  const config = openConfig(command, env);
  const programs = programFolder(process.argv[1]);
  const settings = readDaemonSettings(config, { ...command, programs });
  const log = await openLog(settings.log);
  opened(log);
  announce(log, config, settings);
  const { credDir, condorIds: condor } = settings;
  const directory = checkCredentialDirectory(credDir, { create: true, condor });
  const older = olderDirectory(directory);
  if (older !== undefined) log.warn(older);
  const lock = lockDirectory(directory);
  keepHeapSmall();
  try {
    const reserve = openReserve(directory, lock);
    const running: Running = {
      command,
      env,
      log,
      directory,
      lock,
      settings,
      reloadAsked: false,
      memory: emptyMemory(systemClock.now()),
      service: connectServiceManager(
        (text) => log.warn(text),
        command.once ? { env: {} } : { env },
      ),
      reserve: createReserveKeeper(
        reserve,
        () => reserveBytes(running.settings, running.memory.metaUrls),
        log,
      ),
    };
    return await work(running, heldHangup);
  } finally {
    lock.release();
  }
}

function announce(log: Logger, config: Config, settings: Settings): void {
  log.info(`condor_credmon ${VERSION} (${config.subsystem}) starting up, process ${process.pid}`);
  log.info(`Configuration: ${config.sources.join(', ') || 'environment only'}`);
  for (const warning of settings.warnings) log.warn(warning);
  log.info(`Credential directory: ${settings.credDir}`);
}

async function work(running: Running, heldHangup: () => boolean): Promise<number> {
  const { command, log, directory } = running;
  const wake = createWakeUp();
  const stop = new AbortController();
  const plain = partsOf(running, wake, stop.signal);
  // What a single pass shows is out of date at once.
  const view = command.once
    ? undefined
    : addUserView(
        plain,
        systemUserView(() => running.settings, log),
      );
  const parts = view?.parts ?? plain;
  const monitor = monitorDaemon(parts, {
    address: () => running.settings.metrics,
    settings: () => running.settings,
    open: openListener,
    unreadable: () => whyUnreadable(directory),
  });
  const reloadSoon = (): void => {
    // The log file may have been moved, even if the configuration is unchanged.
    reopenLog(log);
    running.reloadAsked = true;
    wake.notify();
  };
  const release = handleSignals({
    wake: reloadSoon,
    stop: (signal) => {
      log.info(`Got ${signal}, stopping`);
      running.service.stopping();
      stop.abort();
    },
    die: (signal) => {
      log.info(`Got ${signal} again, ending at once`);
      // A `--once` run leaves pid and CREDMON_COMPLETE to the daemon that may start next.
      if (!command.once && ownsMarks(directory, running.lock))
        removeMarks(directory, (text) => log.error(text));
      exitAtOnce(1, running.memory.writing.size > 0);
    },
  });
  if (heldHangup()) reloadSoon();
  const unwatchMaster = watchMaster(running.env['CONDOR_INHERIT'], (pid) => {
    log.warn(`condor_master (process ${pid}) is gone, stopping`);
    stop.abort();
  });
  try {
    if (command.once) return exitIfBusy(parts, (await runOnce(parts)) ? 0 : 1);
    const isStored = await serve(running, monitor, () => view?.close());
    log.info('Stopped');
    return exitIfBusy(parts, isStored ? 0 : 1);
  } catch (error) {
    if (parts.memory.inFlight.size + parts.memory.late.size > 0) log.error(messageOf(error));
    exitIfBusy(parts, 1);
    throw error;
  } finally {
    unwatchMaster();
    await running.reserve.idle();
    await monitor.close();
    release();
  }
}

/**
 * Runs passes until shutdown, and always removes pid and CREDMON_COMPLETE: CredD would
 * wait for a daemon that is gone.
 */
async function serve(
  { directory, lock }: Running,
  monitor: Monitor,
  closeView: () => void,
): Promise<boolean> {
  const { log, wake } = monitor.parts;
  clearComplete(directory);
  try {
    writePid(directory);
    const warn = (text: string): void => log.warn(text);
    const unwatch = watchDirectory(directory, (name) => wake.notify(name), warn);
    try {
      await monitor.follow();
      return await runDaemon(monitor.parts);
    } finally {
      unwatch();
      closeView();
    }
  } finally {
    if (ownsMarks(directory, lock)) removeMarks(directory, (text) => log.error(text));
  }
}

/** Exits if renewals are still running: they must not continue without the lock. */
function exitIfBusy({ memory }: DaemonParts, code: number): number {
  const { inFlight, late, writing } = memory;
  if (inFlight.size + late.size + writing.size > 0) exitAtOnce(code, writing.size > 0);
  return code;
}

function partsOf(running: Running, wake: DaemonParts['wake'], stop: AbortSignal): DaemonParts {
  const { command, env, log, settings } = running;
  const programs = programFolder(process.argv[1]);
  const warn = (text: string): void => log.warn(text);
  const trust = createProcessTrust(() => namedTrustOf(running.settings), warn);
  const senderFor = ({ limits, perIssuer }: Settings): ReturnType<typeof createSend> =>
    createSend({ ...limits, connections: perIssuer, trust: trust.general });
  let sender = senderFor(settings);
  const ports = { secretVersion, random: systemRandom, local: localFiles(warn), trust };
  if (settings.local.explicit) prepareKeyPair(settings.local, ports.local);
  const rotateKeys = createKeyRotation(keyDirectories, log);
  rotateKeys(settings, systemClock.now());
  let lookup = providerLookupOf(settings, ports);
  const report = reportToAll([
    createReport(log, () => running.settings),
    createAuditReport(log),
    reportOf(
      async () => collectEarly(),
      () => undefined,
    ),
  ]);
  const reload = createReload(
    () => readDaemonSettings(openConfig(command, env), { ...command, programs }),
    (next) => {
      // Opening the log is the last step that may fail; nothing has changed before it.
      const newLookup = providerLookupOf(next, ports);
      log.reopen(next.log);
      // Requests in progress end on the old connections.
      void sender.close();
      [sender, lookup] = [senderFor(next), newLookup];
      if (next.local.explicit) prepareKeyPair(next.local, ports.local);
      apply(running, next);
    },
    log,
  );
  return {
    context: {
      clock: systemClock,
      store: openStore(running),
      send: (request) => sender.send(request),
      limiter: createLimiter({
        cap: () => running.settings.perIssuer,
        steady: () => systemClock.steady(),
      }),
      report,
      readSecret: createSecretReader(),
      turn: createTurnLimit(),
      lateAnswer: () => running.settings.lateAnswer,
      lockState: () => running.lock.state(),
    },
    memory: running.memory,
    log,
    wake,
    stop,
    lookup: () => lookup,
    graceSeconds: () => graceSeconds(running.settings),
    complete: createPassEnd(running, report, stop),
    rotateKeys: () => rotateKeys(running.settings, systemClock.now()),
    keepReserve: () => running.reserve.keep(),
    turnEnded: () => running.service.turnEnded(),
    reload: () => {
      if (!running.reloadAsked) return;
      running.reloadAsked = false;
      running.service.reloading();
      try {
        trust.renew();
        reload(running.settings);
      } finally {
        running.service.reloaded();
      }
    },
  };
}

/** Opens the credential directory, with the standing tokens and their logins. */
function openStore(running: Running): CredentialStore {
  const { directory, lock, reserve } = running;
  const options = { locked: true, lock, reserve };
  return withStanding(
    openCredentialDirectory(directory, {
      ...options,
      defaultLifetime: () => running.settings.policy.defaultLifetime,
    }),
    () => running.settings.standing,
    standingFiles(directory),
    openStandingLogins(directory, options),
  );
}

/** Applies new settings. */
function apply(running: Running, next: Settings): void {
  const { log, settings } = running;
  running.settings = next;
  for (const warning of next.warnings) if (!settings.warnings.includes(warning)) log.warn(warning);
  log.info('Configuration read again');
}

/**
 * Returns the lines of the error, with all mistakes of the configuration, and the log for
 * them if one can be opened: condor_master connects standard error to /dev/null. If the log
 * cannot be opened, that is the error itself.
 */
export async function startError(
  error: Error,
  command: DaemonCommand,
  env: NodeJS.ProcessEnv,
): Promise<{ readonly lines: readonly string[]; readonly log: Logger | undefined }> {
  const mistakes: CodedError[] = [];
  const config = openConfig(command, env, (mistake) => void mistakes.push(mistake));
  const log = isCoded(error, 'LOG_UNWRITABLE')
    ? undefined
    : await openStartLog(config, config.subsystem, command, LOG_OPTIONS);
  return { lines: startErrorLines(error, mistakes), log };
}
