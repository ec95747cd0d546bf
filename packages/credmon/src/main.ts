// The executable condor_credmon: command line in, exit code out, and every fatal error
// said where somebody will see it.
import { spawnSync } from 'node:child_process';
import { isatty } from 'node:tty';
import { messageOf, STDERR, STDOUT, lookUpByProgram, writeOutput } from '@credmon/core/base';
import { parseArguments } from './command-line/arguments.ts';
import { exitCodeOf, printable } from './command-line/errors.ts';
import type { StartError } from './commands/start-error.ts';
import type { Command, DaemonCommand } from './command-line/command.ts';
import type { Logger } from '@credmon/core/log';
import { holdHangup } from './daemon/signals.ts';
import { VERSION } from './version.ts';

const underMaster = process.env['CONDOR_INHERIT'] !== undefined;
let log: Logger | undefined;

const print = (text: string): void => writeOutput(STDOUT, `${text}\n`);
/** For what users and issuers may have written. */
const show = (text: string): void => print(printable(text));
const say = (text: string): void => writeOutput(STDERR, `${printable(text)}\n`);

/** Each command loads only what it needs. */
async function run(command: Command): Promise<number> {
  const { env } = process;
  switch (command.kind) {
    case 'text':
      writeOutput(command.toStderr ? STDERR : STDOUT, `${command.text}\n`);
      return command.exitCode;
    case 'status': {
      const { runStatusCommand } = await import('./commands/status.ts');
      const width = isatty(STDOUT) ? process.stdout.columns : undefined;
      return runStatusCommand(command, env, { print: show, complain: say, width });
    }
    case 'check': {
      const { runCheckCommand } = await import('./commands/check.ts');
      return runCheckCommand(command, env, show);
    }
    case 'usable': {
      const { runUsableCommand } = await import('./commands/usable.ts');
      return runUsableCommand(command, env, say);
    }
    case 'revoke': {
      const { runRevokeCommand } = await import('./commands/revoke.ts');
      return runRevokeCommand(command, env, { print: show, complain: say });
    }
    case 'keys-list':
    case 'keys-rotate':
    case 'keys-publish': {
      const { runKeysCommand } = await import('./commands/keys.ts');
      return runKeysCommand(command, env, { print, complain: say });
    }
    case 'config-dump': {
      const { runConfigDump } = await import('./commands/config.ts');
      return runConfigDump(command, env, print);
    }
    case 'config-get': {
      const { runConfigGet } = await import('./commands/config.ts');
      return runConfigGet(command, env, print, say);
    }
    case 'daemon': {
      const heldHangup = holdHangup();
      const { runDaemonCommand } = await import('./commands/daemon.ts');
      const opened = (logger: Logger): void => {
        log = logger;
      };
      return runDaemonCommand(command, env, opened, heldHangup);
    }
  }
}

/**
 * Standard error is for people; condor_master ties it to /dev/null, so the log, or at
 * last syslog, gets every line too.
 */
async function complain(error: unknown, command: Command | undefined): Promise<void> {
  if (log || command?.kind !== 'daemon' || !(error instanceof Error)) {
    const text = messageOf(error);
    say(`condor_credmon: ${text}`);
    if (log) return log.error(text);
    return toSyslog(text);
  }
  const { lines, log: opened } = await startErrorOf(error, command);
  say(`condor_credmon: ${lines.join('\n')}`);
  if (!opened) return toSyslog(lines.join('\n'));
  for (const line of lines) opened.error(line);
  opened.close();
}

async function startErrorOf(error: Error, command: DaemonCommand): Promise<StartError> {
  try {
    const { startError } = await import('./commands/start-error.ts');
    return await startError(error, command, process.env);
  } catch {
    // What ended the first reading in an unforeseen way may end the second one, too: the
    // first error is the one to report.
    return { lines: [error.message], log: undefined };
  }
}

function toSyslog(text: string): void {
  if (underMaster)
    spawnSync('logger', ['-t', 'condor_credmon', '-p', 'daemon.err', '--', text], {
      stdio: 'ignore',
    });
}

async function main(): Promise<number> {
  let command: Command | undefined;
  try {
    command = await parseArguments(process.argv.slice(2), VERSION);
    return await run(command);
  } catch (error) {
    await complain(error, command);
    return exitCodeOf(error, underMaster);
  }
}

// The bundle is not a module and cannot wait at its top. What is still open, such as a
// connection or a name look-up, must not delay the end.
lookUpByProgram();
void main().then((code) => process.exit(code));
