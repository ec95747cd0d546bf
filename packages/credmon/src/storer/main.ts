// The executable condor_credential_storer: command line, environment and terminal in,
// exit code out.
import {
  createSend,
  createTrust,
  isCoded,
  messageOf,
  systemClock,
  STDERR,
  STDOUT,
  lookUpByProgram,
  writeOutput,
  systemCode,
} from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { EXIT_FAILED, EXIT_USAGE } from '../command-line/errors.ts';
import { VERSION } from '../version.ts';
import { parseStorerArguments, type StorerCommand } from './arguments.ts';
import { findProgram, runProgram } from './programs.ts';
import { readStorerSettings } from './settings.ts';
import { createStoreCred } from './store-cred.ts';
import { storeAll } from './store.ts';
import { findTerminal } from './terminal.ts';
import { readFileSync } from 'node:fs';

const { env } = process;

/** The words of an option knob or variable. */
function words(text: string | undefined): string[] {
  return (text ?? '').split(/\s+/).filter((word) => word !== '');
}

async function store(command: StorerCommand): Promise<void> {
  const { configFile, requests, force } = command;
  const config = loadConfig({
    subsystem: 'TOOL',
    env: configFile === undefined ? env : { ...env, CONDOR_CONFIG: configFile },
  });
  const settings = readStorerSettings(config);
  const say = (text: string): void => {
    if (command.verbose || settings.verbose)
      writeOutput(STDERR, `condor_credential_storer: ${text}\n`);
  };
  const trust = createTrust({ named: () => settings.namedTrust, trouble: say });
  const { send, close } = createSend({ ...settings.limits, trust });
  const terminal = findTerminal();
  const stderr = terminal?.descriptor ?? STDERR;
  const user = env['CONDOR_VAULT_STORER_USER'];
  const options = [
    ...words(env['SEC_CREDENTIAL_STORECRED_OPTS']),
    ...(user === undefined ? [] : ['-u', user]),
  ];
  const said = env['CONDOR_CREDENTIAL_STORER_MODE']?.toLowerCase();
  const bySubmit = startedBySubmit(said, processName(process.ppid));
  const locale = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? '';
  const world = {
    send,
    clock: systemClock,
    terminal,
    stderr,
    run: runProgram,
    storeCred: createStoreCred(runProgram, options, stderr, {
      path: findProgram('condor_store_cred', env['PATH'] ?? '', settings.programFolders),
      searched: settings.programFolders,
    }),
    unicode: /utf-?8/i.test(locale),
    // HTCondor before 25.14 does not say for which kind it calls, and means a Vault where
    // there is one.
    mode: said ?? (bySubmit && settings.getTokenOptions !== '' ? 'vault' : undefined),
    bySubmit,
    say,
  };
  try {
    await storeAll(world, requests, settings, force);
  } finally {
    await close();
  }
}

lookUpByProgram();
let exitCode = 0;
try {
  const command = parseStorerArguments(process.argv.slice(2), VERSION);
  if (command.kind === 'text') writeOutput(STDOUT, `${command.text}\n`);
  else await store(command);
} catch (error) {
  writeOutput(STDERR, `condor_credential_storer: ${messageOf(error)}\n`);
  exitCode = isCoded(error, 'USAGE') ? EXIT_USAGE : EXIT_FAILED;
}
// What is still open, such as a name look-up, must not delay the end.
process.exit(exitCode);

// Who started the storer: condor_submit, which passes names that are not for it, or a
// person.

/**
 * True when condor_submit started the storer, itself or through DAGMan, the `htcondor`
 * command or HTCondor's Python modules. Since HTCondor 25.14 `mode`
 * (CONDOR_CREDENTIAL_STORER_MODE) says so; before, only the name of the parent process
 * does.
 */
export function startedBySubmit(mode: string | undefined, parent: string): boolean {
  return mode !== undefined || /^(condor_|htcondor|python)/.test(parent);
}

/**
 * The name of a process, as the kernel keeps it (at most 15 characters); empty where it
 * cannot be read.
 */
function processName(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/comm`, 'utf8').trim();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return '';
  }
}
