// The check command: looks at everything that the daemon will need, asks every issuer one harmless question, changes nothing.
import {
  checkCredentialDirectory,
  createSend,
  messageOf,
  openCredentialDirectory,
  originOf,
  systemClock,
  systemRandom,
  type Send,
} from '@credmon/core';
import { findingsText, foundWrong, judgeClock, judgeMetadata, type Finding } from '../check.ts';
import type { Subcommand } from '../command.ts';
import { runningDaemon } from '../lifecycle.ts';
import { localFiles } from '../local-files.ts';
import { ownershipOf } from '../ownership.ts';
import type { ConfiguredClient } from '../providers/oauth-refresh.ts';
import { readSecretFile, secretVersion } from '../secret-file.ts';
import { readSettings, type Settings } from '../settings.ts';
import { lookAtSources } from './check-clients.ts';
import { openConfig } from './open-config.ts';

/** Prints the findings; exit code 1 when one is an error. */
export async function runCheckCommand(
  command: Subcommand & { kind: 'check' },
  env: NodeJS.ProcessEnv,
  print: (text: string) => void,
): Promise<number> {
  const findings = await lookAround(command, env);
  print(command.json ? JSON.stringify(findings, null, 2) : findingsText(findings));
  return foundWrong(findings) ? 1 : 0;
}

async function lookAround(command: Subcommand, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  let settings: Settings;
  try {
    settings = readSettings(openConfig(command, env), {
      ...command,
      logFile: undefined,
      debug: false,
      verbose: false,
    });
  } catch (error) {
    return messageOf(error)
      .split('\n')
      .map((text) => ({ what: 'configuration', state: 'error', text }));
  }
  const findings: Finding[] = [{ what: 'configuration', state: 'ok', text: 'has no mistakes' }];
  for (const text of settings.warnings) findings.push({ what: 'configuration', state: 'warning', text });
  findings.push(await lookAtDirectory(settings), lookAtDaemon(settings.credDir));
  const { send, close } = createSend(settings.limits);
  for (const [service, client] of settings.clients)
    findings.push(...(await lookAtClient(service, client, send)));
  findings.push(...(await lookAtSources(settings, send)));
  await close();
  return findings;
}

async function lookAtDirectory(settings: Settings): Promise<Finding> {
  const what = 'credential directory';
  try {
    checkCredentialDirectory(settings.credDir, { create: false });
    const store = openCredentialDirectory(settings.credDir, {
      defaultLifetime: settings.policy.defaultLifetime,
    });
    const { tokens, problems } = await store.scan({ wall: systemClock.now(), steady: systemClock.steady() });
    if (problems.length > 0) return { what, state: 'warning', text: problems.join('; ') };
    const { manage } = ownershipOf(settings, {
      secretVersion,
      random: systemRandom,
      local: localFiles(() => undefined),
    });
    const ours = tokens.filter((token) => manage(token) !== undefined).length;
    return {
      what,
      state: 'ok',
      text: `${settings.credDir} has ${tokens.length} tokens, of which we renew ${ours}`,
    };
  } catch (error) {
    return { what, state: 'error', text: messageOf(error) };
  }
}

function lookAtDaemon(credDir: string): Finding {
  const pid = runningDaemon(credDir);
  return pid === undefined
    ? { what: 'daemon', state: 'warning', text: 'no condor_credmon is running here: nothing is renewed' }
    : { what: 'daemon', state: 'ok', text: `process ${pid} is running` };
}

async function lookAtClient(service: string, client: ConfiguredClient, send: Send): Promise<Finding[]> {
  return [lookAtSecret(service, client), ...(await lookAtIssuer(service, client, send))];
}

function lookAtSecret(service: string, { secretFile }: ConfiguredClient): Finding {
  const what = `secret of ${service}`;
  if (secretFile === undefined) return { what, state: 'ok', text: 'none: a public client' };
  const secret = readSecretFile(secretFile);
  return secret.ok
    ? { what, state: 'ok', text: `${secretFile} can be read` }
    : { what, state: 'error', text: `${secretFile} ${secret.reason}` };
}

async function lookAtIssuer(service: string, client: ConfiguredClient, send: Send): Promise<Finding[]> {
  const what = `issuer of ${service}`;
  const { issuer, tokenUrl } = client;
  const url =
    issuer === undefined
      ? originOf(tokenUrl)
      : `${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`;
  try {
    const answer = await send({ method: 'GET', url });
    const clock = judgeClock(Date.parse(answer.headers['date'] ?? '') / 1000, systemClock.now());
    const metadata: Finding =
      issuer === undefined
        ? { what, state: 'ok', text: `${originOf(tokenUrl)} can be reached` }
        : judgeMetadata(service, issuer, tokenUrl, answer.status === 200 ? jsonOf(answer.body) : undefined);
    return clock === undefined ? [metadata] : [metadata, { ...clock, what: `clock at ${service}` }];
  } catch (error) {
    return [{ what, state: 'error', text: messageOf(error) }];
  }
}

function jsonOf(body: Uint8Array): unknown {
  try {
    return JSON.parse(Buffer.from(body).toString('utf8'));
  } catch {
    // Not JSON is no discovery document; the finding says so.
    return undefined;
  }
}
