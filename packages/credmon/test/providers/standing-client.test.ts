// Standing tokens by client credentials, at a real issuer: issue, renew, outage, rejectionOf,
// bad answers, rollover, and other settings.
import { chmodSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CodedError } from '@credmon/core/base';
import { startIssuer, type FaultName, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { evaluateTokens, openStore } from '../../src/commands/read-directory.ts';
import { accessPoint, settingsWith, type AccessPoint } from '../support/access-point.ts';

const SECRET = 'CANARY-standing-secret';
const client = {
  clientId: 'frontend',
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

const file = (): string => join(on.directory, '..', 'ce1.token');
const text = (): string => readFileSync(file(), 'utf8');

/** The knobs of one standing token, `ce1`, of the client `site`, which no list names. */
function knobs(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    CLIENT_CREDMON_site_CLIENT_ID: 'frontend',
    CLIENT_CREDMON_site_CLIENT_SECRET_FILE: on.secret('site', `${SECRET}\n`),
    CLIENT_CREDMON_site_ISSUER: issuer.url,
    CLIENT_CREDMON_site_AUTHZ_TEMPLATE: 'storage.read:/',
    CLIENT_CREDMON_site_RESOURCE: 'https://data.example',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_ce1_PROVIDER: 'site',
    CREDMON_STANDING_ce1_PATH: file(),
    ...more,
  };
}
const requests = (): number => issuer.log.requests.length;

describe('a standing token of a client', () => {
  it('is a bare token, mode 0600, with the scopes and the resource of its client', async () => {
    on.configure(knobs());
    await on.pass();
    expect(text()).toMatch(/^[\w-]+\.[\w-]+\.[\w-]+\n$/);
    expect(statSync(file()).mode & 0o7777).toBe(0o600);
    expect(await verifyToken(issuer, text().trim())).toMatchObject({
      scope: 'storage.read:/',
      aud: 'https://data.example',
    });
    await on.pass();
    expect(requests()).toBe(1);
  });

  it('has its own scope and resource, and in JSON the shape of .use', async () => {
    on.configure(
      knobs({
        CREDMON_STANDING_ce1_SCOPE: 'compute.read',
        CREDMON_STANDING_ce1_RESOURCE: 'https://ce1.example',
        CREDMON_STANDING_ce1_FORMAT: 'json',
        CREDMON_STANDING_ce1_MODE: '0640',
      }),
    );
    await on.pass();
    const contents = JSON.parse(text()) as Record<string, unknown>;
    const now = on.clock.now();
    expect(contents).toEqual({
      access_token: expect.any(String) as unknown,
      token_type: 'Bearer',
      scope: 'compute.read',
      expires_in: 600,
      issued_at: now,
      expires_at: now + 600,
    });
    expect(await verifyToken(issuer, String(contents['access_token']))).toMatchObject({
      scope: 'compute.read',
      aud: 'https://ce1.example',
    });
    expect(statSync(file()).mode & 0o7777).toBe(0o640);
  });

  it('with its own audience does not use the audience and resource of its client', async () => {
    on.configure(knobs({ CREDMON_STANDING_ce1_AUDIENCE: 'ce1.example:9619, ce2.example:9619' }));
    await on.pass();
    const form = new URLSearchParams(String(on.sent.find(({ method }) => method === 'POST')?.body));
    expect([form.get('audience'), form.get('resource')]).toEqual([
      'ce1.example:9619 ce2.example:9619',
      null,
    ]);
  });

  it('R5 is renewed at the fraction of its lifetime, also when it is opaque', async () => {
    await issuer.close();
    issuer = await startIssuer({
      clients: [client],
      accessTokenTtl: 300,
      accessTokenFormat: 'opaque',
    });
    on.configure(knobs());
    await on.pass();
    const first = text();
    on.clock.advance(100);
    await on.pass();
    expect(text()).toBe(first);
    on.clock.advance(60);
    await on.pass();
    expect([text() === first, requests()]).toEqual([false, 2]);
  });

  it.each<FaultName>([
    'html',
    'empty',
    'no-access-token',
    'huge',
    'redirect',
    'server-error',
    'reset',
  ])(
    'R14 R17 is kept during an outage or an invalid answer (%s), with one line with its remaining lifetime, and is renewed afterwards',
    async (fault) => {
      on.configure(knobs());
      await on.pass();
      const first = text();
      on.clock.advance(310);
      await issuer.setFault(fault);
      await on.pass();
      on.clock.advance(60);
      await on.pass();
      expect(text()).toBe(first);
      const alarms = on.lines.filter((line) => line.includes('the old token is valid for'));
      // A redirect is a matter for the administrator; it is said as one.
      expect(alarms).toEqual([
        expect.stringMatching(/^\(standing\)\/ce1: .*the old token is valid for 29[01] s more/),
      ]);
      await issuer.setFault();
      on.clock.advance(120);
      if (fault === 'redirect') on.configure(knobs({ CREDMON_STANDING_ce1_SCOPE: 'compute.read' }));
      await on.pass();
      expect(text()).not.toBe(first);
    },
  );

  it('R8 waits as long as Retry-After says', async () => {
    on.configure(knobs());
    await issuer.setFault('too-many', { retryAfter: 300 });
    await on.pass();
    on.clock.advance(290);
    await on.pass();
    expect(requests()).toBe(1);
    await issuer.setFault();
    on.clock.advance(15);
    await on.pass();
    expect(requests()).toBe(2);
    expect(on.lines.join('\n')).toContain('there is no valid token');
  });

  it('R9 R29 is rejected once for a wrong secret, and is fetched with the new one', async () => {
    on.configure(knobs());
    await issuer.addClient({ ...client, clientSecret: 'CANARY-rolled' });
    await on.pass();
    on.clock.advance(3600);
    await on.pass();
    expect(issuer.log.requests.map(({ outcome }) => outcome)).toEqual(['invalid_client']);
    expect(on.lines.join('\n')).toContain('the administrator must act');
    on.secret('site', 'CANARY-rolled\n');
    await on.pass();
    expect(await verifyToken(issuer, text().trim())).toMatchObject({ client_id: 'frontend' });
    expect(on.lines.join('\n')).not.toContain('CANARY');
  });

  it('R30 with more scopes than requested is not stored, and the old one is kept', async () => {
    on.configure(knobs());
    await on.pass();
    const first = text();
    on.clock.advance(310);
    await issuer.setFault('wider-scope');
    await on.pass();
    on.clock.advance(60);
    await on.pass();
    expect([text() === first, requests()]).toEqual([true, 2]);
    expect(on.lines.join('\n')).toMatch(
      /granted more scopes than requested \(admin\); the token was not stored; .*the old token is valid for 29[01] s more; .*the administrator must act/,
    );
  });

  it('for another subject than configured is not stored; for the right one it is', async () => {
    on.configure(knobs({ CREDMON_STANDING_ce1_SUBJECT: 'somebody-else' }));
    await on.pass();
    expect(() => text()).toThrow('ENOENT');
    expect(on.lines.join('\n')).toContain('subject mismatch: CREDMON_STANDING_ce1_SUBJECT is');
    on.configure(knobs({ CREDMON_STANDING_ce1_SUBJECT: 'frontend' }));
    await on.pass();
    expect((await verifyToken(issuer, text().trim())).sub).toBe('frontend');
  });

  it.each<[string, () => void]>([
    ['is empty', () => writeFileSync(file(), '')],
    ['is not a token', () => writeFileSync(file(), 'this is not a token\n')],
    ['is JSON', () => writeFileSync(file(), '{"access_token":"x"}')],
    ['is open to others', () => chmodSync(file(), 0o644)],
    ['is missing', () => rmSync(file())],
  ])('that %s is fetched again at the next pass', async (_, break_) => {
    on.configure(knobs());
    await on.pass();
    break_();
    await on.pass();
    await on.pass();
    expect(await verifyToken(issuer, text().trim())).toMatchObject({ scope: 'storage.read:/' });
    expect([statSync(file()).mode & 0o7777, requests()]).toEqual([0o600, 2]);
  });

  it('is fetched at once after a change of the configuration; if that fails, the old one is kept and counts as working', async () => {
    on.configure(knobs());
    await on.pass();
    const first = text();
    await issuer.setFault('server-error');
    on.configure(knobs({ CREDMON_STANDING_ce1_SCOPE: 'compute.read' }));
    await on.pass();
    expect([text(), on.lines.join('\n')]).toEqual([
      first,
      // The issuer's clock is the machine's, and continues while the test's stands.
      expect.stringMatching(/the old token is valid for 6\d\d s more/),
    ]);
    await issuer.setFault();
    on.clock.advance(30);
    await on.pass();
    expect(await verifyToken(issuer, text().trim())).toMatchObject({ scope: 'compute.read' });
    await on.pass();
    expect(requests()).toBe(3);
  });

  it('that is opaque is accepted after a restart, and later changes of the configuration count', async () => {
    await issuer.close();
    issuer = await startIssuer({ clients: [client], accessTokenFormat: 'opaque' });
    writeFileSync(file(), 'opaque-token\n', { mode: 0o600 });
    on.configure(knobs());
    await on.pass();
    expect([text(), requests()]).toEqual(['opaque-token\n', 0]);
    on.configure(knobs({ CREDMON_STANDING_ce1_SCOPE: 'compute.read' }));
    await on.pass();
    await on.pass();
    expect([text() === 'opaque-token\n', requests()]).toEqual([false, 1]);
  });

  it.each<[string, Record<string, string>, number]>([
    ['the same', {}, 1],
    ['another scope', { CREDMON_STANDING_ce1_SCOPE: 'compute.read' }, 2],
    ['another resource', { CREDMON_STANDING_ce1_RESOURCE: 'https://ce2.example' }, 2],
    // This issuer does not heed it, which must not be asked for at every pass.
    ['an audience that the token does not name', { CREDMON_STANDING_ce1_AUDIENCE: 'ce1' }, 2],
  ])(
    'after a restart with %s configuration is fetched again only if necessary',
    async (_, more, asked) => {
      on.configure(knobs());
      await on.pass();
      const stored = text();
      const again = accessPoint();
      const path = join(again.directory, '..', 'ce1.token');
      writeFileSync(path, stored, { mode: 0o600 });
      again.configure({ ...knobs(more), CREDMON_STANDING_ce1_PATH: path });
      await again.pass();
      await again.pass();
      await again.pass();
      expect(requests()).toBe(asked);
      await again.close();
    },
  );
});

describe('a token for another audience than requested', () => {
  const AUDIENCE = { CREDMON_STANDING_ce1_AUDIENCE: 'ce2.example.edu:9619' };
  /** What a process that starts now finds due. */
  const dueElsewhere = async (more: Record<string, string>): Promise<string[]> => {
    const settings = settingsWith(knobs(more), on.directory);
    const seen = { wall: on.clock.now(), steady: on.clock.steady() };
    const { tokens } = await openStore(settings).scan(seen);
    return evaluateTokens(tokens, settings, seen).map(({ row }) => row.state);
  };

  it('is stored, fetched and logged once, also with a daemon or a status that starts later', async () => {
    on.configure(knobs(AUDIENCE));
    await on.pass();
    expect(await dueElsewhere(AUDIENCE)).toEqual(['fresh']);
    expect(await dueElsewhere({ CREDMON_STANDING_ce1_AUDIENCE: 'ce3.example.edu' })).toEqual([
      'due',
    ]);
    await on.pass();
    expect(requests()).toBe(1);
    on.clock.advance(400);
    await on.pass();
    const notes = on.lines.filter((line) => line.includes('gave a token'));
    expect(notes).toEqual([
      `(standing)/ce1: the issuer gave a token for ${issuer.url}/api, not for ce2.example.edu:9619; services may reject it`,
    ]);
    expect(requests()).toBe(2);
    expect(on.text('.credmon-standing.json')).not.toMatch(/CANARY|eyJ/);
  });

  it('is fetched again when its file was written by another program', async () => {
    on.configure(knobs(AUDIENCE));
    await on.pass();
    const again = text();
    rmSync(file());
    writeFileSync(file(), again, { mode: 0o600 });
    expect(await dueElsewhere(AUDIENCE)).toEqual(['due']);
    await on.pass();
    expect([await dueElsewhere(AUDIENCE), requests()]).toEqual([['fresh'], 2]);
  });

  it.each(['{', '[]', '{"ce1":null}', '{"ce1":{"stands":1,"identity":{"ino":"x"}}}'])(
    'an invalid state file (%s) is ignored',
    async (memory) => {
      on.configure(knobs(AUDIENCE));
      await on.pass();
      writeFileSync(join(on.directory, '.credmon-standing.json'), memory);
      expect(await dueElsewhere(AUDIENCE)).toEqual(['due']);
    },
  );
});

describe('settings', () => {
  it('report the missing knobs of a client, and scopes that need a user', () => {
    let said = '';
    try {
      settingsWith({
        CLIENT_CREDMON_site_CLIENT_ID: 'frontend',
        CLIENT_CREDMON_site_AUTHZ_TEMPLATE: 'read:/{username}',
        CREDMON_STANDING_TOKENS: 'ce1',
        CREDMON_STANDING_ce1_PROVIDER: 'site',
      });
    } catch (error) {
      said = (error as CodedError).message;
    }
    for (const line of [
      'CLIENT_CREDMON_site_CLIENT_SECRET_FILE is not set',
      'CLIENT_CREDMON_site_TOKEN_URL is not set',
      'CREDMON_STANDING_ce1_PATH is not set',
      'CREDMON_STANDING_ce1_SCOPE is not set, and the scopes of site are for a user',
    ])
      expect(said).toContain(line);
    expect(said).not.toMatch(/SUBJECT|AUDIENCE|LIFETIME/);
  });

  it('warn about a lifetime that only the issuer can choose', () => {
    const { warnings } = settingsWith(knobs({ CREDMON_STANDING_ce1_LIFETIME: '60' }));
    expect(warnings).toEqual([expect.stringContaining('CREDMON_STANDING_ce1_LIFETIME ignored')]);
  });

  it('a listed client serves jobs and standing tokens; an unlisted one serves no job', () => {
    const listed = settingsWith(knobs({ CLIENT_CREDMON_PROVIDER_NAMES: 'site' }));
    const unlisted = settingsWith(knobs());
    expect(
      [listed, unlisted].map(({ lists, standing }) => [lists.client, standing[0]?.kind]),
    ).toEqual([
      [['site'], 'fetched'],
      [[], 'fetched'],
    ]);
  });
});
