// Checks clients that work without a browser: client credentials and token exchange.
import { clientAssertion } from '@credmon/core/oauth';
import {
  messageOf,
  messageWithFix,
  systemRandom,
  ok,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { fetchIssuerKeys } from '@credmon/scitokens';
import type { TokenClient } from '../settings/clients.ts';
import { readSecretFile } from '../host/secret-file.ts';
import { checkClientId, checkIssuer, checkOrigin, checkSecret } from './issuer.ts';
import type { CheckContext, Check } from './context.ts';

const KINDS = {
  CLIENT: 'client credentials',
  EXCHANGE: 'token exchange',
  PELICAN: 'token exchange for Pelican',
} as const;

/** Returns one check for each client. */
export function clientChecks(context: CheckContext): Check[] {
  return context.settings.tokenClients.map((client) => {
    const what = `${client.name} (${KINDS[client.kind]})`;
    const own = client.kind === 'PELICAN' ? { ...context, send: context.pelicanSend } : context;
    return { what, run: () => checkClient(what, client, own) };
  });
}

async function checkClient(
  what: string,
  client: TokenClient,
  context: CheckContext,
): Promise<Finding[]> {
  const { kind, issuers, tokenUrl } = client;
  const remote = issuers.map(async (issuer) => {
    const finding = await checkIssuer(what, issuer, tokenUrl, context);
    if (kind === 'CLIENT' || finding.state === 'error') return [finding];
    return [finding, await checkIssuerKeys(what, issuer, context)];
  });
  if (issuers.length === 0 && tokenUrl !== undefined)
    remote.push(checkOrigin(what, tokenUrl, context).then((finding) => [finding]));
  return [
    ...doing(what, client, context),
    ...checkClientId(what, client.clientId),
    checkProof(what, client, context),
    ...(await Promise.all(remote)).flat(),
  ];
}

/** Says what a client is used for: jobs, standing tokens, or both. */
function doing(what: string, client: TokenClient, { settings }: CheckContext): Finding[] {
  const as = `as client ${client.clientId} (${client.proof})`;
  const standing = settings.standing.flatMap((token) =>
    token.kind === 'fetched' && client.kind === 'CLIENT' && token.client.name === client.name
      ? [
          `${token.name} (${requestText(token.scope.join(' '), [...token.audience, ...token.resources])})`,
        ]
      : [],
  );
  const serves = `the standing token${standing.length === 1 ? '' : 's'} ${standing.join(', ')}`;
  if (client.kind === 'CLIENT' && !settings.lists.client.includes(client.name))
    return [ok(what, `serves ${serves}, ${as}; not for jobs`)];
  const forJobs = ok(what, usage(client, as));
  return standing.length === 0 ? [forJobs] : [forJobs, ok(what, `also serves ${serves}`)];
}

function usage({ kind, scopes, audience, resources }: TokenClient, as: string): string {
  const services = [...audience, ...resources];
  if (kind === 'CLIENT')
    return `fetches a token for each user that requests one, ${as}: ${requestText(scopes, services)}`;
  const asked = `the scopes that the user requested${scopes === '' ? '' : `, else scopes "${scopes}"`}`;
  return `exchanges the token that a user stored, ${as}: ${asked}${audienceText(services)}; then refreshes it`;
}

function requestText(scopes: string, audience: readonly string[]): string {
  return `${scopes === '' ? "the issuer's default scopes" : `scopes "${scopes}"`}${audienceText(audience)}`;
}

const audienceText = (audience: readonly string[]): string =>
  audience.length === 0 ? '' : `, for ${audience.join(' ')}`;

/** Signs a test assertion with a key for private_key_jwt and discards it. */
function checkProof(what: string, client: TokenClient, { now, settings }: CheckContext): Finding {
  const { proof, secretFile, clientId, keyId } = client;
  if (proof !== 'private_key_jwt') return checkSecret(what, secretFile, settings);
  const finding = checkSecret(what, secretFile, settings, 'whole');
  const secret = readSecretFile(secretFile ?? '', 'whole');
  if (finding.state !== 'ok' || !secret.ok) return finding;
  try {
    clientAssertion(
      { clientId, keyId, pem: secret.value },
      client.issuers[0] ?? '',
      now.wall,
      systemRandom,
    );
    return ok(what, `its private key in ${secretFile ?? ''} is readable and can sign`);
  } catch (error) {
    return wrong(what, `${secretFile ?? ''}: ${messageOf(error)}`);
  }
}

/** Stored tokens are verified with these keys before the secret is sent anywhere. */
async function checkIssuerKeys(
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
      `failed to fetch the keys of ${issuer}, needed to verify stored tokens: ${messageWithFix(error)}`,
    );
  }
}
