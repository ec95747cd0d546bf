// The programs that are measured: the installed credmon, and any other one on the same
// directory, with the same environment and signals.
import { execFileSync, type ChildProcess } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as rest } from 'node:timers/promises';
import type { AccessPoint, Knobs } from './access-point.ts';
import { end, settled, signalGroup, start, usageOf, type Usage } from './processes.ts';

/** A credmon: a command, and the root directory that it sees. */
export interface Program {
  readonly name: string;
  readonly command: readonly [string, ...string[]];
  /** Empty: the root directory of this machine. */
  readonly hidden: string;
  /** Whether it counts the lifetime of a token from the change of the file. */
  readonly countsFromChange: boolean;
  /** The kinds of tokens that it can renew here. */
  readonly kinds: readonly ('oauth' | 'local')[];
}

/** A running credmon. */
export interface Daemon {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Milliseconds until it sees that a token that was just written is due. */
  readonly dueAfter: number;
  /** Seconds from its start to CREDMON_COMPLETE. */
  readonly startSeconds: number;
  /** What it had used at CREDMON_COMPLETE. */
  readonly atComplete: Usage;
  usage(): Usage;
  hup(): void;
  /** Stops it and its children, as SIGSTOP does, until `resume`. */
  pause(): void;
  resume(): void;
  settled(): Promise<void>;
  stop(): Promise<void>;
}

/** Installs the built programs below `prefix`, and returns the daemon's path. */
export function install(repository: string, prefix: string): string {
  execFileSync(process.execPath, [join(repository, 'scripts/install.mjs'), prefix], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  return join(prefix, 'bin', 'condor_credmon');
}

/** The installed credmon of this repository. */
export function ourProgram(path: string, nodeArguments: readonly string[] = []): Program {
  const command = [process.execPath, ...nodeArguments, path] as const;
  return {
    name: 'credmon',
    command,
    hidden: '',
    countsFromChange: false,
    kinds: ['oauth', 'local'],
  };
}

/** The credmon of a command line, for the shell. */
export function otherProgram(commandLine: string): Program {
  return {
    name: `\`${commandLine.split(' ')[0]?.split('/').at(-1) ?? commandLine}\``,
    command: ['/bin/sh', '-c', `exec ${commandLine}`],
    hidden: '',
    countsFromChange: true,
    kinds: ['oauth', 'local'],
  };
}

const ARCHIVE = process.env['CREDMON_POOL_ROOT'] ?? '/var/cache/credmon/pool-root.tar.zst';

/**
 * Unpacks the pool's root directory at `root`, and returns HTCondor's Python credmon in it.
 * @throws Error if the archive is missing
 */
export function poolProgram(root: string): Program {
  if (!existsSync(ARCHIVE))
    throw new Error(`${ARCHIVE} is missing; fix: test-fixtures/pool/make-root.sh, as root`);
  mkdirSync(root, { recursive: true });
  execFileSync('tar', ['--zstd', '-xf', ARCHIVE, '-C', root]);
  // HTCondor looks up the name of the machine, again and again if nothing is found.
  appendFileSync(join(root, 'etc/hosts'), `127.0.0.1 ap.example.test ${hostname()}\n`);
  // Debian has no Python module of this name. This one signs as it does: with the key as
  // text, for each token.
  const module = join(root, 'usr/lib/python3/dist-packages/scitokens');
  mkdirSync(module, { recursive: true });
  writeFileSync(join(module, '__init__.py'), SCITOKENS);
  return {
    name: "HTCondor's Python condor_credmon_oauth",
    command: ['/usr/sbin/chroot', root, '/usr/sbin/condor_credmon_oauth'],
    hidden: root,
    countsFromChange: true,
    kinds: ['oauth', 'local'],
  };
}

const SCITOKENS = `import time, uuid
import jwt
from cryptography.hazmat.primitives.serialization import load_pem_private_key

class SciToken:
    def __init__(self, algorithm, key, key_id):
        self.algorithm, self.key_id, self.claims = algorithm, key_id, {}
        self.key = load_pem_private_key(key.encode(), None)
    def update_claims(self, claims):
        self.claims.update(claims)
    def serialize(self, issuer, lifetime):
        now = int(time.time())
        self.claims.update(iss=issuer, iat=now, nbf=now, exp=now + lifetime, jti=str(uuid.uuid4()))
        token = jwt.encode(self.claims, self.key, algorithm=self.algorithm, headers={"kid": self.key_id})
        return token if isinstance(token, bytes) else token.encode()
`;

/** Milliseconds: even a million tokens take less. */
const START_LIMIT = 1_200_000;

/**
 * Starts a credmon and waits for CREDMON_COMPLETE.
 * @throws Error with what it has printed if it ends before
 */
export async function startDaemon(
  program: Program,
  point: AccessPoint,
  knobs: Knobs,
): Promise<Daemon> {
  const complete = join(point.credentials, 'CREDMON_COMPLETE');
  for (const path of [complete, join(point.credentials, 'pid')]) rmSync(path, { force: true });
  const environment = point.configure(knobs, program.hidden);
  const [command, ...args] = program.command;
  const began = performance.now();
  const child = start(command, args, environment);
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-10_000)));
  const { pid = 0 } = child;
  while (!existsSync(complete)) {
    if (child.exitCode !== null || child.signalCode !== null)
      throw new Error(`${program.name} ended before CREDMON_COMPLETE:\n${output}`);
    if (performance.now() - began > START_LIMIT)
      throw new Error(`${program.name} did not write CREDMON_COMPLETE:\n${output}`);
    await rest(1);
  }
  const startSeconds = (performance.now() - began) / 1000;
  const usage = (): Usage => usageOf(pid);
  return {
    pid,
    child,
    dueAfter: program.countsFromChange ? 1200 : 0,
    startSeconds,
    atComplete: usage(),
    usage,
    hup: () => void child.kill('SIGHUP'),
    pause: () => signalGroup(child, 'SIGSTOP'),
    resume: () => signalGroup(child, 'SIGCONT'),
    settled: () => settled(pid),
    stop: () => end(child),
  };
}
