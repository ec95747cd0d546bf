// The check command's look at clients that act without a browser: client credentials and token exchange.
import { clientAssertion, messageOf, systemRandom } from '@credmon/core';
import { fetchIssuerKeys } from '@credmon/scitokens';
import { ok, wrong, type Finding } from '../check/finding.ts';
import type { TokenClient } from '../providers/client-settings.ts';
import { readSecretFile } from '../secret-file.ts';
import { lookAtIssuer, lookAtOrigin, lookAtSecret } from './check-issuer.ts';
import type { CheckWorld, Look } from './check-world.ts';

const KINDS = {
  CLIENT: 'client credentials',
  EXCHANGE: 'token exchange',
  PELICAN: 'token exchange for Pelican',
} as const;

/** One look for each client. */
export function looksAtClients(world: CheckWorld): Look[] {
  return world.settings.tokenClients.map((client) => {
    const what = `${client.name} (${KINDS[client.kind]})`;
    const its = client.kind === 'PELICAN' ? { ...world, send: world.pelicanSend } : world;
    return { what, look: () => lookAtClient(what, client, its) };
  });
}

async function lookAtClient(what: string, client: TokenClient, world: CheckWorld): Promise<Finding[]> {
  const { kind, issuers, tokenUrl } = client;
  const remote = issuers.map(async (issuer) => {
    const finding = await lookAtIssuer(what, issuer, tokenUrl, world);
    if (kind === 'CLIENT' || finding.state === 'error') return [finding];
    return [finding, await lookAtKeys(what, issuer, world)];
  });
  if (issuers.length === 0 && tokenUrl !== undefined)
    remote.push(lookAtOrigin(what, tokenUrl, world).then((finding) => [finding]));
  return [doing(what, client), lookAtProof(what, client, world), ...(await Promise.all(remote)).flat()];
}

function doing(what: string, { kind, clientId, proof, scopes, audience, resources }: TokenClient): Finding {
  const asked = scopes === '' ? '' : `scopes "${scopes}"`;
  const asks =
    kind === 'CLIENT'
      ? asked || "the issuer's default scopes"
      : `the scopes that the user asked for${asked === '' ? '' : `, else ${asked}`}`;
  const whom = [...audience, ...resources];
  const end = whom.length === 0 ? '' : `, for ${whom.join(' ')}`;
  return ok(
    what,
    kind === 'CLIENT'
      ? `fetches a token for each user who asks, as client ${clientId} (${proof}): ${asks}${end}`
      : `exchanges the token that a user stored, as client ${clientId} (${proof}): ${asks}${end}; then refreshes it`,
  );
}

/** A key for private_key_jwt is tried; the assertion is thrown away. */
function lookAtProof(what: string, client: TokenClient, { now }: CheckWorld): Finding {
  const { proof, secretFile, clientId, keyId } = client;
  if (proof !== 'private_key_jwt') return lookAtSecret(what, secretFile);
  const finding = lookAtSecret(what, secretFile, 'whole');
  const secret = readSecretFile(secretFile ?? '', 'whole');
  if (finding.state === 'error' || !secret.ok) return finding;
  try {
    clientAssertion({ clientId, keyId, pem: secret.value }, client.issuers[0] ?? '', now.wall, systemRandom);
    return ok(what, `its private key in ${secretFile ?? ''} can be read and signs`);
  } catch (error) {
    return wrong(what, `${secretFile ?? ''}: ${messageOf(error)}`);
  }
}

/** Stored tokens are verified with these keys before the secret goes anywhere. */
async function lookAtKeys(what: string, issuer: string, { settings, send }: CheckWorld): Promise<Finding> {
  try {
    const { kids } = await fetchIssuerKeys(issuer, { send, insecure: settings.allowLoopbackHttp });
    const named = kids.length === 0 ? 'without names' : kids.join(', ');
    return ok(what, `the keys of ${issuer} can be fetched (${named})`);
  } catch (error) {
    return wrong(what, `the keys of ${issuer}, which stored tokens are verified with: ${messageOf(error)}`);
  }
}
