// The executable condor_credential_storer: command line, environment, terminal and exit
// code.
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
} from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { EXIT_FAILED, EXIT_USAGE } from '../command-line/exit-codes.ts';
import { VERSION } from '../version.ts';
import {
  parseStorerArguments,
  type StorerCommand,
  processName,
  startedBySubmit,
} from './arguments.ts';
import { findProgram, runProgram, createStoreCred } from './programs.ts';
import { readStorerSettings } from './settings.ts';
import { storeAll } from './store.ts';
import { findTerminal } from './device-login.ts';

const { env } = process;

/** Splits an option knob or variable into words. */
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
  const storerMode = env['CONDOR_CREDENTIAL_STORER_MODE']?.toLowerCase();
  const bySubmit = startedBySubmit(storerMode, processName(process.ppid));
  const locale = env['LC_ALL'] ?? env['LC_CTYPE'] ?? env['LANG'] ?? '';
  const context = {
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
    // HTCondor before 25.14 does not say which kind it needs; with Vault options it is a
    // Vault.
    mode: storerMode ?? (bySubmit && settings.getTokenOptions !== '' ? 'vault' : undefined),
    bySubmit,
    storesAlone: bySubmit && storerMode === undefined,
    say,
  };
  try {
    await storeAll(context, requests, settings, force);
  } finally {
    await close();
  }
}

async function main(): Promise<number> {
  try {
    const command = parseStorerArguments(process.argv.slice(2), VERSION);
    if (command.kind === 'text') writeOutput(STDOUT, `${command.text}\n`);
    else await store(command);
    return 0;
  } catch (error) {
    writeOutput(STDERR, `condor_credential_storer: ${messageOf(error)}\n`);
    return isCoded(error, 'USAGE') ? EXIT_USAGE : EXIT_FAILED;
  }
}

lookUpByProgram();
// Open connections or name look-ups must not delay the exit.
void main().then((exitCode) => process.exit(exitCode));
