// R30 for every source of tokens: what is granted beyond what was asked for is refused,
// what is not granted is told.
import { GENERIC_POLICY } from '@credmon/core/profiles';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { startVault } from '@credmon/test-fixtures/servers/fake-vault';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { checkScopes } from '../../../src/providers/common/granted-scopes.ts';
import { accessPoint, type AccessPoint } from '../../support/access-point.ts';
import { bench, json, meta, useText, type Bench } from '../../support/bench.ts';
import { AP, SOURCES, sourceKnobs, sourceTop, type SourceKind } from '../../support/sources.ts';

let issuer: Issuer;
let on: AccessPoint;
beforeAll(async () => {
  issuer = await startIssuer({ clients: [AP], accessTokenTtl: 600 });
});
afterAll(() => issuer.close());
beforeEach(() => {
  on = accessPoint();
});
afterEach(async () => {
  await issuer.setFault();
  await on.close();
});

const knobs = (kind: SourceKind): Record<string, string> =>
  sourceKnobs(kind, issuer, on.secret('svc', AP.clientSecret));
const log = (): string => on.lines.join('\n');
const posts = (): number => on.sent.filter(({ method }) => method === 'POST').length;

async function stored(kind: SourceKind): Promise<void> {
  on.configure(knobs(kind));
  on.store('alice/svc.top', JSON.stringify(await sourceTop(kind, issuer)));
}

describe.each(SOURCES)('R30 %s', (kind) => {
  it('more than requested is rejected, nothing is stored, and the log has the scopes', async () => {
    await stored(kind);
    await issuer.setFault('wider-scope');
    await on.pass();
    expect([posts(), on.has('alice/svc.use')]).toEqual([1, false]);
    expect(log()).toContain('the issuer of svc granted more scopes than requested (admin)');
    expect(log()).toContain('CREDMON_svc_EXTRA_SCOPES');
    expect(log()).not.toContain('CANARY');
  });

  it('more at a renewal keeps the old token, and a rotated refresh token is kept and used', async () => {
    await stored(kind);
    await on.pass();
    const before = on.text('alice/svc.use');
    await issuer.setFault('wider-scope');
    on.clock.advance(400);
    await on.pass();
    expect(on.text('alice/svc.use')).toBe(before);
    await issuer.setFault();
    on.configure({ ...knobs(kind), CREDMON_svc_EXTRA_SCOPES: 'other' });
    on.clock.advance(100);
    await on.pass();
    expect(on.text('alice/svc.use')).not.toBe(before);
    expect(issuer.log.presentedTwice()).toEqual([]);
    expect(issuer.log.reuses()).toEqual([]);
  });

  it('more is accepted if listed in CREDMON_<PROVIDER>_EXTRA_SCOPES', async () => {
    await stored(kind);
    on.configure({ ...knobs(kind), CREDMON_svc_EXTRA_SCOPES: 'admin' });
    await issuer.setFault('wider-scope');
    await on.pass();
    expect(on.read('alice/svc.use')).toMatchObject({ scope: 'read write admin' });
  });

  it('more is accepted, and logged, if CREDMON_<PROVIDER>_SCOPE_POLICY is issuer', async () => {
    await stored(kind);
    on.configure({ ...knobs(kind), CREDMON_svc_SCOPE_POLICY: 'issuer' });
    await issuer.setFault('wider-scope');
    await on.pass();
    expect(on.read('alice/svc.use')).toMatchObject({ scope: 'read write admin' });
    expect(log()).toContain('the issuer also granted admin');
  });

  it('a second name of a scope is accepted, but not by the policy exact', async () => {
    await stored(kind);
    const aliases = { CREDMON_svc_SCOPE_ALIASES: 'admin=read' };
    on.configure({ ...knobs(kind), ...aliases, CREDMON_svc_SCOPE_POLICY: 'exact' });
    await issuer.setFault('wider-scope');
    await on.pass();
    expect(on.has('alice/svc.use')).toBe(false);
    on.configure({ ...knobs(kind), ...aliases });
    on.clock.advance(100);
    await on.pass();
    expect(on.read('alice/svc.use')).toMatchObject({ scope: 'read write admin' });
  });

  it('fewer are stored, and logged once', async () => {
    await stored(kind);
    await issuer.setFault('narrower-scope');
    await on.pass();
    on.clock.advance(400);
    await on.pass();
    expect(on.read('alice/svc.use')).toMatchObject({ scope: 'write' });
    expect(on.lines.filter((line) => line.includes('the issuer did not grant read'))).toHaveLength(
      1,
    );
  });
});

const RULES = GENERIC_POLICY.scopes;

describe('R43 the text of a scope', () => {
  let at: Bench;
  beforeEach(() => {
    at = bench();
  });
  afterEach(() => rmSync(at.directory, { recursive: true, force: true }));

  it('puts no secret and no control character into the log or the failure file', async () => {
    const use = useText(at.clock.now() - 600, 1000);
    const top = '{"refresh_token":"CANARY-refresh","scopes":"read"}';
    at.seed('alice', 'box', { top, use, meta: meta() });
    const run = 'eyJCANARYCANARYCANARYCANARY';
    at.answer = async ({ form }) =>
      json({
        access_token: 'CANARY-access',
        refresh_token: 'CANARY-next',
        token_type: 'bearer',
        scope: `read admin ${form['refresh_token']} x${form['client_secret']} CANARY-access,CANARY-next ${run} \u001B]0;pwn\u0007 \u009B2J`,
      });
    await (
      await beginPass(at.context, at.lookup, at.memory)
    ).settled;
    const said = at.lines.join('\n');
    expect(said).toContain('granted more scopes than requested (admin [...])');
    for (const text of [said, at.read('alice', '.box.renewal')]) {
      expect(text.replaceAll('\n', '')).toMatch(/^[ -~]*$/);
      expect(text.toLowerCase()).not.toContain('canary');
    }
  });

  it.each([
    [
      'a long one that was requested',
      'https://issuer.example/scopes/data.read',
      'https://issuer.example/scopes/data.read',
    ],
    ['one with control characters', 'a\u001B[2J', '[...]'],
  ])('of what was not granted: %s', (_, scope, shown) => {
    const grant = { name: 'box', asked: `read ${scope}`, granted: 'read', scopes: RULES };
    expect(checkScopes(grant)).toEqual({ note: `the issuer did not grant ${shown}` });
  });
});

describe('R30 vault', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-scopes-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  it.each([
    [
      'more than requested is rejected',
      'read write admin',
      {},
      false,
      'granted more scopes than requested (admin)',
    ],
    [
      'more is accepted if listed',
      'read write admin',
      { CREDMON_dune_EXTRA_SCOPES: 'admin' },
      true,
      'Success',
    ],
    ['fewer are stored and logged', 'write', {}, true, 'the issuer did not grant read'],
    [
      'more is accepted and logged by the policy issuer',
      'read write admin',
      { CREDMON_dune_SCOPE_POLICY: 'issuer' },
      true,
      'the issuer also granted admin',
    ],
    ['a scope without authority over data is accepted', 'read write openid', {}, true, 'Success'],
    [
      'such a scope is rejected by the policy exact',
      'read write openid',
      { CREDMON_dune_SCOPE_POLICY: 'exact' },
      false,
      'granted more scopes than requested (openid)',
    ],
  ] as const)('%s, as the JWT says', async (_, granted, more, there, line) => {
    const made = makeCertificates(folder);
    const [key, cert] = [
      readFileSync(made.keyFile, 'utf8'),
      readFileSync(made.certificateFile, 'utf8'),
    ];
    const vault = await startVault({ key, cert });
    vault.setScopes(granted);
    on.configure({
      VAULT_CREDMON_PROVIDER_NAMES: 'dune',
      TRUSTED_VAULT_HOSTS: 'localhost',
      CREDMON_VAULT_PORTS: String(vault.port),
      AUTH_SSL_CLIENT_CAFILE: made.caFile,
      ...more,
    });
    const { token, path } = vault.login('alice', 'dune');
    const top = {
      vault_token: token,
      vault_url: `https://localhost:${vault.port}${path}`,
      scopes: 'read,write',
    };
    on.store('alice/dune.top', JSON.stringify(top));
    await on.pass();
    expect([on.has('alice/dune.use'), on.has('alice/dune.top')]).toEqual([there, true]);
    expect(log()).toContain(line);
    await vault.close();
  });
});
