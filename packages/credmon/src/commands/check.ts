// The check command: checks what the daemon needs, sends only harmless requests to
// issuers, and changes nothing.
import {
  systemClock,
  hasErrors,
  warning,
  wrong,
  type Finding,
  findingsText,
  printable,
} from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import { checkClocks, checkTrust } from '../checks/issuer.ts';
import type { Subcommand } from '../command-line/command.ts';
import { clientChecks } from '../checks/clients.ts';
import {
  checkCondorVersion,
  checkDaemons,
  checkLog,
  checkPortal,
  programChecks,
} from '../checks/installation.ts';
import { checkConfig, mistakesOf } from '../checks/config.ts';
import { localChecks } from '../checks/local.ts';
import { loginChecks } from '../checks/logins.ts';
import { checkTokenGroup, checkUserView } from '../checks/run-directory.ts';
import { standingChecks, standingFailures } from '../checks/standing.ts';
import { checkTokens } from '../checks/tokens.ts';
import { vaultChecks } from '../checks/vault.ts';
import { createCheckContext, runChecks, type CheckContext, type Check } from '../checks/context.ts';
import { openConfig } from '../command-line/open-config.ts';

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
