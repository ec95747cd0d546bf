// The executable condor_credmon: command line in, exit code out, and every fatal error said where somebody will see it.
import { spawnSync } from 'node:child_process';
import { isatty } from 'node:tty';
import { messageOf } from '@credmon/core';
import { STDERR, STDOUT, writeOutput } from '@credmon/core/base';
import { parseArguments } from './args.ts';
import { runCheckCommand } from './cli/check.ts';
import { runConfigDump, runConfigGet } from './cli/config.ts';
import { runDaemonCommand } from './cli/daemon.ts';
import { runKeysCommand } from './cli/keys.ts';
import { runRevokeCommand } from './cli/revoke.ts';
import { runStatusCommand } from './cli/status.ts';
import { runUsableCommand } from './cli/usable.ts';
import type { Command } from './command.ts';
import { exitCodeOf } from './exit-code.ts';
import { DEFAULT_STYLE, openLog, type Logger } from '@credmon/core/log';
import { printable } from './printable.ts';
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

/** Standard error is for people; condor_master ties it to /dev/null, so the log, `-l` or at last syslog must know too. */
function complain(error: unknown, command: Command | undefined): void {
  const text = messageOf(error);
  say(`condor_credmon: ${text}`);
  if (log) return log.error(text);
  const logFile = command?.kind === 'daemon' ? command.logFile : undefined;
  if (logFile !== undefined && complainTo(logFile, text)) return;
  if (underMaster)
    spawnSync('logger', ['-t', 'condor_credmon', '-p', 'daemon.err', '--', text], { stdio: 'ignore' });
}

function complainTo(path: string, text: string): boolean {
  const options = {
    path,
    stderr: false,
    debug: false,
    maxBytes: 0,
    maxSeconds: 0,
    maxSaved: 1,
    truncate: false,
    mode: 0o644,
    style: DEFAULT_STYLE,
  };
  try {
    openLog(options).error(text);
    return true;
  } catch (error) {
    writeOutput(STDERR, `condor_credmon: ${messageOf(error)}\n`);
    return false;
  }
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

// The bundle is not a module and cannot wait at its top. What is still open, such as a connection or a name look-up, must not delay the end.
void main().then((code) => process.exit(code));
