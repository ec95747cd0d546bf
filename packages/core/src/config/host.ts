// The real machine behind the configuration: its files, its names and what is known about this process.
import { readFileSync, readdirSync, realpathSync, statSync, type Stats } from 'node:fs';
import { arch, cpus, hostname, networkInterfaces, release, totalmem, type } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { messageOf, systemCode } from '../base/errors.ts';
import { runProgram } from './command.ts';
import type { SourceHost } from './reading.ts';
import type { HostFacts } from './settings.ts';
import { writeFileAtomically } from '../base/atomic-write.ts';

/** Files and programs of this machine; a program may take `commandSeconds`. Relative names start at the working directory. */
export function machineHost(commandSeconds: number): SourceHost {
  return {
    readFile: (path) =>
      orAbsent(() => (statSync(path).isDirectory() ? new Uint8Array() : readFileSync(path))),
    listFiles: (path) => orAbsent(() => readdirSync(path).filter((name) => isFile(join(path, name)))),
    run: (command) => runProgram(command, commandSeconds),
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

/** Only root and the process's user may be able to change the file, or swap it through a directory above it. */
function writableByOthers(path: string): string | undefined {
  try {
    const real = realpathSync(path);
    const file = statSync(real);
    if (!isOurs(file) || (file.mode & 0o022) !== 0) return `${path} can be written by others`;
    for (let directory = dirname(real); ; directory = dirname(directory)) {
      const above = statSync(directory);
      const loose = (above.mode & 0o022) !== 0 && (above.mode & 0o1000) === 0;
      if (!isOurs(above) || loose)
        return `${directory}, which holds ${basename(path)}, can be written by others`;
      if (directory === dirname(directory)) return undefined;
    }
  } catch (error) {
    return `${path} cannot be examined: ${systemCode(error) ?? messageOf(error)}`;
  }
}

function isOurs(stats: Stats): boolean {
  return stats.uid === 0 || stats.uid === process.geteuid?.();
}

/** Facts about this machine and process. */
export function machineFacts(): HostFacts {
  const uid = process.getuid?.() ?? 0;
  const gid = process.getgid?.() ?? 0;
  const users = readUsers();
  const own = users.find((user) => user.uid === uid);
  const [ipv4, ipv6] = addresses();
  const numbers = { REAL_UID: uid, REAL_GID: gid, PID: process.pid, PPID: process.ppid };
  return {
    fullHostname: fullHostname(),
    tilde: users.find((user) => user.name === 'condor')?.home ?? '',
    home: own?.home ?? '',
    uid,
    early: earlyFacts(),
    late: {
      USERNAME: own?.name ?? '',
      ...Object.fromEntries(Object.entries(numbers).map(([name, value]) => [name, String(value)])),
      IP_ADDRESS: ipv4 || ipv6,
      IP_ADDRESS_IS_IPV6: String(ipv4 === '' && ipv6 !== ''),
      IPV4_ADDRESS: ipv4,
      IPV6_ADDRESS: ipv6,
    },
  };
}

const ARCHES: Readonly<Record<string, readonly [string, string]>> = {
  x64: ['X86_64', 'x86_64'],
  arm64: ['aarch64', 'aarch64'],
  ppc64: ['ppc64le', 'ppc64le'],
};

function earlyFacts(): Record<string, string> {
  const [condorArch, machine] = ARCHES[arch()] ?? [arch(), arch()];
  const count = String(Math.max(1, cpus().length));
  return {
    ARCH: condorArch,
    OPSYS: type().toUpperCase(),
    UNAME_ARCH: machine,
    UNAME_OPSYS: type(),
    UTSNAME_MACHINE: machine,
    UTSNAME_NODENAME: hostname(),
    UTSNAME_RELEASE: release(),
    UTSNAME_SYSNAME: type(),
    DETECTED_CPUS: count,
    DETECTED_CORES: count,
    DETECTED_PHYSICAL_CPUS: count,
    DETECTED_CPUS_LIMIT: count,
    DETECTED_MEMORY: String(Math.floor(totalmem() / (1024 * 1024))),
  };
}

interface User {
  readonly name: string;
  readonly uid: number;
  readonly home: string;
}

function readUsers(): User[] {
  const text = orAbsent(() => readFileSync('/etc/passwd', 'utf8')) ?? '';
  return text.split('\n').map((line) => {
    const [name = '', , uid = '-1', , , home = ''] = line.split(':');
    return { name, uid: Number(uid), home };
  });
}

/** The host's name with its domain: from the name itself, or from the hosts file. */
function fullHostname(): string {
  const own = hostname();
  if (own.includes('.')) return own;
  const text = orAbsent(() => readFileSync('/etc/hosts', 'utf8')) ?? '';
  for (const line of text.split('\n')) {
    const names = line.replace(/#.*/, '').trim().split(/\s+/).slice(1);
    const full = names.find((name) => name.startsWith(`${own}.`));
    if (names.includes(own) && full !== undefined) return full;
  }
  return own;
}

function addresses(): readonly [string, string] {
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const pick = (family: string): string => {
    const candidates = all.filter(
      (address) => address.family === family && !address.address.startsWith('fe80'),
    );
    return (candidates.find((address) => !address.internal) ?? candidates[0])?.address ?? '';
  };
  return [pick('IPv4'), pick('IPv6')];
}
