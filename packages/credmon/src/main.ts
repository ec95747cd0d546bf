// The executable condor_credmon: command line, exit code, and fatal errors.
import { spawnSync } from 'node:child_process';
import {
  isTerminal,
  messageOf,
  STDERR,
  STDOUT,
  lookUpByProgram,
  writeOutput,
  printable,
  wantsColour,
} from '@credmon/core/base';
import { plainCommand, type Command, type DaemonCommand } from './command-line/command.ts';
import { exitCodeOf } from './command-line/exit-codes.ts';
import type { startError } from './commands/daemon.ts';
import type { StatusOutput } from './commands/status.ts';
import type { Logger } from '@credmon/core/log';
import { holdHangup } from './daemon/signals.ts';
import { VERSION } from './version.ts';

const underMaster = process.env['CONDOR_INHERIT'] !== undefined;
let log: Logger | undefined;

const print = (text: string): void => void writeOutput(STDOUT, `${text}\n`);
/** Prints text that users and issuers may have written. */
const printSafely = (text: string): void => print(printable(text));
const printError = (text: string): void => void writeOutput(STDERR, `${printable(text)}\n`);

/** A command that prints again and again ends when its reader is gone. */
function statusOutput(isWatching: boolean): StatusOutput {
  const toTerminal = isTerminal(STDOUT);
  return {
    stdout: (text) => {
      if (!writeOutput(STDOUT, `${printable(text)}\n`) && isWatching) process.exit(0);
    },
    stderr: printError,
    get width() {
      // The first use of process.stdout loads the modules of the network.
      if (!toTerminal) return undefined;
      // A terminal that does not know its size has 0 columns.
      return process.stdout.columns > 0 ? process.stdout.columns : undefined;
    },
    // Cursor to the first line, and erase to the end (ECMA-48, CUP and ED).
    clear: toTerminal ? () => writeOutput(STDOUT, '\u001B[H\u001B[J') : undefined,
  };
}

/** Each command loads only the modules that it needs. */
async function run(command: Command): Promise<number> {
  const { env } = process;
  switch (command.kind) {
    case 'text':
      writeOutput(command.toStderr ? STDERR : STDOUT, `${command.text}\n`);
      return command.exitCode;
    case 'status': {
      const { runStatusCommand } = await import('./commands/status.ts');
      return runStatusCommand(command, env, statusOutput(command.watch !== undefined));
    }
    case 'explain': {
      const { runExplainCommand } = await import('./commands/explain.ts');
      return runExplainCommand(command, env, { stdout: printSafely });
    }
    case 'init': {
      const { runInitCommand } = await import('./commands/init.ts');
      const { findPerson } = await import('./host/questions.ts');
      const program = process.argv[1] ?? '';
      const output = { stdout: printSafely, stderr: printError, person: findPerson(), program };
      return runInitCommand(command, env, output);
    }
    case 'check': {
      const { runCheckCommand } = await import('./commands/check.ts');
      return runCheckCommand(command, env, print, wantsColour(isTerminal(STDOUT), env));
    }
    case 'migrate': {
      const { runMigrateCommand } = await import('./commands/check.ts');
      return runMigrateCommand(command, printSafely);
    }
    case 'usable': {
      const { runUsableCommand } = await import('./commands/usable.ts');
      return runUsableCommand(command, env, printError);
    }
    case 'renew': {
      const { runRenewCommand } = await import('./commands/renew.ts');
      return runRenewCommand(command, env, { stdout: printSafely, stderr: printError });
    }
    case 'revoke': {
      const { runRevokeCommand } = await import('./commands/revoke.ts');
      const { findPerson } = await import('./host/questions.ts');
      const output = { stdout: printSafely, stderr: printError, person: findPerson() };
      return runRevokeCommand(command, env, output);
    }
    case 'daemon': {
      const heldHangup = holdHangup();
      const { runDaemonCommand } = await import('./commands/daemon.ts');
      const opened = (logger: Logger): void => {
        log = logger;
      };
      return runDaemonCommand(command, env, opened, heldHangup);
    }
    default:
      return runSourceCommand(command, env);
  }
}

/** The commands about where tokens come from, and about the configuration. */
async function runSourceCommand(
  command: Extract<Command, { kind: `${'keys' | 'standing' | 'config'}-${string}` | 'token' }>,
  env: NodeJS.ProcessEnv,
): Promise<number> {
  switch (command.kind) {
    case 'keys-list':
    case 'keys-rotate':
    case 'keys-publish': {
      const { runKeysCommand } = await import('./commands/keys.ts');
      return runKeysCommand(command, env, { stdout: print, stderr: printError });
    }
    case 'standing-login': {
      const { runStandingLogin } = await import('./commands/standing.ts');
      const { findTerminal } = await import('./storer/device-login.ts');
      const locale = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? '';
      const unicode = /utf-?8/i.test(locale);
      const output = { stdout: printSafely, stderr: printError, terminal: findTerminal(), unicode };
      return runStandingLogin(command, env, output);
    }
    case 'standing-list': {
      const { runStandingList } = await import('./commands/standing.ts');
      return runStandingList(command, env, { stdout: printSafely, stderr: printError });
    }
    case 'token': {
      const { realCaller, runTokenCommand } = await import('./commands/token.ts');
      const output = { stdout: print, stderr: printError, caller: realCaller() };
      return runTokenCommand(command, env, { ...output, isTerminal: isTerminal(STDOUT) });
    }
    case 'config-dump': {
      const { runConfigDump } = await import('./commands/config.ts');
      return runConfigDump(command, env, print);
    }
    case 'config-get': {
      const { runConfigGet } = await import('./commands/config.ts');
      return runConfigGet(command, env, print, printError);
    }
  }
}

/**
 * Reports a fatal error on standard error, and in the log or syslog, because
 * condor_master connects standard error to /dev/null.
 */
async function reportFatal(error: unknown, command: Command | undefined): Promise<void> {
  if (log || command?.kind !== 'daemon' || !(error instanceof Error)) {
    const text = messageOf(error);
    printError(`condor_credmon: ${text}`);
    if (log) return log.error(text);
    return toSyslog(text);
  }
  const { lines, log: opened } = await startErrorOf(error, command);
  printError(`condor_credmon: ${lines.join('\n')}`);
  if (!opened) return toSyslog(lines.join('\n'));
  for (const line of lines) opened.error(line);
  opened.close();
}

async function startErrorOf(error: Error, command: DaemonCommand): ReturnType<typeof startError> {
  try {
    const { startError } = await import('./commands/daemon.ts');
    return await startError(error, command, process.env);
  } catch {
    // Reading the configuration again may fail, too: report the first error.
    return { lines: [error.message], log: undefined };
  }
}

function toSyslog(text: string): void {
  if (underMaster)
    spawnSync('logger', ['-t', 'condor_credmon', '-p', 'daemon.err', '--', text], {
      stdio: 'ignore',
    });
}

async function commandOf(argv: readonly string[]): Promise<Command> {
  const plain = plainCommand(argv, VERSION);
  if (plain) return plain;
  const { parseArguments } = await import('./command-line/arguments.ts');
  return parseArguments(argv, VERSION);
}

async function main(): Promise<number> {
  let command: Command | undefined;
  try {
    command = await commandOf(process.argv.slice(2));
    return await run(command);
  } catch (error) {
    await reportFatal(error, command);
    return exitCodeOf(error, underMaster);
  }
}

// The bundle is not a module and has no top-level await. Open connections or name
// look-ups must not delay the exit.
lookUpByProgram();
void main().then((code) => process.exit(code));
