// Client credentials at a real issuer: issue, renew, refuse, outage, bad answers,
// rollover, and nothing that a user can steer.
import { generateKeyPairSync } from 'node:crypto';
import { startIssuer, type FaultName, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessPoint, settingsWith, type AccessPoint } from '../../support/access-point.ts';

const SECRET = 'CANARY-client-secret';
const client = {
  clientId: 'ap',
  clientSecret: SECRET,
  redirectUris: [],
  grants: ['client_credentials'],
} as const;
let issuer: Issuer;
let on: AccessPoint;
beforeEach(async () => {
  issuer = await startIssuer({ clients: [client], accessTokenTtl: 600 });
  on = accessPoint();
});
afterEach(async () => {
  await issuer.close();
  await on.close();
});

/** The knobs of one provider, `svc`, by discovery. */
const knobs = (more: Readonly<Record<string, string>> = {}): Record<string, string> => ({
  CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
  CLIENT_CREDMON_CLIENT_ID: 'ap',
  CLIENT_CREDMON_svc_CLIENT_SECRET_FILE: on.secret('svc', `${SECRET}\n`),
  CLIENT_CREDMON_ISSUER: issuer.url,
  CLIENT_CREDMON_AUTHZ_TEMPLATE: 'storage.read:/ compute.read',
  ...more,
});
const claims = async (): Promise<Record<string, unknown>> =>
  verifyToken(issuer, String(on.read('alice/svc.use')['access_token']));

describe('client credentials', () => {
  it('issue a token with the configured scopes and resource, and renew it', async () => {
    on.configure(knobs({ CLIENT_CREDMON_svc_RESOURCE: 'https://data.example' }));
    on.store('alice/svc.top', 'alice');
    await on.pass();
    expect(await claims()).toMatchObject({
      scope: 'storage.read:/ compute.read',
      aud: 'https://data.example',
    });
    const first = on.read('alice/svc.use');
    expect(first).toMatchObject({ expires_in: 600, token_type: 'Bearer' });
    on.clock.advance(400);
    await on.pass();
    expect(on.read('alice/svc.use')['access_token']).not.toBe(first['access_token']);
    expect(issuer.log.successes('client_credentials')).toHaveLength(2);
    // Metadata is asked for once.
    expect(on.sent.filter(({ method }) => method === 'GET')).toHaveLength(1);
  });

  it('for an audience that the issuer ignores are stored, and logged once', async () => {
    on.configure(knobs({ CLIENT_CREDMON_svc_TOKEN_AUDIENCE: 'https://data.example' }));
    on.store('alice/svc.top', 'alice');
    await on.pass();
    on.clock.advance(400);
    await on.pass();
    expect(issuer.log.successes('client_credentials')).toHaveLength(2);
    expect(on.lines.filter((line) => line.includes('gave a token'))).toEqual([
      `alice/svc: the issuer gave a token for ${issuer.url}/api, not for https://data.example; services may reject it`,
    ]);
  });

  it.each(['basic', 'post'] as const)(
    'R29 authenticate by %s, with a rollover of the secret',
    async (how) => {
      await issuer.addClient({ ...client, authentication: how });
      on.configure(
        knobs({ CLIENT_CREDMON_CLIENT_AUTH: how, CLIENT_CREDMON_TOKEN_URL: issuer.tokenUrl }),
      );
      on.store('alice/svc.top', '');
      await on.pass();
      expect(on.has('alice/svc.use')).toBe(true);
      await issuer.addClient({ ...client, clientSecret: 'CANARY-rolled', authentication: how });
      on.store('bob/svc.top', '');
      await on.pass();
      await on.pass();
      // Refused for good once, and not asked again.
      expect(
        issuer.log.requests.filter(({ outcome }) => outcome === 'invalid_client'),
      ).toHaveLength(1);
      expect(on.has('bob/svc.use')).toBe(false);
      on.secret('svc', 'CANARY-rolled');
      await on.pass();
      expect(on.has('bob/svc.use')).toBe(true);
      expect(on.lines.join('\n')).not.toContain('CANARY');
    },
  );

  it('R29 authenticate by private_key_jwt, with a rollover of the key', async () => {
    const pair = (kid: string): { pem: string; jwk: object } => {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      const pem = privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
      return { pem, jwk: { ...publicKey.export({ format: 'jwk' }), kid, alg: 'ES256' } };
    };
    const [old, next] = [pair('k1'), pair('k2')];
    const register = (jwk: object): Promise<void> =>
      issuer.addClient({ ...client, jwks: { keys: [jwk] } });
    await register(old.jwk);
    const set = { CLIENT_CREDMON_CLIENT_AUTH: 'private_key_jwt' };
    const path = on.secret('key.pem', old.pem);
    on.configure(
      knobs({ ...set, CLIENT_CREDMON_svc_CLIENT_SECRET_FILE: path, CLIENT_CREDMON_KEY_ID: 'k1' }),
    );
    on.store('alice/svc.top', '');
    await on.pass();
    expect(on.has('alice/svc.use')).toBe(true);
    await register(next.jwk);
    on.store('bob/svc.top', '');
    await on.pass();
    expect(on.has('bob/svc.use')).toBe(false);
    on.secret('key.pem', next.pem);
    on.configure(
      knobs({ ...set, CLIENT_CREDMON_svc_CLIENT_SECRET_FILE: path, CLIENT_CREDMON_KEY_ID: 'k2' }),
    );
    await on.pass();
    expect(on.has('bob/svc.use')).toBe(true);
  });

  it.each<FaultName>([
    'html',
    'empty',
    'not-an-object',
    'no-access-token',
    'huge',
    'redirect',
    'reset',
    'hang',
  ])(
    'R9 R14 R17 an outage or an invalid answer (%s) keeps the old .use, and the next attempt succeeds',
    async (fault) => {
      if (fault === 'hang') {
        await on.close();
        on = accessPoint({ totalSeconds: 2 });
      }
      on.configure(knobs());
      on.store('alice/svc.top', '');
      await on.pass();
      const before = on.read('alice/svc.use');
      on.clock.advance(400);
      await issuer.setFault(fault);
      await on.pass();
      expect(on.read('alice/svc.use')).toEqual(before);
      await issuer.setFault();
      on.clock.advance(100);
      await on.pass();
      expect(on.read('alice/svc.use')['access_token']).not.toBe(before['access_token']);
    },
  );

  it('R8 Retry-After is kept', async () => {
    on.configure(knobs());
    on.store('alice/svc.top', '');
    await issuer.setFault('too-many', { retryAfter: 300, times: 1 });
    await on.pass();
    on.clock.advance(299);
    await on.pass();
    expect(issuer.log.requests).toHaveLength(1);
    on.clock.advance(2);
    await on.pass();
    expect(on.has('alice/svc.use')).toBe(true);
  });

  it.each<FaultName>(['no-expires-in', 'expires-in-text'])(
    'R15 %s still results in a lifetime',
    async (fault) => {
      on.configure(knobs());
      on.store('alice/svc.top', '');
      await issuer.setFault(fault);
      await on.pass();
      expect(on.read('alice/svc.use')).toMatchObject({ expires_in: 600 });
    },
  );

  it('R26 .top and .meta do not decide where the secret is sent', async () => {
    on.configure(knobs());
    const evil = {
      token_url: 'https://evil.example/t',
      iss: 'https://evil.example',
      client_id: 'x',
    };
    on.store('alice/svc.top', JSON.stringify({ ...evil, scopes: 'storage.modify:/' }));
    on.store('alice/svc.meta', JSON.stringify({ ...evil, client_secret: 'y' }));
    await on.pass();
    expect(new Set(on.sent.map(({ url }) => new URL(url).origin))).toEqual(new Set([issuer.url]));
    expect(await claims()).toMatchObject({ scope: 'storage.read:/ compute.read' });
  });

  it('R30 more scopes than requested are rejected, and nothing is stored', async () => {
    on.configure(knobs());
    on.store('alice/svc.top', '');
    await issuer.setFault('wider-scope');
    await on.pass();
    expect(on.has('alice/svc.use')).toBe(false);
    expect(on.lines.join('\n')).toContain('granted more scopes than requested (admin)');
  });

  it('R25 an issuer whose name does not match exactly gets no secret', async () => {
    on.configure(knobs({ CLIENT_CREDMON_ISSUER: `${issuer.url}/` }));
    on.store('alice/svc.top', '');
    await on.pass();
    expect(on.sent.filter(({ method }) => method === 'POST')).toEqual([]);
    expect(on.lines.join('\n')).toContain('issuer mismatch: configured');
  });

  it('R20 TOKEN_USE_JSON = false writes the bare token, and it is not fetched at every scan', async () => {
    on.configure(knobs({ CLIENT_CREDMON_svc_TOKEN_USE_JSON: 'false' }));
    on.store('alice/svc.top', '');
    await on.pass();
    await on.pass();
    expect(on.text('alice/svc.use')).toMatch(/^eyJ[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(issuer.log.requests).toHaveLength(1);
  });

  it('R5 R17 a bare opaque token is renewed by the remembered lifetime', async () => {
    const opaque = await startIssuer({
      clients: [client],
      accessTokenTtl: 300,
      accessTokenFormat: 'opaque',
    });
    try {
      on.configure(
        knobs({ CLIENT_CREDMON_svc_TOKEN_USE_JSON: 'false', CLIENT_CREDMON_ISSUER: opaque.url }),
      );
      on.store('alice/svc.top', '');
      await on.pass();
      const first = on.text('alice/svc.use');
      expect(on.read('alice/.svc.issued')).toMatchObject({
        issued_at: on.clock.now(),
        expires_at: on.clock.now() + 300,
      });
      on.clock.advance(100);
      await on.pass();
      expect(on.text('alice/svc.use')).toBe(first);
      on.clock.advance(60);
      await on.pass();
      expect(on.text('alice/svc.use')).not.toBe(first);
    } finally {
      await opaque.close();
    }
  });
});

describe('settings of client credentials', () => {
  const mistakes = (knobs: Readonly<Record<string, string>>): string => {
    try {
      settingsWith({ CLIENT_CREDMON_PROVIDER_NAMES: 'svc', ...knobs });
    } catch (error) {
      return String(error);
    }
    return '';
  };
  const good = {
    CLIENT_CREDMON_CLIENT_ID: 'ap',
    CLIENT_CREDMON_CLIENT_SECRET_FILE: '/s',
    CLIENT_CREDMON_ISSUER: 'https://i.example',
  };
  it.each<[string, Record<string, string>, string]>([
    ['no client', {}, 'CLIENT_CREDMON_svc_CLIENT_ID is not set'],
    [
      'no secret',
      { CLIENT_CREDMON_CLIENT_ID: 'a' },
      'CLIENT_CREDMON_svc_CLIENT_SECRET_FILE is not set',
    ],
    ['no endpoint', { CLIENT_CREDMON_CLIENT_ID: 'a' }, 'CLIENT_CREDMON_svc_TOKEN_URL is not set'],
    [
      'http',
      { ...good, CLIENT_CREDMON_ISSUER: 'http://i.example' },
      'CLIENT_CREDMON_svc_ISSUER is unusable',
    ],
    ['a query', { ...good, CLIENT_CREDMON_ISSUER: 'https://i.example?x' }, 'must not have a query'],
    [
      'two issuers',
      { ...good, CLIENT_CREDMON_ISSUER: 'https://i.example https://j.example' },
      'several issuers',
    ],
    [
      'a proof',
      { ...good, CLIENT_CREDMON_CLIENT_AUTH: 'tls' },
      'must be post, basic, basic_plain, private_key_jwt or none',
    ],
    [
      'a template',
      { ...good, CLIENT_CREDMON_AUTHZ_TEMPLATE: 'read:/{group}' },
      'is the only field',
    ],
  ])('R45 %s is a mistake', (_, knobs, text) => {
    expect(mistakes(knobs)).toContain(text);
  });

  it('a complete one has no problem, and a knob of the provider wins over one of the kind', () => {
    const settings = settingsWith({
      CLIENT_CREDMON_PROVIDER_NAMES: 'svc, two',
      ...good,
      CLIENT_CREDMON_svc_CLIENT_ID: 'own',
    });
    expect(settings.tokenClients.map(({ name, clientId }) => [name, clientId])).toEqual([
      ['svc', 'own'],
      ['two', 'ap'],
    ]);
  });
});
