// The check command's look at the sources that need no browser: what each would do, and what is wrong with its secret, issuer or program.
import { createMetadataCache, messageOf, originOf, systemClock, type Send } from '@credmon/core';
import type { Finding } from '../check.ts';
import type { TokenClient } from '../providers/client-settings.ts';
import { checkProgram } from '../providers/exec.ts';
import type { TokenProgram } from '../providers/exec-settings.ts';
import { readSecretFile } from '../secret-file.ts';
import type { Settings } from '../settings.ts';

/** What the daemon would do for each such provider. Issuers are asked for their metadata, which costs them nothing. */
export async function lookAtSources(settings: Settings, send: Send): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const client of settings.tokenClients) {
    findings.push(doingOf(client), secretOf(client));
    for (const issuer of client.issuers)
      findings.push(await issuerOf(client, issuer, settings.allowLoopbackHttp, send));
  }
  return [...findings, ...settings.tokenPrograms.map(programOf)];
}

function doingOf(client: TokenClient): Finding {
  const { name, kind, clientId, proof, scopes, audience } = client;
  const how = kind === 'CLIENT' ? 'fetches tokens as' : 'exchanges stored tokens as';
  const what = scopes === '' ? 'the scopes that were asked for' : JSON.stringify(scopes);
  const whom = audience.length === 0 ? '' : ` for ${audience.join(' ')}`;
  return { what: name, state: 'ok', text: `${how} ${clientId} (${proof}), ${what}${whom}` };
}

function secretOf({ name, secretFile, proof }: TokenClient): Finding {
  const what = `secret of ${name}`;
  if (secretFile === undefined) return { what, state: 'ok', text: 'none: a public client' };
  const secret = readSecretFile(secretFile, proof === 'private_key_jwt' ? 'whole' : 'line');
  return secret.ok
    ? { what, state: 'ok', text: `${secretFile} can be read` }
    : { what, state: 'error', text: `${secretFile} ${secret.reason}` };
}

async function issuerOf(
  { name, tokenUrl, endpointLifetime: lifetime }: TokenClient,
  issuer: string,
  allowLoopbackHttp: boolean,
  send: Send,
): Promise<Finding> {
  const what = `issuer of ${name}`;
  const metadata = createMetadataCache({ lifetime, allowLoopbackHttp });
  try {
    const found = await metadata.find(send, issuer, systemClock.now());
    if (tokenUrl !== undefined && tokenUrl !== found.tokenUrl)
      return {
        what,
        state: 'warning',
        text: `publishes another token endpoint than ${originOf(tokenUrl)}...`,
      };
    return { what, state: 'ok', text: `${issuer} is what it calls itself` };
  } catch (error) {
    return { what, state: tokenUrl === undefined ? 'error' : 'warning', text: messageOf(error) };
  }
}

function programOf({ name, command, seconds }: TokenProgram): Finding {
  const what = `program of ${name}`;
  try {
    checkProgram({ name, command });
    return { what, state: 'ok', text: `runs ${command}, for at most ${seconds} s` };
  } catch (error) {
    return { what, state: 'error', text: messageOf(error) };
  }
}
