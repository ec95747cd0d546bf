// The executable condor_credmon: command line in, exit code out, and every fatal error said where somebody will see it.
import { spawnSync } from 'node:child_process';
import { messageOf } from '@credmon/core';
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

const print = (text: string): void => void process.stdout.write(`${text}\n`);
/** For what users and issuers may have written. */
const show = (text: string): void => print(printable(text));
const say = (text: string): void => void process.stderr.write(`${printable(text)}\n`);

async function run(command: Command): Promise<number> {
  switch (command.kind) {
    case 'text':
      (command.toStderr ? process.stderr : process.stdout).write(`${command.text}\n`);
      return command.exitCode;
    case 'status':
      return runStatusCommand(command, process.env, {
        print: show,
        complain: say,
        width: process.stdout.columns,
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
    process.stderr.write(`condor_credmon: ${messageOf(error)}\n`);
    return false;
  }
}

async function main(): Promise<void> {
  let command: Command | undefined;
  try {
    command = await parseArguments(process.argv.slice(2), VERSION);
    process.exitCode = await run(command);
  } catch (error) {
    complain(error, command);
    process.exitCode = exitCodeOf(error, underMaster);
  }
}

// The bundle is no module, and cannot wait at its top.
void main();
