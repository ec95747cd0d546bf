// Checks what the daemon needs on this host: its log, condor_master's list of daemons, the
// portal's address, and the sites' token programs.
import { realpathSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import {
  clearAddressText,
  messageOf,
  ok,
  readSafely,
  systemCode,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { createKnobReader, originText, type Config } from '@credmon/core/config';
import { checkLogFile } from '@credmon/core/log';
import { EXIT_LOG } from '../command-line/exit-codes.ts';
import type { Settings } from '../settings/read.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { checkProgram } from '../host/run-program.ts';
import type { CheckContext, Check } from './context.ts';

const WHAT = 'log';

/** Checks whether the log file can be opened or created. Writes nothing. */
export function checkLog({ log }: Settings): Finding {
  const { path } = log;
  if (path === undefined) return warning(WHAT, 'disabled: neither LOG nor a log file is set');
  return checkLogFile(path, `the daemon would end with exit code ${EXIT_LOG}`);
}

// Checks the sites' token programs without starting them.

/** Returns one check for each program. */
export function programChecks({ settings }: CheckContext): Check[] {
  return settings.tokenPrograms.map(({ name, command, seconds }) => {
    const what = `${name} (token program)`;
    const doing = ok(what, `runs ${command} for each token, for at most ${seconds} s`);
    return {
      what,
      run: () => {
        try {
          checkProgram({ name, command });
          return [doing];
        } catch (error) {
          return [doing, wrong(what, messageOf(error))];
        }
      },
    };
  });
}

// Checks what condor_master starts.

const MASTER = 'condor_master';

/** The names of the daemon: that of HTCondor, and that of scitokens-credmon. */
const NAMES = ['CREDMON_OAUTH', 'SEC_CREDENTIAL_MONITOR'] as const;

/**
 * Checks DAEMON_LIST, if the configuration sets it, and CREDMON_OAUTH. `program` is the
 * path of this program.
 */
export function checkDaemons(
  { config, settings }: Pick<CheckContext, 'config' | 'settings'>,
  program: string,
): Finding[] {
  const origin = config.origin('DAEMON_LIST');
  if (origin === undefined || origin.kind === 'default') return [];
  const place = originText(origin);
  const daemons = new Set((config.get('DAEMON_LIST') ?? '').toUpperCase().split(/[\s,]+/));
  const credd = isOnlyStanding(settings) ? [] : checkCredd(config, daemons, place);
  const name = NAMES.find((one) => daemons.has(one));
  if (name !== undefined) return [...credd, checkOwnProgram(config, name, program)];
  if (runningDaemon(settings.credDir) !== undefined) return credd;
  const text =
    `${place}: DAEMON_LIST has no CREDMON_OAUTH: condor_master does not start condor_credmon; ` +
    'fix: DAEMON_LIST = $(DAEMON_LIST) CREDMON_OAUTH';
  return [...credd, warning(MASTER, text)];
}

/** Standing tokens need no CredD. */
function isOnlyStanding(settings: Settings): boolean {
  const { clients, lists, local, standing, tokenClients, vaultEnabled } = settings;
  return (
    standing.length > 0 &&
    clients.size === 0 &&
    !local.explicit &&
    !vaultEnabled &&
    lists.exec.length === 0 &&
    tokenClients.every(({ name }) => !lists.client.includes(name))
  );
}

/** @see AUTO_INCLUDE_CREDD_IN_DAEMON_LIST: condor_master adds CREDD only beside SCHEDD */
function checkCredd(config: Config, daemons: ReadonlySet<string>, place: string): Finding[] {
  if (daemons.has('CREDD')) return [];
  const read = createKnobReader(config);
  if (read.boolean('AUTO_INCLUDE_CREDD_IN_DAEMON_LIST') && daemons.has('SCHEDD')) return [];
  const text =
    `${place}: DAEMON_LIST has no CREDD: condor_submit cannot store credentials on this host; ` +
    'fix: DAEMON_LIST = $(DAEMON_LIST) CREDD';
  return [warning(MASTER, text)];
}

/** Checks whether the knob `name` is this program, by path or, for another copy, by name. */
function checkOwnProgram(config: Config, name: string, program: string): Finding {
  const path =
    (name === 'CREDMON_OAUTH'
      ? config.get('CREDMON_OAUTH')
      : config.get('SEC_CREDENTIAL_MONITOR')) ?? '';
  const own = basename(program).startsWith('condor_credmon') ? program : '/path/to/condor_credmon';
  const fix = `; fix: ${name} = ${own}`;
  const file = fileBehind(path);
  if (file.kind === 'hidden')
    return warning(MASTER, `permission denied: cannot check ${name} = ${path} as this user`);
  if (file.kind === 'broken')
    return wrong(MASTER, `cannot start ${name} = ${path} (${file.why})${fix}`);
  const isOwn = file.path === fileBehind(program).path || basename(file.path) === OWN_FILE;
  if (isOwn || file.text.includes(OWN_FILE)) return ok(MASTER, `starts ${path}`);
  const what = /^#!.*python/.test(file.text)
    ? "a Python program such as HTCondor's own, not this one"
    : 'not this program';
  return warning(MASTER, `${name} = ${path} is ${what}${fix}`);
}

/** A program behind all links, with its text if it is one. */
type ProgramFile =
  | { readonly kind: 'program'; readonly path: string; readonly text: string }
  | { readonly kind: 'broken'; readonly path?: undefined; readonly why: string }
  /** condor_master runs as root and may see what this user does not. */
  | { readonly kind: 'hidden'; readonly path?: undefined };

function fileBehind(link: string): ProgramFile {
  try {
    const path = realpathSync(link);
    const { mode } = statSync(path);
    if ((mode & 0o111) === 0) return { kind: 'broken', why: 'not executable' };
    const reading = readSafely(path);
    return { kind: 'program', path, text: reading.kind === 'text' ? reading.text : '' };
  } catch (error) {
    const why = systemCode(error);
    if (why === undefined) throw error;
    return why === 'EACCES' ? { kind: 'hidden' } : { kind: 'broken', why };
  }
}

/** The file of the installed program, behind all its names. */
const OWN_FILE = 'condor_credmon.cjs';

/** Warns about a portal that other hosts reach without TLS. */
export function checkPortal({ config }: Pick<CheckContext, 'config'>): Finding[] {
  const [name, own] = ['CREDMON_WEB_LISTEN', 'CREDMON_WEB.'];
  const listen = config.get(own + name) ?? config.get(name);
  const text = listen === undefined ? undefined : clearAddressText(listen);
  return text === undefined ? [] : [warning('web portal', text)];
}
