// Checks what the daemon needs on this host: its log, condor_master's list of daemons, the
// portal's address, the sites' token programs, and an HTCondor of a version that knows
// what the configuration uses.
import table from './condor-versions.json' with { type: 'json' };
import { EXIT_LOG } from '../command-line/exit-codes.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { checkProgram } from '../host/exec-program.ts';
import type { Settings } from '../settings/read.ts';
import { findProgram } from '../storer/programs.ts';
import { isHidden, unseen, type Check, type CheckContext } from './context.ts';
import {
  type Finding,
  clearAddressText,
  messageOf,
  ok,
  readSafely,
  systemCode,
  warning,
  wrong,
  runFile,
} from '@credmon/core/base';
import { type Config, createKnobReader, findUser, originText } from '@credmon/core/config';
import {
  checkAuditLog,
  checkLogFile,
  PORTAL_AUDIT_KNOB,
  PORTAL_AUDIT_LINE,
} from '@credmon/core/log';
import { constants, realpathSync, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** Checks whether the log file can be opened or created. Writes nothing. */
export function checkLog(settings: Settings): Finding {
  const { path } = settings.log;
  if (path === undefined) return warning('log', 'disabled: neither LOG nor a log file is set');
  if (isUnwritable(path, settings)) return unseen('log', path);
  return checkLogFile(path, `the daemon would end with exit code ${EXIT_LOG}`);
}

/** True if the daemon may write a file, but not this process. */
const isUnwritable = (path: string, settings: Settings): boolean =>
  [path, dirname(path)].some((one) => isHidden(one, settings, constants.W_OK));

/** Checks the audit log, if there is one. */
export function checkAudit({
  config,
  settings,
}: Pick<CheckContext, 'config' | 'settings'>): readonly Finding[] {
  const { audit } = settings.log;
  if (audit === undefined) return [];
  if (isUnwritable(audit.path, settings)) return [unseen('audit log', audit.path)];
  const [uid, portal] = [process.geteuid?.(), (settings.condorIds ?? findUser('condor'))?.uid];
  const isShared =
    settings.clients.size > 0 &&
    portal !== undefined &&
    portal !== uid &&
    config.get(PORTAL_AUDIT_KNOB) === undefined;
  const text =
    'the portal writes to the same file as another user, and one of the two cannot write; ' +
    `fix: ${PORTAL_AUDIT_LINE}`;
  return [
    ...checkAuditLog(audit.path, { credentialDirectory: settings.credDir, owners: [uid, portal] }),
    ...(isShared ? [warning('audit log', text)] : []),
  ];
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
  if (file.kind === 'hidden') return unseen(MASTER, `${name} = ${path}`);
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

const WHAT = 'HTCondor';

/** What the configuration uses that HTCondor must know, too. */
export type Use = 'all' | 'local' | 'storer' | 'vault' | 'pelican' | 'special names';

/** Something of HTCondor that not every version has. */
export interface CondorFeature {
  readonly name: string;
  /** The first version known to have it. */
  readonly since: string;
  /** The last version seen without it; default: every version before `since` lacks it. */
  readonly absent?: string;
  /** For which use of credmon it matters. */
  readonly for: string;
  readonly lacking: string;
  readonly instead: string;
  readonly source: string;
}

/** What is known of HTCondor's versions; docs/htcondor-versions.md is made from it. */
export const CONDOR_VERSIONS: {
  readonly measured: readonly string[];
  readonly oldest: string;
  readonly features: readonly CondorFeature[];
} = table;

/** Time limit of condor_version, in milliseconds. */
const TIMEOUT = 5000;

/** Returns the version in the output of condor_version. */
export function versionIn(output: string): string | undefined {
  return /\$CondorVersion:\s+(\d+\.\d+\.\d+)\b/.exec(output)?.[1];
}

/** Returns a negative number if the first version is older, 0 if they are equal. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((text) => text.split('.').map(Number));
  for (const index of [0, 1, 2]) {
    const difference = (left?.[index] ?? 0) - (right?.[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

/** Returns what the version lacks of what is used; where only ranges are known, perhaps. */
export function versionFindings(version: string, uses: ReadonlySet<string>): Finding[] {
  const { measured, oldest, features } = CONDOR_VERSIONS;
  const isMeasured = measured.includes(version);
  const tested = `tested with HTCondor ${measured.join(' and ')}`;
  const first = ok(
    WHAT,
    isMeasured ? `${version} is installed` : `${version} is installed; ${tested}`,
  );
  const missing = features.filter(
    (one) => uses.has(one.for) && compareVersions(version, one.since) < 0,
  );
  const rest = missing.map((one) => {
    const certain = one.absent === undefined || compareVersions(version, one.absent) <= 0;
    const lacks = certain ? 'has no' : 'may have no';
    const text = `${version} ${lacks} ${one.name}: ${one.lacking}; ${insteadOf(one)}`;
    if (compareVersions(version, oldest) < 0 && one.for === 'all') return wrong(WHAT, text);
    return isHarmless(one) ? ok(WHAT, text) : warning(WHAT, text);
  });
  return [first, ...rest];
}

const isHarmless = ({ instead }: CondorFeature): boolean => instead.startsWith('nothing');

function insteadOf(feature: CondorFeature): string {
  const { instead } = feature;
  return isHarmless(feature) ? instead.replace(/^nothing: /, '') : `fix: ${instead}`;
}

/** Returns what a configuration uses of HTCondor. */
export function usesOf(settings: Settings, storer: string | undefined): ReadonlySet<Use> {
  const { local, lists, vaultEnabled } = settings;
  const isOurs = storer !== undefined && basename(storer) === 'condor_credential_storer';
  const uses: readonly (readonly [Use, boolean])[] = [
    ['all', true],
    ['local', local.explicit || lists.client.length > 0],
    ['storer', isOurs],
    ['vault', vaultEnabled && lists.vault !== '*' && lists.vault.length > 0],
    ['pelican', lists.pelican.length > 0],
    ['special names', lists.specialNames],
  ];
  return new Set(uses.flatMap(([use, isUsed]) => (isUsed ? [use] : [])));
}

/**
 * Runs condor_version of PATH, else of $(BIN) and $(SBIN), and judges its version. Finds
 * nothing on a host without HTCondor, such as that of a portal.
 */
export async function checkCondorVersion(
  { config, settings }: Pick<CheckContext, 'config' | 'settings'>,
  path: string,
): Promise<Finding[]> {
  const folders = [config.get('BIN'), config.get('SBIN')].filter((one) => one !== undefined);
  const program = findProgram('condor_version', path, folders);
  if (program === undefined) return [];
  const output = await outputOf(program);
  if (typeof output !== 'string') return [warning(WHAT, `cannot run ${program} (${output.why})`)];
  const version = versionIn(output);
  if (version === undefined) return [warning(WHAT, `${program} prints no version`)];
  return versionFindings(version, usesOf(settings, config.get('SEC_CREDENTIAL_STORER')));
}

function outputOf(program: string): Promise<string | { readonly why: string }> {
  const options = { encoding: 'utf8', timeout: TIMEOUT, killSignal: 'SIGKILL' } as const;
  return new Promise((resolve) => {
    runFile(program, [], options, (error, output) => {
      if (error === null) resolve(output);
      else resolve({ why: error.killed === true ? 'timed out' : `exit code ${error.code ?? '?'}` });
    });
  });
}
