// Ends the daemon when the condor_master that started it has ended, so that the next
// master can start its own.
import { readFileSync } from 'node:fs';
import { systemCode } from '@credmon/core/base';

/**
 * How often the master is checked, in seconds. HTCondor's own daemons notice its end
 * within 30 s.
 */
const CHECK_SECONDS = 5;

/**
 * A process in the process table; `started`, if available, distinguishes it from a later
 * process with the same id.
 */
export interface SeenProcess {
  readonly pid: number;
  readonly started?: string;
}

/** The system calls that the watch needs. */
interface MasterPorts {
  /**
   * Returns a living process; `undefined` when there is none with this id, or it is a
   * zombie.
   */
  readonly look: (pid: number) => SeenProcess | undefined;
  /** The parent of this process now. */
  readonly parent: () => number;
}

/**
 * Returns the process id that CONDOR_INHERIT begins with: the condor_master that started
 * this process.
 * @see HTCondor's daemon core: "<parent's process number> <its address> ..."
 */
export function masterIn(inherit: string | undefined): number | undefined {
  const pid = Number(/^\s*(\d{1,10})(?=\s|$)/.exec(inherit ?? '')?.[1]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/**
 * Returns a check whether the master has ended: its process is gone, or it was our parent
 * and no longer is. Returns `undefined` if CONDOR_INHERIT names none, or names one that
 * is not visible here (another pid namespace).
 */
export function masterWatch(
  inherit: string | undefined,
  { look, parent }: MasterPorts,
): { readonly pid: number; readonly gone: () => boolean } | undefined {
  const pid = masterIn(inherit);
  const seen = pid === undefined || pid === process.pid ? undefined : look(pid);
  if (pid === undefined || seen === undefined) return undefined;
  const wasParent = parent() === pid;
  return {
    pid,
    gone: () => (wasParent && parent() !== pid) || !isSame(seen, look(pid)),
  };
}

function isSame(before: SeenProcess, now: SeenProcess | undefined): boolean {
  if (now === undefined) return false;
  return (
    before.started === undefined || now.started === undefined || before.started === now.started
  );
}

const systemPorts: MasterPorts = { look: processOf, parent: () => process.ppid };

/**
 * Calls `gone` once when the condor_master named in CONDOR_INHERIT has ended. Returns a
 * function that stops the watch.
 */
export function watchMaster(inherit: string | undefined, gone: (pid: number) => void): () => void {
  const master = masterWatch(inherit, systemPorts);
  if (!master) return () => undefined;
  const timer = setInterval(() => {
    if (!master.gone()) return;
    clearInterval(timer);
    gone(master.pid);
  }, CHECK_SECONDS * 1000);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * @see proc(5): the state is the third field of /proc/PID/stat, the start time the 22nd;
 * the name before them may contain any character.
 */
function processOf(pid: number): SeenProcess | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return undefined;
  }
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // No /proc, or it hides other users' processes: the signal has shown that the process
    // lives.
    return { pid };
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  return started === undefined ? { pid } : { pid, started };
}
