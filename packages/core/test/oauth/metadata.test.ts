// An issuer's metadata: which is accepted, how long it is cached, and the effect of an
// outage.
import type { ServerResponse } from 'node:http';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import { afterEach, describe, expect, it } from 'vitest';
import { createSend } from '../../src/base/http/send.ts';
import { createMetadataCache, type MetadataCache } from '../../src/oauth/metadata.ts';
import { startServer, type LocalServer } from '../base/local-server.ts';
import { outcomeOf } from './issuer.ts';

const NOW = 1_800_000_000;
const { send, close } = createSend({ ...PATIENT_LIMITS, maxBodyBytes: 10_000 });
let server: LocalServer | undefined;
afterEach(async () => {
  await server?.close();
  server = undefined;
});

type Reply = (
  path: string,
  origin: string,
) => { status?: number; body?: unknown; retryAfter?: string };
let reply: Reply = () => ({ status: 404 });

async function start(): Promise<string> {
  server = await startServer(({ path }, response: ServerResponse) => {
    const { status = 200, body = '', retryAfter } = reply(path, server?.origin ?? '');
    response.writeHead(status, retryAfter === undefined ? {} : { 'retry-after': retryAfter });
    response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  return server.origin;
}

/** What a document does not say. */
const NOTHING = {
  template: undefined,
  authorizationUrl: undefined,
  deviceUrl: undefined,
  jwksUrl: undefined,
  challengeMethods: undefined,
  authenticationMethods: undefined,
  scopes: undefined,
  grants: undefined,
  sendsIssuer: false,
};

const cache = (allowLoopbackHttp = true): MetadataCache =>
  createMetadataCache({ lifetime: 3600, allowLoopbackHttp });
const good: Reply = (_, origin) => ({
  body: { issuer: origin, token_endpoint: `${origin}/t`, revocation_endpoint: `${origin}/r` },
});
const paths = (): string[] => server?.asked.map(({ path }) => path) ?? [];

describe('metadata', () => {
  it('is taken from OpenID discovery, once for concurrent callers, and again after its lifetime', async () => {
    reply = good;
    const issuer = await start();
    const known = cache();
    const found = await Promise.all([1, 2, 3].map(() => known.find(send, issuer, NOW)));
    expect(found[2]).toEqual({
      ...NOTHING,
      issuer,
      tokenUrl: `${issuer}/t`,
      revocationUrl: `${issuer}/r`,
      elsewhere: [],
    });
    await known.find(send, issuer, NOW + 3599);
    expect(paths()).toEqual(['/.well-known/openid-configuration']);
    await known.find(send, issuer, NOW + 3600);
    await known.find(send, issuer, NOW - 10);
    expect(paths()).toHaveLength(3);
  });

  it('is taken from RFC 8414 if OpenID discovery is not available, also below a path', async () => {
    const origin = await start();
    const issuer = `${origin}/tenant`;
    reply = (path) =>
      path === '/.well-known/oauth-authorization-server/tenant'
        ? { body: { issuer, token_endpoint: `${origin}/t` } }
        : { status: 404 };
    expect(await cache().find(send, issuer, NOW)).toEqual({
      ...NOTHING,
      issuer,
      tokenUrl: `${origin}/t`,
      revocationUrl: undefined,
      elsewhere: [],
    });
    expect(paths()[0]).toBe('/tenant/.well-known/openid-configuration');
  });

  it.each<[string, string, Reply]>([
    [
      'another issuer',
      'ISSUER_MISMATCH',
      (_, o) => ({ body: { issuer: `${o}/`, token_endpoint: `${o}/t` } }),
    ],
    ['no issuer', 'ISSUER_MISMATCH', (_, o) => ({ body: { token_endpoint: `${o}/t` } })],
    ['no token endpoint', 'ISSUER_METADATA_INVALID', (_, o) => ({ body: { issuer: o } })],
    ['HTML', 'ISSUER_METADATA_INVALID', () => ({ body: '<html>' })],
    ['a list', 'ISSUER_METADATA_INVALID', () => ({ body: [] })],
    ['a redirect', 'ISSUER_METADATA_INVALID', () => ({ status: 302 })],
    ['a 500', 'ISSUER_UNREACHABLE', () => ({ status: 500 })],
    ['a 429', 'ISSUER_BUSY', () => ({ status: 429, retryAfter: '7' })],
    ['too much', 'ISSUER_ANSWER_INVALID', () => ({ body: 'x'.repeat(20_000) })],
    [
      'http elsewhere',
      'ENDPOINT_REFUSED',
      (_, o) => ({ body: { issuer: o, token_endpoint: 'http://evil.example/t' } }),
    ],
    [
      'a token endpoint on another server',
      'ENDPOINT_REFUSED',
      (_, o) => ({ body: { issuer: o, token_endpoint: 'https://evil.example/t' } }),
    ],
    [
      'a token endpoint on another port',
      'ENDPOINT_REFUSED',
      (_, o) => ({ body: { issuer: o, token_endpoint: 'http://127.0.0.1:9/t' } }),
    ],
    [
      'user information',
      'ENDPOINT_REFUSED',
      (_, o) => ({ body: { issuer: o, token_endpoint: 'https://a:b@evil.example/t' } }),
    ],
  ])('R25 R26 with %s is rejected: %s', async (_, code, given) => {
    reply = given;
    expect(await outcomeOf(cache().find(send, await start(), NOW))).toMatchObject({ code });
  });

  it.each(['', '/relative', 'http://evil.example/r', 'https://a:b@evil.example/r'])(
    'R26 an optional endpoint %j is omitted and reported',
    async (url) => {
      reply = (_, o) => ({
        body: { issuer: o, token_endpoint: `${o}/t`, revocation_endpoint: url },
      });
      const found = await cache().find(send, await start(), NOW);
      expect([found.revocationUrl, found.elsewhere.length]).toEqual([undefined, 1]);
    },
  );

  it('R26 accepts endpoints on other servers only if configured; optional ones are omitted and reported', async () => {
    const other = 'https://other.example:8443';
    reply = (_, o) => ({
      body: {
        issuer: o,
        token_endpoint: `${other}/t`,
        revocation_endpoint: 'https://evil.example/r',
        device_authorization_endpoint: `${o}/d`,
      },
    });
    const issuer = await start();
    const known = createMetadataCache({
      lifetime: 3600,
      allowLoopbackHttp: true,
      origins: [other],
    });
    expect(await known.find(send, issuer, NOW)).toEqual({
      ...NOTHING,
      issuer,
      tokenUrl: `${other}/t`,
      revocationUrl: undefined,
      deviceUrl: `${issuer}/d`,
      elsewhere: [
        `the revocation_endpoint in the metadata of ${issuer} is on another server (https://evil.example); if it is correct, add the origin to CREDMON_ENDPOINT_ORIGINS`,
      ],
    });
  });

  it('R26 http needs the exception, and an issuer must not have a query', async () => {
    reply = good;
    const issuer = await start();
    expect(await outcomeOf(cache(false).find(send, issuer, NOW))).toMatchObject({
      code: 'ENDPOINT_REFUSED',
    });
    expect(await outcomeOf(cache().find(send, `${issuer}?a`, NOW))).toMatchObject({
      code: 'ENDPOINT_REFUSED',
    });
    expect(paths()).toEqual([]);
  });

  it('old endpoints are used during an outage, but not after a change of the name', async () => {
    reply = good;
    const issuer = await start();
    const known = cache();
    await known.find(send, issuer, NOW);
    reply = () => ({ status: 500 });
    expect(await known.find(send, issuer, NOW + 4000)).toMatchObject({ tokenUrl: `${issuer}/t` });
    await known.find(send, issuer, NOW + 4059);
    expect(paths()).toHaveLength(2);
    expect(await outcomeOf(known.find(send, issuer, NOW + 100_000))).toMatchObject({
      code: 'ISSUER_UNREACHABLE',
    });
    reply = (_, origin) => ({
      body: { issuer: 'https://other.example', token_endpoint: `${origin}/t` },
    });
    expect(await outcomeOf(known.find(send, issuer, NOW + 5000))).toMatchObject({
      code: 'ISSUER_MISMATCH',
    });
  });

  it('R26 old endpoints are not used after the metadata has a rejected one', async () => {
    reply = good;
    const issuer = await start();
    const known = cache();
    await known.find(send, issuer, NOW);
    reply = (_, origin) => ({
      body: { issuer: origin, token_endpoint: 'https://thief.example/t' },
    });
    expect(await outcomeOf(known.find(send, issuer, NOW + 4000))).toMatchObject({
      code: 'ENDPOINT_REFUSED',
    });
  });

  it('may start with a byte order mark', async () => {
    reply = (path, origin) => ({ body: `\uFEFF${JSON.stringify(good(path, origin).body)}` });
    const issuer = await start();
    expect(await cache().find(send, issuer, NOW)).toMatchObject({ tokenUrl: `${issuer}/t` });
    await close();
  });
});
