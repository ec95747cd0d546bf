// The check command: looks at everything that the daemon will need, asks every issuer
// harmless questions, changes nothing.
import { systemClock } from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import { foundWrong, warning, wrong, type Finding } from '../checks/finding.ts';
import { judgeClocks } from '../checks/clock.ts';
import { findingsText } from '../checks/layout.ts';
import type { Subcommand } from '../command-line/command.ts';
import { looksAtClients } from '../checks/clients.ts';
import { lookAtConfig, mistakesOf } from '../checks/config.ts';
import { looksAtLocal } from '../checks/local.ts';
import { lookAtLog, looksAtPrograms } from '../checks/installation.ts';
import { looksAtLogins } from '../checks/logins.ts';
import { looksAtStanding } from '../checks/standing.ts';
import { lookAtTrust } from '../checks/issuer.ts';
import { lookAtTokens } from '../checks/tokens.ts';
import { looksAtVault } from '../checks/vault.ts';
import { createCheckContext, lookAtAll, type CheckContext, type Look } from '../checks/context.ts';
import { openConfig } from '../command-line/open-config.ts';

type CheckCommand = Subcommand & { kind: 'check' };

/** Prints the findings; exit code 1 when one is an error. */
export async function runCheckCommand(
  command: CheckCommand,
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<number> {
  const findings = await lookAround(command, env);
  print(command.json ? JSON.stringify(findings, null, 2) : findingsText(findings));
  return foundWrong(findings) ? 1 : 0;
}

async function lookAround(
  command: CheckCommand,
  env: NodeJS.ProcessEnv,
): Promise<readonly Finding[]> {
  let config;
  try {
    config = openConfig(command, env);
  } catch (error) {
    return mistakesOf(error).map((text) => wrong('configuration', text));
  }
  const { settings, findings } = lookAtConfig(config, command);
  if (!settings) return findings;
  const context = createCheckContext(config, settings, instantOf(systemClock));
  try {
    const tokens = await lookAtTokens(context);
    const providers = await lookAtAll(looksAt(context, command.user));
    return [
      ...findings,
      lookAtLog(settings),
      ...lookAtTrust(context),
      ...tokens,
      ...judgeClocks(context.clocks),
      ...providers,
    ];
  } finally {
    await context.close();
  }
}

function looksAt(context: CheckContext, user: string | undefined): Look[] {
  const looks = [
    ...looksAtLogins(context),
    ...looksAtLocal(context, user),
    ...looksAtStanding(context),
    ...looksAtVault(context),
    ...looksAtClients(context),
    ...looksAtPrograms(context),
  ];
  return looks.length > 0 ? looks : [{ what: 'providers', look: () => [NONE] }];
}

const NONE = warning(
  'providers',
  'none is configured, so no token is renewed: set NAME_CLIENT_ID and NAME_TOKEN_URL, or a list such as LOCAL_CREDMON_PROVIDER_NAMES; see docs/admin-guide.md',
);
