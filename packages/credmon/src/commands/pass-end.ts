// What the daemon does after each pass: it marks its end, checks what others may have
// changed, and tells condor_master once that it is ready (DC_SET_READY). Only HTCondor's
// own library can send the message, so a short-lived Python process does.
import type { DaemonCommand } from '../command-line/command.ts';
import { masterIn } from '../daemon/master-watch.ts';
import { restorePid, touchComplete } from '../daemon/pid-and-complete.ts';
import { checkProgram } from '../host/exec-program.ts';
import type { Report } from '../report/events.ts';
import type { Settings } from '../settings/read.ts';
import { CodedError, messageOf, printable, runFile } from '@credmon/core/base';
import { type AccountIds, findUser } from '@credmon/core/config';
import type { Log } from '@credmon/core/log';
import { checkCredentialDirectory } from '@credmon/core/store';

/** The running daemon, as far as the end of a pass needs it. */
interface PassEndParts {
  readonly command: Pick<DaemonCommand, 'once'>;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly directory: string;
  readonly settings: Pick<Settings, 'condorIds'>;
}

/**
 * Creates the function for the end of a pass. It marks the end, checks the pid file and
 * the directory, and after the first pass tells condor_master that the daemon is ready.
 */
export function createPassEnd(
  running: PassEndParts,
  report: Report,
  stop: AbortSignal,
): () => void {
  const { command, env, log, directory } = running;
  const tellMaster = createReadyNotice(env, () => running.settings.condorIds, log, stop);
  return (): void => {
    touchComplete(directory, (text) => log.warn(text));
    if (!command.once) tellMaster();
    if (!command.once && restorePid(directory))
      log.warn(`The file pid was removed from ${directory}; it was written again`);
    const unsafe = unsafeNow(running);
    if (unsafe === undefined) return;
    const text = `Tokens are still renewed, but the next start will fail: ${unsafe}`;
    report({ type: 'problem', text });
  };
}

/**
 * Returns why the next start would reject the credential directory: its owner or mode has
 * changed.
 */
function unsafeNow({ directory, settings }: PassEndParts): string | undefined {
  try {
    checkCredentialDirectory(directory, { create: false, condor: settings.condorIds });
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

/**
 * After this time the Python process is killed, in seconds. Its own limit is a second
 * shorter.
 */
const TIMEOUT = 16;

/** Where Python is looked for after the directories of PATH. */
const FOLDERS = ['/usr/bin', '/usr/local/bin'];

/**
 * condor_master finds its child by the process id in the message, which the library takes
 * from getpid(2). The sender therefore gets the daemon's process id in a new namespace of
 * process ids. It sends as the user condor, as HTCondor's daemons do: the DAEMON level of
 * `use security:recommended_v9_0` does not include root.
 * @see pid_namespaces(7), and ns_last_pid in proc_sys_kernel(5)
 */
const SENDER = `
import ctypes, importlib.util, os, signal, sys
pid, uid, gid = map(int, sys.argv[1:4])
NEW_PID_NAMESPACE = 0x20000000
def fail(reason):
    print(reason, flush=True)
    os._exit(1)
def fork(work):
    child = os.fork()
    if child == 0:
        signal.alarm(15)
        try:
            work()
        except BaseException as error:
            fail('%s: %s' % (type(error).__name__, error))
        os._exit(0)
    return os.waitpid(child, 0)[1]
def send():
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    os.setgroups([])
    os.setgid(gid)
    os.setuid(uid)
    for name in names:
        module = __import__(name)
        if hasattr(module, 'set_ready_state'):
            module.set_subsystem('CREDMON_OAUTH', module.SubsystemType.Daemon)
            module.set_ready_state('Ready')
            return
    fail('HTCondor\\'s Python modules have no set_ready_state')
def first():
    with open('/proc/sys/kernel/ns_last_pid', 'w') as last:
        last.write(str(pid - 1))
    if fork(send) != 0:
        os._exit(1)
names = [name for name in ('htcondor2', 'htcondor') if importlib.util.find_spec(name)]
if not names:
    fail('HTCondor\\'s Python modules are not installed')
signal.signal(signal.SIGALRM, lambda *_: os._exit(1))
signal.alarm(15)
libc = ctypes.CDLL(None, use_errno=True)
if libc.unshare(NEW_PID_NAMESPACE) != 0:
    fail('cannot make a process id namespace (%s)' % os.strerror(ctypes.get_errno()))
sys.exit(1 if fork(first) != 0 else 0)
`;

/** The daemon's process, for {@link readyCall}. */
export interface ReadyProcess {
  readonly pid: number;
  readonly parent: number;
  readonly condor: AccountIds | undefined;
}

/** A call of Python, without its path. */
export interface ReadyCall {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * Returns the call that tells condor_master, which needs its address in CONDOR_INHERIT;
 * `undefined` if condor_master is not the parent, or there is no user condor.
 */
export function readyCall(
  env: NodeJS.ProcessEnv,
  { pid, parent, condor }: ReadyProcess,
): ReadyCall | undefined {
  if (condor === undefined || masterIn(env['CONDOR_INHERIT']) !== parent) return undefined;
  const ids = [pid, condor.uid, condor.gid].map(String);
  return { args: ['-I', '-W', 'ignore', '-c', SENDER, ...ids], env };
}

/**
 * Creates a function that tells condor_master at its first call. It never waits and never
 * fails: what happened is a debug line. `stop` ends an attempt.
 */
export function createReadyNotice(
  env: NodeJS.ProcessEnv,
  condorIds: () => AccountIds | undefined,
  log: Pick<Log, 'debug'>,
  stop: AbortSignal,
): () => void {
  let isDone = false;
  return () => {
    if (isDone || stop.aborted) return;
    isDone = true;
    const { pid, ppid: parent } = process;
    const call = readyCall(env, { pid, parent, condor: condorIds() ?? findUser('condor') });
    if (call) tell(call, log, stop);
  };
}

function tell({ args, env }: ReadyCall, log: Pick<Log, 'debug'>, stop: AbortSignal): void {
  const report = (why: string | undefined): void =>
    log.debug(
      why === undefined
        ? 'Told condor_master that the daemon is ready (DC_SET_READY)'
        : `condor_master was not told that the daemon is ready (DC_SET_READY): ${why}`,
    );
  const options = {
    env,
    cwd: '/',
    encoding: 'utf8',
    timeout: TIMEOUT * 1000,
    killSignal: 'SIGKILL',
    signal: stop,
  } as const;
  try {
    runFile(pythonIn(env), args, options, (error, output) =>
      report(error === null ? undefined : reasonOf(output) || 'Python failed or timed out'),
    );
  } catch (error) {
    report(messageOf(error));
  }
}

/**
 * Returns the first python3 that only root or this user can change.
 * @throws CodedError `PLUGIN_REFUSED`
 */
function pythonIn({ PATH = '' }: NodeJS.ProcessEnv): string {
  const folders = [...PATH.split(':').filter((folder) => folder.startsWith('/')), ...FOLDERS];
  for (const folder of folders) {
    const path = `${folder}/python3`;
    try {
      return checkProgram({ name: 'python3', command: path });
    } catch {
      // The next one may be there.
    }
  }
  throw new CodedError('PLUGIN_REFUSED', 'python3 is not installed');
}

/** The last line that the sender printed: an error of the system or of HTCondor. */
function reasonOf(output: string): string {
  return printable(output.trim().split('\n').at(-1) ?? '').slice(0, 200);
}
