// Renewals with unusual contents of .top, and with client secrets that look like
// scopes.
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { bench, json, meta, useText, type Bench } from '../../support/bench.ts';

let on: Bench;
beforeEach(() => {
  on = bench();
});
afterEach(() => rmSync(on.directory, { recursive: true, force: true }));

async function renew(top: unknown, metaText = meta(), scope?: string): Promise<void> {
  const use = useText(on.clock.now() - 600, 1000);
  on.seed('alice', 'mytok', { top: JSON.stringify(top), use, meta: metaText });
  on.answer = async () =>
    json({
      access_token: 'new',
      token_type: 'bearer',
      expires_in: 600,
      ...(scope === undefined ? {} : { scope }),
    });
  await (
    await beginPass(on.context, on.lookup, on.memory)
  ).settled;
}

describe('R14 .top with "scopes"', () => {
  it.each([
    ['a number', 7],
    ['an object', {}],
    ['a list with a number', ['a', 7]],
    ['a boolean', true],
  ])('that are %s sends no request and says which file is wrong', async (_, scopes) => {
    await renew({ refresh_token: 'r1', scopes });
    expect(on.asked).toEqual([]);
    expect(on.lines.join('\n')).toContain(
      'alice/mytok: .top has "scopes" that are neither text nor a list of texts',
    );
    expect(JSON.parse(on.read('alice', '.mytok.renewal'))).toMatchObject({
      code: 'CRED_FILE_INVALID',
    });
  });

  it.each([
    ['a text', 'a, b'],
    ['a list of texts', ['a', 'b']],
    ['nothing', null],
  ])('that are %s is renewed', async (_, scopes) => {
    await renew({ refresh_token: 'r1', scopes }, meta(), 'a b');
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({
      access_token: 'new',
      scope: 'a b',
    });
  });

  it('that are a list are the requested scopes', async () => {
    await renew({ refresh_token: 'r1', scopes: ['a', 'b'] }, meta(), 'a b admin');
    expect(on.lines.join('\n')).toContain('granted more scopes than requested (admin)');
  });
});

describe('R14 R30 a short client secret that is also a word of a scope', () => {
  it.each([
    ['a', 'a'],
    ['condor', 'condor:/READ'],
    ['read', 'storage.read:/ read'],
  ])('secret %s, scope %s: the scope is stored and is not wider', async (secret, scope) => {
    const client = JSON.stringify({ ...JSON.parse(meta()), client_secret: secret });
    await renew({ refresh_token: 'refresh-token-1', scopes: scope }, client, scope);
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'new', scope });
  });
});
