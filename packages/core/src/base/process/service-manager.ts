// Tells systemd what state the program is in. Node.js cannot send to a datagram socket, so
// systemd's own program does; the unit needs NotifyAccess=all.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { runFile } from './process.ts';

/**
 * The service manager of this process. Without one, every method does nothing. No method
 * throws.
 */
export interface ServiceManager {
  /** The service is up. */
  ready(): void;
  reloading(): void;
  /** The configuration is read again. */
  reloaded(): void;
  /** Waits until the message is sent: the process may end afterwards. */
  stopping(): void;
  /**
   * A pass, or a turn of a loop, has ended: the program does not hang. The first call says
   * that the service is up. Others send a message if the unit has a watchdog and a quarter
   * of its time is over.
   */
  turnEnded(): void;
}

/** What a service manager needs; the default is this process. */
export interface ServiceManagerParts {
  readonly env: NodeJS.ProcessEnv;
  readonly pid: number;
  /** Seconds of CLOCK_MONOTONIC. */
  readonly steady: () => number;
  /** Where systemd-notify is; only root can write there. */
  readonly programs: readonly string[];
  readonly warn: (text: string) => void;
}

/** Seconds. With less, systemd would kill a program that works. */
const SHORTEST_WATCHDOG = 180;

/** Milliseconds for one message. */
const TIMEOUT = 5000;

/**
 * Creates the connection to systemd, if this process has one, and hides it from child
 * processes.
 * @see sd_notify(3), systemd-notify(1)
 */
export function connectServiceManager(
  warn: (text: string) => void,
  parts: Partial<ServiceManagerParts> = {},
): ServiceManager {
  const {
    env = process.env,
    pid = process.pid,
    steady = () => Number(process.hrtime.bigint()) / 1e9,
    programs = ['/usr/bin/systemd-notify', '/bin/systemd-notify'],
  } = parts;
  const watchdog = watchdogSeconds(env, pid);
  const { NOTIFY_SOCKET: socket } = env;
  for (const name of ['NOTIFY_SOCKET', 'WATCHDOG_USEC', 'WATCHDOG_PID']) delete env[name];
  if (socket === undefined || socket === '') return NONE;
  const program = programs.find((path) => existsSync(path));
  if (program === undefined) {
    warn(`${programs[0] ?? 'systemd-notify'} is missing: systemd is not told that this runs`);
    return NONE;
  }
  if (watchdog < SHORTEST_WATCHDOG)
    warn(
      `WatchdogSec is ${watchdog} s, too short for a pass that waits for issuers; ` +
        `fix: set at least ${SHORTEST_WATCHDOG} s`,
    );
  const send = senderOf(program, socket, warn);
  let toldAt = Number.NEGATIVE_INFINITY;
  let isReady = false;
  const ready = (): void => {
    if (!isReady) send.later(['READY=1']);
    isReady = true;
  };
  return {
    ready,
    reloading: () =>
      send.later(['RELOADING=1', `MONOTONIC_USEC=${Math.floor(steady() * 1_000_000)}`]),
    reloaded: () => send.later(['READY=1']),
    stopping: () => send.now(['STOPPING=1']),
    turnEnded: () => {
      ready();
      if (watchdog === Number.POSITIVE_INFINITY) return;
      const now = steady();
      // A little early is right: passes do not come on the second.
      if (now - toldAt < watchdog / 4 - 0.5) return;
      toldAt = now;
      send.later(['WATCHDOG=1']);
    },
  };
}

const NONE: ServiceManager = {
  ready: () => undefined,
  reloading: () => undefined,
  stopping: () => undefined,
  reloaded: () => undefined,
  turnEnded: () => undefined,
};

/** The time of the watchdog in seconds; infinite if there is none for this process. */
function watchdogSeconds({ WATCHDOG_USEC, WATCHDOG_PID }: NodeJS.ProcessEnv, pid: number): number {
  const seconds = Number(WATCHDOG_USEC ?? '') / 1_000_000;
  const isOurs = WATCHDOG_PID === undefined || Number(WATCHDOG_PID) === pid;
  return isOurs && seconds > 0 ? seconds : Number.POSITIVE_INFINITY;
}

/** Sends messages one after the other, in their order. */
function senderOf(
  program: string,
  socket: string,
  warn: (text: string) => void,
): { later(message: readonly string[]): void; now(message: readonly string[]): void } {
  const options = {
    env: { NOTIFY_SOCKET: socket },
    cwd: '/',
    timeout: TIMEOUT,
    encoding: 'utf8',
  } as const;
  const queue: (readonly string[])[] = [];
  let isSending = false;
  let isBroken = false;
  const ended = (failure: string | undefined): void => {
    if (failure !== undefined && !isBroken) warn(`systemd was not told the state: ${failure}`);
    isBroken = failure !== undefined;
  };
  const next = (): void => {
    const message = queue.shift();
    isSending = message !== undefined;
    if (!message) return;
    runFile(program, message, options, (error) => {
      ended(error === null ? undefined : error.message);
      next();
    });
  };
  return {
    later: (message) => {
      queue.push(message);
      if (!isSending) next();
    },
    now: (message) => {
      // What waits is out of date, but for the end of a reload.
      queue.length = 0;
      const { error, status } = spawnSync(program, [...message], { ...options, stdio: 'ignore' });
      ended(error?.message ?? (status === 0 ? undefined : `${program} failed`));
    },
  };
}
