// Token exchange at real issuers: issue, renew, refuse, revoke, outage, bad answers,
// rollover, and users who try to steer the secret.
import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { loginAtIssuer, postToken } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, type FaultName, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { accessPoint, settingsWith, type AccessPoint } from '../../support/access-point.ts';

const SECRET = 'CANARY-client-secret';
const EXCHANGE = 'urn:ietf:params:oauth:grant-type:token-exchange';
const redirectUri = 'http://127.0.0.1/return';
const login = { clientId: 'portal', clientSecret: 'portal-secret', redirectUris: [redirectUri] };
const client = {
  clientId: 'ap',
  clientSecret: SECRET,
  redirectUris: [],
  grants: [EXCHANGE],
} as const;
let issuer: Issuer;
let foreign: Issuer;
let on: AccessPoint;
beforeAll(async () => {
  issuer = await startIssuer({ name: 'ours', clients: [login, client], accessTokenTtl: 600 });
  foreign = await startIssuer({ name: 'foreign', clients: [login, client] });
});
afterAll(() => Promise.all([issuer.close(), foreign.close()]));
beforeEach(async () => {
  await issuer.addClient(client);
  on = accessPoint();
});
afterEach(async () => {
  await issuer.setFault();
  await on.close();
});

/** The access token of a user who logged in at an issuer. */
async function subjectToken(at: Issuer): Promise<string> {
  const { parameters, codeVerifier = '' } = await loginAtIssuer({
    authorizationUrl: at.authorizationUrl,
    clientId: login.clientId,
    redirectUri,
    scope: 'read',
  });
  const { answer } = await postToken(at.tokenUrl, {
    client_id: login.clientId,
    client_secret: login.clientSecret,
    grant_type: 'authorization_code',
    code: parameters['code'] ?? '',
    redirect_uri: redirectUri,
    code_verifier: codeVerifier,
  });
  return String(answer['access_token']);
}

const knobs = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap',
  EXCHANGE_CREDMON_swap_CLIENT_ID: 'ap',
  EXCHANGE_CREDMON_swap_CLIENT_SECRET_FILE: on.secret('swap', `${SECRET}\n`),
  EXCHANGE_CREDMON_swap_ISSUER: issuer.url,
  ...more,
});
const store = (top: object, file = 'alice/swap.top'): void => on.store(file, JSON.stringify(top));
const use = (file = 'alice/swap.use'): string => String(on.read(file)['access_token']);
const posts = (): string[] =>
  on.sent.filter(({ method }) => method === 'POST').map(({ url }) => url);

/** A stored token that has been exchanged. */
async function exchanged(top: object = {}): Promise<void> {
  on.configure(knobs());
  store({ access_token: await subjectToken(issuer), ...top });
  await on.pass();
}

describe('token exchange', () => {
  it.each(['scopes', 'scope'])(
    'requests the scopes of `%s`, and keeps a refresh token instead',
    async (key) => {
      await exchanged({ [key]: 'storage.read:/, compute.read', audience: 'https://data.example' });
      expect(await verifyToken(issuer, use(), 'https://data.example')).toMatchObject({
        sub: 'alice',
        scope: 'storage.read:/ compute.read',
      });
      expect(on.read('alice/swap.top')).toEqual({
        [key]: 'storage.read:/, compute.read',
        audience: 'https://data.example',
        refresh_token: expect.any(String) as string,
        iss: issuer.url,
      });
      // .use must be the newer one, or it would be exchanged again.
      const asked = posts().length;
      await on.pass();
      expect(posts()).toHaveLength(asked);
    },
  );

  it('logs a token for another audience than requested once, and none with the right one', async () => {
    on.configure(knobs({ EXCHANGE_CREDMON_swap_RESOURCE: 'https://data.example' }));
    store({ access_token: await subjectToken(issuer) });
    store(
      { access_token: await subjectToken(issuer), audience: 'https://one.example' },
      'bob/swap.top',
    );
    await on.pass();
    on.clock.advance(400);
    await on.pass();
    expect(on.lines.filter((line) => line.includes('gave a token'))).toEqual([
      `alice/swap: the issuer gave a token for ${issuer.url}/api, not for https://data.example; services may reject it`,
    ]);
    expect(on.has('alice/swap.use')).toBe(true);
  });

  it('renews with the refresh token, which is rotated, and a second login is exchanged again', async () => {
    await exchanged({ scopes: 'read' });
    const [before, top] = [use(), on.read('alice/swap.top')];
    on.clock.advance(400);
    await on.pass();
    expect(use()).not.toBe(before);
    expect(on.read('alice/swap.top')).toMatchObject({ scopes: 'read', iss: issuer.url });
    expect(on.read('alice/swap.top')['refresh_token']).not.toBe(top['refresh_token']);
    store({ subject_token: await subjectToken(issuer), scopes: 'write' });
    await on.pass();
    expect(await verifyToken(issuer, use())).toMatchObject({ scope: 'write' });
    expect(issuer.log.presentedTwice()).toEqual([]);
  });

  it('R16 R30 an exchange that grants too many scopes stores no access token, but keeps the new refresh token', async () => {
    await issuer.setFault('wider-scope');
    await exchanged({ scopes: 'read' });
    expect([on.has('alice/swap.use'), on.read('alice/swap.top')]).toEqual([
      false,
      { scopes: 'read', refresh_token: expect.any(String) as string, iss: issuer.url },
    ]);
    await issuer.setFault();
    on.clock.advance(100);
    await on.pass();
    expect(on.has('alice/swap.use')).toBe(false);
    on.configure(knobs({ CREDMON_swap_EXTRA_SCOPES: 'admin' }));
    await on.pass();
    expect(await verifyToken(issuer, use())).toMatchObject({ scope: 'read' });
  });

  it('PELICAN_CREDMON_* work the same way, with the names of the reference', async () => {
    on.configure({
      PELICAN_CREDMON_PROVIDER_NAMES: 'osdf',
      osdf_PELICAN_CLIENT_ID: 'ap',
      osdf_PELICAN_CLIENT_SECRET_FILE: on.secret('osdf', SECRET),
      osdf_PELICAN_TOKEN_URL: issuer.tokenUrl,
      PELICAN_CREDMON_ISSUER: issuer.url,
    });
    store(
      { access_token: await subjectToken(issuer), scope: 'storage.read:/' },
      'alice/osdf_h1.top',
    );
    await on.pass();
    expect(await verifyToken(issuer, use('alice/osdf_h1.use'))).toMatchObject({
      scope: 'storage.read:/',
    });
  });

  it('each of several issuers exchanges its own tokens', async () => {
    on.configure(knobs({ EXCHANGE_CREDMON_swap_ISSUER: `${foreign.url}, ${issuer.url}` }));
    store({ access_token: await subjectToken(issuer) });
    store({ access_token: await subjectToken(foreign) }, 'bob/swap.top');
    await on.pass();
    expect([on.read('alice/swap.top')['iss'], on.read('bob/swap.top')['iss']]).toEqual([
      issuer.url,
      foreign.url,
    ]);
  });

  it('R8 with several issuers, tokens of an issuer not yet known share one limit', async () => {
    const held: (() => void)[] = [];
    let [open, running, most] = [false, 0, 0];
    const server = createServer((request, response) => {
      request.resume();
      if (request.url?.includes('well-known') === true)
        return response.end(
          JSON.stringify({ issuer: url, token_endpoint: `${url}/t`, jwks_uri: `${url}/j` }),
        );
      running += 1;
      most = Math.max(most, running);
      const finish = (): void => {
        running -= 1;
        response.writeHead(400).end('{"error":"invalid_grant"}');
      };
      if (open) finish();
      else held.push(finish);
      return undefined;
    });
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    on.configure(knobs({ EXCHANGE_CREDMON_swap_ISSUER: `${url} ${issuer.url}` }));
    for (let n = 0; n < 40; n += 1)
      store({ refresh_token: `r${n}`, iss: url }, `mallory/swap_h${n}.top`);
    const passed = on.pass();
    await expect.poll(() => held.length).toBe(16);
    open = true;
    for (const finish of held) finish();
    await passed;
    server.close();
    expect([most, posts().length]).toEqual([16, 40]);
  });

  it('R1 a hanging issuer does not delay the others', async () => {
    await on.close();
    on = accessPoint({ totalSeconds: 5 });
    on.configure(knobs({ EXCHANGE_CREDMON_swap_ISSUER: `${foreign.url}, ${issuer.url}` }));
    const users = Array.from({ length: 20 }, (_, index) => `u${index}`);
    const stuck = await subjectToken(foreign);
    for (const user of users) store({ access_token: stuck }, `${user}/swap.top`);
    store({ access_token: await subjectToken(issuer) }, 'zoe/swap.top');
    await foreign.setFault('hang');
    await on.pass();
    // Ends the connections on which late answers are awaited.
    await foreign.setFault('refused');
    await foreign.setFault();
    expect(users.some((user) => on.has(`${user}/swap.use`))).toBe(false);
    expect(on.has('zoe/swap.use')).toBe(true);
  });

  it('R30 fewer scopes than requested are reported', async () => {
    await exchanged({ scopes: 'read, unheard-of' });
    expect(on.lines.join('\n')).toContain('the issuer did not grant unheard-of');
  });

  it('revoked: logged once, and a new token is exchanged again', async () => {
    await exchanged();
    const refresh = String(on.read('alice/swap.top')['refresh_token']);
    const form = {
      grant_type: 'refresh_token',
      refresh_token: refresh,
      client_id: 'ap',
      client_secret: SECRET,
    };
    await postToken(issuer.tokenUrl, form);
    await postToken(issuer.tokenUrl, form);
    on.clock.advance(400);
    await on.pass();
    const asked = posts().length;
    on.clock.advance(100);
    await on.pass();
    expect(posts()).toHaveLength(asked);
    expect(on.lines.join('\n')).toContain('stores another token');
    store({ access_token: await subjectToken(issuer) });
    const before = use();
    await on.pass();
    expect(use()).not.toBe(before);
  });

  it('R29 a new secret needs no restart', async () => {
    await issuer.addClient({ ...client, clientSecret: 'CANARY-rolled' });
    await exchanged();
    expect(on.has('alice/swap.use')).toBe(false);
    on.secret('swap', 'CANARY-rolled');
    await on.pass();
    expect(on.has('alice/swap.use')).toBe(true);
    expect(on.lines.join('\n')).not.toContain('CANARY');
  });

  it.each<FaultName>([
    'html',
    'empty',
    'no-access-token',
    'huge',
    'redirect',
    'reset',
    'hang',
    'server-error',
  ])('R14 R17 an outage or a bad answer (%s) loses nothing, and ends by itself', async (fault) => {
    if (fault === 'hang') {
      await on.close();
      on = accessPoint({ totalSeconds: 2 });
    }
    await exchanged();
    const before = use();
    on.clock.advance(400);
    await issuer.setFault(fault);
    await on.pass();
    expect(use()).toBe(before);
    await issuer.setFault();
    on.clock.advance(100);
    await on.pass();
    expect(use()).not.toBe(before);
  });
});

describe('a .top that a user wrote', () => {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const forged = (claims: object, header: object = { alg: 'ES256', typ: 'at+jwt' }): string => {
    const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const input = `${part(header)}.${part(claims)}`;
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  };
  const times = (): object => ({
    iat: on.clock.now() - 1,
    nbf: on.clock.now() - 1,
    exp: on.clock.now() + 600,
  });

  it.each<[string, () => Promise<object>]>([
    ['a token of a foreign issuer', async () => ({ access_token: await subjectToken(foreign) })],
    [
      'a forged iss',
      async () => ({ access_token: forged({ iss: 'https://evil.example', ...times() }) }),
    ],
    [
      'a forged signature',
      async () => ({ access_token: forged({ iss: issuer.url, sub: 'root', ...times() }) }),
    ],
    [
      'a forged signature with a key of its own',
      async () => ({
        access_token: forged(
          { iss: issuer.url, sub: 'root', ...times() },
          { alg: 'ES256', jku: 'https://evil.example/jwks', kid: 'x' },
        ),
      }),
    ],
    [
      'no signature',
      async () => ({ access_token: `${part({ alg: 'none' })}.${part({ iss: issuer.url })}.` }),
    ],
    [
      'an issuer with an additional slash',
      async () => ({ access_token: forged({ iss: `${issuer.url}/`, ...times() }) }),
    ],
    [
      'an expired token',
      async () => ({ access_token: forged({ iss: issuer.url, iat: 1, nbf: 1, exp: 2 }) }),
    ],
    ['no JWT', async () => ({ access_token: 'CANARY-opaque' })],
    ['nothing', async () => ({ token_url: 'https://evil.example/t' })],
    [
      'a foreign iss beside a refresh token',
      async () => ({ refresh_token: 'r', iss: 'https://evil.example' }),
    ],
    [
      'an iss that is not a string',
      async () => ({ refresh_token: 'r', iss: { toString: issuer.url } }),
    ],
  ])('R26 with %s brings no request that carries a secret', async (_, top) => {
    on.configure(knobs());
    store(await top());
    await on.pass();
    expect(posts()).toEqual([]);
    expect(new Set(on.sent.map(({ url }) => new URL(url).origin)).has('https://evil.example')).toBe(
      false,
    );
    expect(on.has('alice/swap.use')).toBe(false);
    expect(on.lines.join('\n')).not.toContain('CANARY');
  });

  it.each(['[]', '5', 'null', 'x', '{', JSON.stringify({ access_token: 5 })])(
    'R3 that is %s does not stop others',
    async (text) => {
      on.configure(knobs());
      on.store('alice/swap.top', text);
      store({ access_token: await subjectToken(issuer) }, 'bob/swap.top');
      await on.pass();
      expect([on.has('alice/swap.use'), on.has('bob/swap.use')]).toEqual([false, true]);
    },
  );

  it('R26 with endpoints in it is still exchanged at the configured issuer', async () => {
    const evil = 'https://evil.example/t';
    await exchanged({ token_url: evil, iss: 'https://evil.example', revocation_url: evil });
    expect(new Set(on.sent.map(({ url }) => new URL(url).origin))).toEqual(new Set([issuer.url]));
    expect(on.read('alice/swap.top')).toMatchObject({ iss: issuer.url });
    expect(on.read('alice/swap.top')['token_url']).toBe(undefined);
  });
});

describe('PELICAN_CREDMON_CA_FILE', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-pelican-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it('R26 R45 is the only trusted authority, even with TLS_SKIP_VERIFY, and a changed file is used at the next attempt', async () => {
    const made = makeCertificates(folder);
    const [key, cert] = [
      readFileSync(made.keyFile, 'utf8'),
      readFileSync(made.certificateFile, 'utf8'),
    ];
    const asker = { ...client, grants: [EXCHANGE, 'client_credentials'] } as const;
    const secure = await startIssuer({ name: 'secure', clients: [asker], tls: { key, cert } });
    const form = {
      grant_type: 'client_credentials',
      client_id: 'ap',
      client_secret: SECRET,
      scope: 'read',
    };
    const { answer } = await postToken(secure.tokenUrl, form, { ca: made.ca });
    const stranger = on.secret('ca.pem', cert);
    on.configure({
      PELICAN_CREDMON_PROVIDER_NAMES: 'osdf',
      PELICAN_CREDMON_CLIENT_ID: 'ap',
      PELICAN_CREDMON_CLIENT_SECRET_FILE: on.secret('osdf', SECRET),
      PELICAN_CREDMON_ISSUER: secure.url,
      PELICAN_CREDMON_TLS_SKIP_VERIFY: 'yes',
      PELICAN_CREDMON_CA_FILE: stranger,
    });
    store({ access_token: answer['access_token'] }, 'alice/osdf.top');
    secure.log.requests.length = 0;
    await on.pass();
    expect([secure.log.requests, on.lines.join()]).toEqual([
      [],
      expect.stringMatching(/CERT|SIGNATURE/),
    ]);
    on.secret('ca.pem', made.ca);
    on.clock.advance(100);
    await on.pass();
    expect(await verifyToken(secure, use('alice/osdf.use'))).toMatchObject({ iss: secure.url });
    rmSync(stranger);
    on.clock.advance(2000);
    await on.pass();
    expect(on.lines.join()).toContain('(ENOENT); see PELICAN_CREDMON_CA_FILE');
    await secure.close();
  });
});

describe('settings of token exchange', () => {
  it.each([
    ['yes', 1],
    ['TRUE', 1],
    ['false', 0],
    ['', 0],
  ])('R45 PELICAN_CREDMON_TLS_SKIP_VERIFY = %s is ignored, with %i warnings', (value, times) => {
    const { warnings } = settingsWith({
      PELICAN_CREDMON_PROVIDER_NAMES: 'osdf',
      PELICAN_CREDMON_CLIENT_ID: 'ap',
      PELICAN_CREDMON_ISSUER: 'https://i.example',
      PELICAN_CREDMON_TLS_SKIP_VERIFY: value,
    });
    const said = warnings.filter((text) => text.includes('certificates are always verified'));
    expect(said).toHaveLength(times);
    expect(said.join()).toContain(times === 0 ? '' : 'PELICAN_CREDMON_CA_FILE');
  });

  it.each<[string, Record<string, string>, string]>([
    [
      'no issuer',
      { EXCHANGE_CREDMON_TOKEN_URL: 'https://i.example/t' },
      'EXCHANGE_CREDMON_swap_ISSUER is not set',
    ],
    [
      'one token URL for two issuers',
      {
        EXCHANGE_CREDMON_ISSUER: 'https://i.example https://j.example',
        EXCHANGE_CREDMON_TOKEN_URL: 'https://i.example/t',
      },
      'EXCHANGE_CREDMON_swap_TOKEN_URL is set for several issuers',
    ],
    [
      'a name of two kinds',
      { EXCHANGE_CREDMON_ISSUER: 'https://i.example', PELICAN_CREDMON_PROVIDER_NAMES: 'swap' },
      'both list swap',
    ],
  ])('R19 R26 R45 %s is a mistake', (_, knobs, text) => {
    const given = {
      EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap',
      EXCHANGE_CREDMON_CLIENT_ID: 'ap',
      ...knobs,
    };
    expect(() => settingsWith(given)).toThrow(text);
  });
});
