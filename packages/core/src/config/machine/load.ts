// Reads the configuration of this machine, for daemons and command line tools: its files,
// names, and facts about this process.
import { readAtMost } from '../../base/files/safe-file.ts';
import templates from '../syntax/templates.json' with { type: 'json' };
import { type CodedError, messageOf, systemCode } from '../../base/errors/errors.ts';
import { writeFileAtomically } from '../../base/files/atomic-write.ts';
import {
  type HostAddress,
  nameInHosts,
  RELEASE_FILES,
  cpuLimit,
  systemNames,
} from '../facts/host-facts.ts';
import { type EvaluateExpression, evaluateExpression } from '../macros/conditions.ts';
import { LIMITS } from '../macros/expansion.ts';
import { decodeText } from '../macros/text.ts';
import { readConfiguration } from '../syntax/read-sources.ts';
import type { CommandResult, HostFacts, SourceHost } from '../syntax/reader-state.ts';
import { indexTemplates, type Templates } from '../syntax/templates.ts';
import { type Config, standardDefaults } from '../table/config.ts';
import { isPrivateGroup, localUsers } from './accounts.ts';
import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { type Stats, readFileSync, readdirSync, realpathSync, statSync } from 'node:fs';
import { cpus, hostname, networkInterfaces, release, totalmem, type, version } from 'node:os';
import { dirname, join } from 'node:path';

let indexedTemplates: Templates | undefined;
/** Indexes the templates when a configuration first uses a template. */
const indexed = (): Templates => (indexedTemplates ??= indexTemplates(templates));
const TEMPLATES: Templates = {
  hasCategory: (category) => indexed().hasCategory(category),
  find: (category, name) => indexed().find(category, name),
  labels: () => indexed().labels(),
  meant: (category, name) => indexed().meant(category, name),
};

/** The configuration to read, and the reader's name. */
export interface LoadOptions {
  /** The name for prefixes and `$(SUBSYSTEM)`, such as `CREDMON_OAUTH`. */
  readonly subsystem: string;
  readonly localName?: string | undefined;
  /**
   * The process's environment: CONDOR_CONFIG, `_CONDOR_` variables, and variables for
   * `$ENV()`.
   */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads only these files, in this order, and no others that they name as local ones. */
  readonly files?: readonly string[] | undefined;
  /** `false` rejects every command in a configuration. Default: true. */
  readonly commandsAllowed?: boolean;
  /** The maximum seconds of such a command. Default: 30. */
  readonly commandSeconds?: number;
  /** Facts about the machine that override the detected ones. */
  readonly facts?: Partial<HostFacts>;
  /** Evaluates ClassAd expressions. */
  readonly evaluate?: EvaluateExpression;
  /**
   * Returns a whole number from 0 to below its argument; for `$RANDOM_CHOICE` and
   * `$RANDOM_INTEGER`.
   */
  readonly random?: (below: number) => number;
  /**
   * Called with each error; the rest is still read. Without it the first error is thrown.
   */
  readonly tolerate?: ((error: CodedError) => void) | undefined;
}

/**
 * Reads HTCondor's configuration like HTCondor itself.
 * @throws CodedError `CONFIG_SYNTAX`, `CONFIG_READ` or `CONFIG_LIMIT`; the message begins
 * with `file:line: `
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/introduction-to-configuration.html
 * @example
 * ```ts
 * import { loadConfig } from '@credmon/core';
 *
 * const env = { CONDOR_CONFIG: 'ONLY_ENV', _CONDOR_POOL: 'lab', _CONDOR_LOG: '/log/$(POOL)' };
 * console.log(loadConfig({ subsystem: 'TOOL', env }).get('LOG'));
 * // prints /log/lab
 * ```
 */
export function loadConfig(options: LoadOptions): Config {
  return readConfiguration({
    subsystem: options.subsystem,
    localName: options.localName,
    env: options.env,
    facts: { ...machineFacts(options.env), ...options.facts },
    host: machineHost(options.commandSeconds ?? 30),
    defaults: standardDefaults(),
    templates: TEMPLATES,
    evaluate: options.evaluate ?? evaluateExpression,
    random:
      options.random ?? ((below) => (below > 1 ? randomInt(Math.min(below, 2 ** 48 - 1)) : 0)),
    commandsAllowed: options.commandsAllowed ?? true,
    files: options.files,
    version: [25, 14, 0],
    tolerate: options.tolerate,
  });
}

/**
 * Returns the files and programs of this machine; a program may take `commandSeconds`.
 * Relative names start at the working directory.
 */
export function machineHost(commandSeconds: number): SourceHost {
  return {
    readFile: (path) =>
      orAbsent(() =>
        statSync(path).isDirectory() ? new Uint8Array() : readAtMost(path, LIMITS.sourceBytes),
      ),
    isDirectory: (path) => orAbsent(() => statSync(path).isDirectory()) ?? false,
    listFiles: (path) =>
      orAbsent(() => readdirSync(path).filter((name) => isFile(join(path, name)))),
    run: (command) => runProgram(command, commandSeconds),
    templateText: (label) => templateText(label, Math.min(commandSeconds, TEMPLATE_SECONDS)),
    writeFile: (path, bytes) => writeFileAtomically(path, bytes, { mode: 0o600, durable: false }),
    writableByOthers,
  };
}

function orAbsent<Result>(action: () => Result): Result | undefined {
  try {
    return action();
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw error;
  }
}

function isFile(path: string): boolean {
  return orAbsent(() => statSync(path).isFile()) ?? false;
}

/**
 * Only root and the process's user may be able to change the file, or to replace it
 * through a parent directory.
 */
function writableByOthers(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    if (openToOthers(statSync(real))) return `${path} is writable by other users`;
    for (let directory = dirname(real); ; directory = dirname(directory)) {
      const above = statSync(directory);
      const sticky = (above.mode & 0o1000) !== 0 && isOurs(above.uid);
      if (openToOthers(above) && !sticky)
        return `${directory}, which contains ${path}, is writable by other users`;
      if (directory === dirname(directory)) return undefined;
    }
  } catch (error) {
    return `failed to check ${path}: ${systemCode(error) ?? messageOf(error)}`;
  }
}

function openToOthers({ uid, gid, mode }: Stats): boolean {
  return (
    !isOurs(uid) || (mode & 0o002) !== 0 || ((mode & 0o020) !== 0 && !isPrivateGroup(gid, isOurs))
  );
}

function isOurs(uid: number): boolean {
  return uid === 0 || uid === process.geteuid?.();
}

/**
 * Returns facts about this machine and process. `env` may limit the CPUs
 * (OMP_THREAD_LIMIT, SLURM_CPUS_ON_NODE).
 */
export function machineFacts(env: Environment = process.env): HostFacts {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const users = localUsers();
  const own = users.find((user) => user.uid === uid);
  const numbers = { REAL_UID: uid, REAL_GID: gid, PID: process.pid, PPID: process.ppid };
  return {
    fullHostname: () => (knownHostname ??= fullHostname()),
    tilde: users.find((user) => user.name === 'condor')?.home ?? '',
    home: own?.home ?? '',
    uid,
    early: { ...earlyFacts(env), CondorIsAdmin: String(uid === 0) },
    late: {
      USERNAME: own?.name ?? '',
      ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)])),
    },
    addresses,
  };
}

type Environment = Readonly<Record<string, string | undefined>>;

const ARCHES: Readonly<Record<string, readonly [string, string]>> = {
  x64: ['X86_64', 'x86_64'],
  arm64: ['aarch64', 'aarch64'],
  ppc64: ['ppc64le', 'ppc64le'],
};

/**
 * A fact is a function if reading it takes time: it is called when the knob is looked up.
 */
function earlyFacts(env: Environment): HostFacts['early'] {
  const [condorArch, machine] = ARCHES[process.arch] ?? [process.arch, process.arch];
  return {
    ARCH: condorArch,
    OPSYS: () => type().toUpperCase(),
    UNAME_ARCH: machine,
    UNAME_OPSYS: () => type(),
    UTSNAME_MACHINE: machine,
    UTSNAME_NODENAME: () => hostname(),
    UTSNAME_RELEASE: () => release(),
    UTSNAME_SYSNAME: () => type(),
    UTSNAME_VERSION: () => version(),
    ...(process.platform === 'linux' && (knownSystem ??= linuxNames())),
    DETECTED_CPUS: cpuCount,
    DETECTED_CORES: cpuCount,
    DETECTED_PHYSICAL_CPUS: cpuCount,
    DETECTED_CPUS_LIMIT: cpuLimit(cpuCount, env),
    DETECTED_MEMORY: () => String(Math.floor(totalmem() / (1024 * 1024))),
  };
}

const cpuCount = (): string => String(Math.max(1, cpus().length));

/** Kept, because neither changes while the process runs. */
let knownSystem: Record<string, string> | undefined;

function linuxNames(): Record<string, string> {
  return systemNames(readReleases(), () => contents('/etc/os-release'));
}

/** Reads each file only when it is needed: usually the first file is enough. */
function* readReleases(): Generator<string> {
  for (const path of RELEASE_FILES) {
    const text = contents(path);
    if (text !== undefined) yield text;
  }
}

/** Returns a file's text; `undefined` if it cannot be read. */
function contents(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}

/** Kept, because finding it may need a program. */
let knownHostname: string | undefined;

/**
 * Returns the host name with its domain, from the host name, /etc/hosts or the resolver.
 */
function fullHostname(): string {
  const own = hostname();
  if (own.includes('.')) return own;
  const listed = nameInHosts(own, contents('/etc/hosts') ?? '');
  if (listed !== undefined) return listed;
  const asked = runProgram(['hostname', '-f'], 5);
  const answer =
    asked.kind === 'done' && asked.status === 0 ? Buffer.from(asked.output).toString().trim() : '';
  return /^[\w.-]+$/.test(answer) ? answer : own;
}

function addresses(): HostAddress[] {
  return Object.entries(networkInterfaces()).flatMap(([name, list = []]) =>
    list.map(({ address }) => ({ name, address })),
  );
}

// Runs a program that the configuration includes: no shell, limited time and output.

/**
 * Runs `command`, whose first word is the program, for at most `seconds`. Its output is
 * kept, its errors are not.
 */
function runProgram(
  command: readonly string[],
  seconds: number,
  env?: NodeJS.ProcessEnv,
): CommandResult {
  const [program, ...words] = command;
  if (program === undefined) return { kind: 'missing', reason: 'no program given' };
  const result = spawnSync(program, words, {
    ...(env && { env }),
    timeout: seconds * 1000,
    killSignal: 'SIGKILL',
    maxBuffer: LIMITS.sourceBytes,
    stdio: ['ignore', 'pipe', 'ignore'],
    shell: false,
  });
  const code = systemCode(result.error);
  if (code === 'ETIMEDOUT') return { kind: 'stopped', reason: `timed out after ${seconds} s` };
  if (code === 'ENOBUFS')
    return { kind: 'stopped', reason: `output larger than ${LIMITS.sourceBytes} bytes` };
  if (result.error) return { kind: 'missing', reason: code ?? result.error.message };
  return { kind: 'done', output: result.stdout, status: result.status ?? 128 };
}

/** The maximum seconds of a question to condor_config_val. */
const TEMPLATE_SECONDS = 5;

/**
 * Asks condor_config_val for a template. It reads no configuration file, because the one
 * being read contains the name, and may contain commands.
 */
function templateText(label: string, seconds: number): string | undefined {
  const env = { PATH: process.env['PATH'], CONDOR_CONFIG: 'ONLY_ENV' };
  const asked = runProgram(['condor_config_val', 'use', label], seconds, env);
  if (asked.kind !== 'done' || asked.status !== 0) return undefined;
  return /^use \S+ is\n(.*)$/is.exec(decodeText(asked.output))?.[1];
}
