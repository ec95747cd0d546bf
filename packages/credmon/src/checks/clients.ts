// The check command's look at clients that act without a browser: client credentials and
// token exchange.
import { clientAssertion } from '@credmon/core/oauth';
import { messageOf, systemRandom } from '@credmon/core/base';
import { fetchIssuerKeys } from '@credmon/scitokens';
import { ok, wrong, type Finding } from './finding.ts';
import type { TokenClient } from '../settings/clients.ts';
import { readSecretFile } from '../host/secret-file.ts';
import { lookAtClientId, lookAtIssuer, lookAtOrigin, lookAtSecret } from './issuer.ts';
import type { CheckContext, Look } from './context.ts';

const KINDS = {
  CLIENT: 'client credentials',
  EXCHANGE: 'token exchange',
  PELICAN: 'token exchange for Pelican',
} as const;

/** One look for each client. */
export function looksAtClients(context: CheckContext): Look[] {
  return context.settings.tokenClients.map((client) => {
    const what = `${client.name} (${KINDS[client.kind]})`;
    const its = client.kind === 'PELICAN' ? { ...context, send: context.pelicanSend } : context;
    return { what, look: () => lookAtClient(what, client, its) };
  });
}

async function lookAtClient(
  what: string,
  client: TokenClient,
  context: CheckContext,
): Promise<Finding[]> {
  const { kind, issuers, tokenUrl } = client;
  const remote = issuers.map(async (issuer) => {
    const finding = await lookAtIssuer(what, issuer, tokenUrl, context);
    if (kind === 'CLIENT' || finding.state === 'error') return [finding];
    return [finding, await lookAtKeys(what, issuer, context)];
  });
  if (issuers.length === 0 && tokenUrl !== undefined)
    remote.push(lookAtOrigin(what, tokenUrl, context).then((finding) => [finding]));
  return [
    ...doing(what, client, context),
    ...lookAtClientId(what, client.clientId),
    lookAtProof(what, client, context),
    ...(await Promise.all(remote)).flat(),
  ];
}

/** What a client is good for: jobs, standing tokens, or both. */
function doing(what: string, client: TokenClient, { settings }: CheckContext): Finding[] {
  const as = `as client ${client.clientId} (${client.proof})`;
  const standing = settings.standing.flatMap((token) =>
    token.kind === 'fetched' && client.kind === 'CLIENT' && token.client.name === client.name
      ? [`${token.name} (${asks(token.scope.join(' '), [...token.audience, ...token.resources])})`]
      : [],
  );
  const serves = `the standing token${standing.length === 1 ? '' : 's'} ${standing.join(', ')}`;
  if (client.kind === 'CLIENT' && !settings.lists.client.includes(client.name))
    return [ok(what, `serves ${serves}, ${as}; no job gets it`)];
  const forJobs = ok(what, deeds(client, as));
  return standing.length === 0 ? [forJobs] : [forJobs, ok(what, `also serves ${serves}`)];
}

function deeds({ kind, scopes, audience, resources }: TokenClient, as: string): string {
  const whom = [...audience, ...resources];
  if (kind === 'CLIENT')
    return `fetches a token for each user who asks, ${as}: ${asks(scopes, whom)}`;
  const asked = `the scopes that the user asked for${scopes === '' ? '' : `, else scopes "${scopes}"`}`;
  return `exchanges the token that a user stored, ${as}: ${asked}${forWhom(whom)}; then refreshes it`;
}

function asks(scopes: string, whom: readonly string[]): string {
  return `${scopes === '' ? "the issuer's default scopes" : `scopes "${scopes}"`}${forWhom(whom)}`;
}

const forWhom = (whom: readonly string[]): string =>
  whom.length === 0 ? '' : `, for ${whom.join(' ')}`;

/** A key for private_key_jwt is tried; the assertion is thrown away. */
function lookAtProof(what: string, client: TokenClient, { now }: CheckContext): Finding {
  const { proof, secretFile, clientId, keyId } = client;
  if (proof !== 'private_key_jwt') return lookAtSecret(what, secretFile);
  const finding = lookAtSecret(what, secretFile, 'whole');
  const secret = readSecretFile(secretFile ?? '', 'whole');
  if (finding.state === 'error' || !secret.ok) return finding;
  try {
    clientAssertion(
      { clientId, keyId, pem: secret.value },
      client.issuers[0] ?? '',
      now.wall,
      systemRandom,
    );
    return ok(what, `its private key in ${secretFile ?? ''} can be read and signs`);
  } catch (error) {
    return wrong(what, `${secretFile ?? ''}: ${messageOf(error)}`);
  }
}

/** Stored tokens are verified with these keys before the secret goes anywhere. */
async function lookAtKeys(
  what: string,
  issuer: string,
  { settings, send }: CheckContext,
): Promise<Finding> {
  try {
    const { kids } = await fetchIssuerKeys(issuer, { send, insecure: settings.allowLoopbackHttp });
    const named = kids.length === 0 ? 'without names' : kids.join(', ');
    return ok(what, `the keys of ${issuer} can be fetched (${named})`);
  } catch (error) {
    return wrong(
      what,
      `the keys of ${issuer}, which stored tokens are verified with: ${messageOf(error)}`,
    );
  }
}
