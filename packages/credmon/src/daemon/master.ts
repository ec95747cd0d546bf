// The life of condor_master: a daemon that it started ends when it is gone, so that the
// next master can start its own.
import { readFileSync } from 'node:fs';
import { systemCode } from '@credmon/core/base';

/**
 * How often the master is looked at, in seconds. HTCondor's own daemons notice its end
 * within 30 s.
 */
const LOOK_SECONDS = 5;

/**
 * A process as the system shows it; `started` tells it from a later one with the same
 * number, where the system says it.
 */
export interface SeenProcess {
  readonly pid: number;
  readonly started?: string;
}

/** What watching needs of the system. */
export interface MasterPorts {
  /**
   * A living process; `undefined` when there is none of this number, or it has ended and
   * nobody has taken its exit code.
   */
  readonly look: (pid: number) => SeenProcess | undefined;
  /** The parent of this process now. */
  readonly parent: () => number;
}

/**
 * The process that CONDOR_INHERIT names first: the condor_master that started this one.
 * @see HTCondor's daemon core: "<parent's process number> <its address> ..."
 */
export function masterIn(inherit: string | undefined): number | undefined {
  const pid = Number(/^\s*(\d{1,10})(?=\s|$)/.exec(inherit ?? '')?.[1]);
  return Number.isSafeInteger(pid) && pid > 1 ? pid : undefined;
}

/**
 * A function that says whether the master is gone: its process has ended, or it was our
 * parent and no longer is. `undefined` where none is named, or where the named one cannot
 * be seen from here (another namespace of process numbers).
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

/** The system's own processes. */
const systemPorts: MasterPorts = { look: lookAtProcess, parent: () => process.ppid };

/**
 * Calls `gone` once when the condor_master that CONDOR_INHERIT names has ended. Returns
 * the end of the watch.
 */
export function watchMaster(inherit: string | undefined, gone: (pid: number) => void): () => void {
  const master = masterWatch(inherit, systemPorts);
  if (!master) return () => undefined;
  const timer = setInterval(() => {
    if (!master.gone()) return;
    clearInterval(timer);
    gone(master.pid);
  }, LOOK_SECONDS * 1000);
  timer.unref();
  return () => clearInterval(timer);
}

/**
 * @see proc(5): the state is the third field of /proc/PID/stat, the start time the 22nd;
 * the name before may hold anything.
 */
function lookAtProcess(pid: number): SeenProcess | undefined {
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (systemCode(error) !== 'EPERM') return undefined;
  }
  let text: string;
  try {
    text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  } catch {
    // No /proc, or one that hides other users' processes: the signal has told that it
    // lives.
    return { pid };
  }
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, started] = [fields[0], fields[19]];
  if (state === 'Z' || state === 'X') return undefined;
  return started === undefined ? { pid } : { pid, started };
}
