// The executable condor_credmon: command line in, exit code out, and every fatal error
// said where somebody will see it.
import { spawnSync } from 'node:child_process';
import { isatty } from 'node:tty';
import { messageOf, STDERR, STDOUT, lookUpByProgram, writeOutput } from '@credmon/core/base';
import { parseArguments } from './command-line/arguments.ts';
import { runCheckCommand } from './commands/check.ts';
import { runConfigDump, runConfigGet } from './commands/config.ts';
import { runDaemonCommand } from './commands/daemon.ts';
import { runKeysCommand } from './commands/keys.ts';
import { runRevokeCommand } from './commands/revoke.ts';
import { startError, type StartError, exitCodeOf, printable } from './command-line/errors.ts';
import { runStatusCommand } from './commands/status.ts';
import { runUsableCommand } from './commands/usable.ts';
import type { Command, DaemonCommand } from './command-line/command.ts';
import type { Logger } from '@credmon/core/log';
import { VERSION } from './version.ts';

const underMaster = process.env['CONDOR_INHERIT'] !== undefined;
let log: Logger | undefined;

const print = (text: string): void => writeOutput(STDOUT, `${text}\n`);
/** For what users and issuers may have written. */
const show = (text: string): void => print(printable(text));
const say = (text: string): void => writeOutput(STDERR, `${printable(text)}\n`);

async function run(command: Command): Promise<number> {
  switch (command.kind) {
    case 'text':
      writeOutput(command.toStderr ? STDERR : STDOUT, `${command.text}\n`);
      return command.exitCode;
    case 'status':
      return runStatusCommand(command, process.env, {
        print: show,
        complain: say,
        width: isatty(STDOUT) ? process.stdout.columns : undefined,
      });
    case 'check':
      return runCheckCommand(command, process.env, show);
    case 'usable':
      return runUsableCommand(command, process.env, say);
    case 'revoke':
      return runRevokeCommand(command, process.env, { print: show, complain: say });
    case 'keys-list':
    case 'keys-rotate':
    case 'keys-publish':
      return runKeysCommand(command, process.env, { print, complain: say });
    case 'config-dump':
      return runConfigDump(command, process.env, print);
    case 'config-get':
      return runConfigGet(command, process.env, print, say);
    case 'daemon':
      return runDaemonCommand(command, process.env, (opened) => {
        log = opened;
      });
  }
}

/**
 * Standard error is for people; condor_master ties it to /dev/null, so the log, or at
 * last syslog, gets every line too.
 */
function complain(error: unknown, command: Command | undefined): void {
  if (log || command?.kind !== 'daemon' || !(error instanceof Error)) {
    const text = messageOf(error);
    say(`condor_credmon: ${text}`);
    if (log) return log.error(text);
    return toSyslog(text);
  }
  const { lines, log: opened } = startErrorOf(error, command);
  say(`condor_credmon: ${lines.join('\n')}`);
  if (!opened) return toSyslog(lines.join('\n'));
  for (const line of lines) opened.error(line);
  opened.close();
}

function startErrorOf(error: Error, command: DaemonCommand): StartError {
  try {
    return startError(error, command, process.env);
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
    complain(error, command);
    return exitCodeOf(error, underMaster);
  }
}

// The bundle is not a module and cannot wait at its top. What is still open, such as a
// connection or a name look-up, must not delay the end.
lookUpByProgram();
void main().then((code) => process.exit(code));
