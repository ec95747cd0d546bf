// The check command: checks what the daemon needs, sends only harmless requests to
// issuers, and changes nothing. And `check --migrate FILE...`: prints the configuration
// that replaces an older credmon's; reads these files only and runs no command in them.
import { clientChecks, checkConfig, mistakesOf } from '../checks/config.ts';
import { type Check, type CheckContext, createCheckContext, runChecks } from '../checks/context.ts';
import {
  checkCondorVersion,
  checkDaemons,
  checkAudit,
  checkLog,
  checkPortal,
  programChecks,
} from '../checks/installation.ts';
import { checkClocks, checkTrust } from '../checks/issuer.ts';
import { localChecks } from '../checks/local.ts';
import { loginChecks } from '../checks/logins.ts';
import { checkTokenGroup, checkUserView } from '../host/run-directory.ts';
import { checkTokens, standingChecks, standingFailures } from '../checks/tokens.ts';
import { vaultChecks } from '../checks/vault.ts';
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { wsgiPortalIn } from '../migrate/knobs.ts';
import { newConfiguration } from '../migrate/new-configuration.ts';
import { programFolder } from '../settings/read.ts';
import {
  CodedError,
  type Finding,
  findingsText,
  hasErrors,
  messageOf,
  printable,
  readAtMost,
  systemClock,
  systemCode,
  warning,
  wrong,
} from '@credmon/core/base';
import { loadConfig, warningText } from '@credmon/core/config';
import { instantOf } from '@credmon/core/credential';

/** In bytes; the rest of a larger file is not searched for a portal. */
const LARGEST = 4 * 1024 * 1024;

type MigrateCommand = Subcommand & { kind: 'migrate' };

/**
 * Prints the new configuration. Returns exit code 1 if a part of a file was not
 * understood; it is a comment then.
 * @throws CodedError `CONFIG_READ` if a file cannot be read
 */
export function runMigrateCommand(
  { files, name }: MigrateCommand,
  print: (text: string) => void,
): number {
  const texts = files.map((file) => ({ file, text: readText(file) }));
  const portals = texts.flatMap(({ file, text }) => wsgiPortalIn(file, text) ?? []);
  const unread: string[] = [];
  const config = loadConfig({
    subsystem: name,
    env: {},
    files: files.filter((file) => !portals.some((portal) => portal.file === file)),
    commandsAllowed: false,
    tolerate: (error) => unread.push(messageOf(error)),
  });
  const warnings = config.warnings.map(warningText);
  print(
    newConfiguration({
      config,
      portals,
      unread: [...unread, ...warnings],
      programs: programFolder(process.argv[1]),
    }).trimEnd(),
  );
  return unread.length > 0 ? 1 : 0;
}

function readText(file: string): string {
  try {
    return readAtMost(file, LARGEST).toString('utf8');
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    throw new CodedError('CONFIG_READ', `${file}: cannot be read (${code})`, { file });
  }
}

type CheckCommand = Subcommand & { kind: 'check' };

/**
 * Prints the findings, without characters that control a terminal; `colour` adds colours.
 * Exit code 1 when one is an error.
 */
export async function runCheckCommand(
  command: CheckCommand,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
  colour = false,
): Promise<number> {
  const findings = await findingsOf(command, env);
  const shown = findings.map(({ what, state, text }) => ({
    what: printable(what),
    state,
    text: printable(text),
  }));
  const json = (): string => printable(JSON.stringify(findings, null, 2));
  print(command.json ? json() : findingsText(shown, colour));
  return hasErrors(findings) ? 1 : 0;
}

async function findingsOf(
  command: CheckCommand,
  env: NodeJS.ProcessEnv,
): Promise<readonly Finding[]> {
  let config;
  try {
    config = openConfig(command, env);
  } catch (error) {
    return mistakesOf(error).map((text) => wrong('configuration', text));
  }
  const { settings, findings } = checkConfig(config, command);
  if (!settings) return findings;
  const context = createCheckContext(config, settings, instantOf(systemClock));
  try {
    const tokens = await checkTokens(context);
    const [providers, version] = await Promise.all([
      runChecks(checksFor(context, command.user)),
      checkCondorVersion(context, env['PATH'] ?? ''),
    ]);
    return [
      ...findings,
      checkLog(settings),
      ...checkAudit(context),
      ...version,
      ...checkDaemons(context, process.argv[1] ?? ''),
      ...checkPortal(context),
      checkUserView(context),
      ...checkTokenGroup(settings),
      ...standingFailures(context),
      ...checkTrust(context),
      ...tokens,
      ...checkClocks(context.clocks),
      ...providers,
    ];
  } finally {
    await context.close();
  }
}

function checksFor(context: CheckContext, user: string | undefined): Check[] {
  const checks = [
    ...loginChecks(context),
    ...localChecks(context, user),
    ...standingChecks(context),
    ...vaultChecks(context),
    ...clientChecks(context),
    ...programChecks(context),
  ];
  return checks.length > 0 ? checks : [{ what: 'providers', run: () => [NONE] }];
}

const NONE = warning(
  'providers',
  'none is configured, so no token is renewed: set NAME_CLIENT_ID and NAME_TOKEN_URL, or ' +
    'a list such as LOCAL_CREDMON_PROVIDER_NAMES; see docs/admin-guide.md',
);
