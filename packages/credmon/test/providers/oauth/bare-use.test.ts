// CREDMON_<P>_TOKEN_USE_JSON = false: jobs get the bare token, and its times are in our own
// state file, also for an opaque token and after a restart.
import { mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { instantOf } from '@credmon/core/credential';
import { openCredentialDirectory } from '@credmon/core/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { revocationFiles } from '../../../src/commands/revoke.ts';
import { emptyMemory } from '../../../src/daemon/context.ts';
import { beginPass } from '../../../src/daemon/pass.ts';
import { removeToken } from '../../../src/revocation/files.ts';
import { statusRow } from '../../../src/status/rows.ts';
import { bench, json, meta, useText, type Bench } from '../../support/bench.ts';

const BARE = { CREDMON_svc_TOKEN_USE_JSON: 'false' };
let on: Bench;
beforeEach(() => start(BARE));
afterEach(() => rmSync(on.directory, { recursive: true, force: true }));

/** A bench whose token is due; the issuer answers with these members, and rotates. */
function start(knobs: Readonly<Record<string, string>>, answer: object = {}): void {
  on = bench({ knobs });
  on.seed('alice', 'svc', { top: '{"refresh_token":"r1","scopes":"read write"}', meta: meta() });
  on.seed('alice', 'svc', { use: useText(on.clock.now() - 9000, 10_000) });
  on.answer = async () =>
    json({
      access_token: `opaque-${on.asked.length}`,
      token_type: 'bearer',
      expires_in: 10_000,
      scope: 'read',
      refresh_token: `r${on.asked.length + 1}`,
      ...answer,
    });
}

type Row = ReturnType<typeof statusRow>;

/** One pass; returns the row of the token in its status. */
async function pass(
  on_: Pick<Bench, 'context' | 'lookup' | 'memory' | 'clock'> = on,
): Promise<Row> {
  const begun = await beginPass(on_.context, on_.lookup, on_.memory);
  await begun.settled;
  const [verdict] = begun.plan.verdicts;
  if (!verdict) throw new Error('no token is managed');
  return statusRow(verdict.managed.snapshot, verdict, instantOf(on_.clock));
}

/** The same in a process that has just started. */
function passAfterRestart(): Promise<Row> {
  const store = openCredentialDirectory(on.directory, { defaultLifetime: 1200, locked: true });
  const memory = emptyMemory(on.clock.now());
  return pass({ ...on, context: { ...on.context, store }, memory });
}

const files = (): string[] =>
  readdirSync(join(on.directory, 'alice'))
    .map((name) => `${name} ${modeOf(name)}`)
    .sort();
const modeOf = (name: string): string =>
  (statSync(join(on.directory, 'alice', name)).mode & 0o777).toString(8);
const state = (): Record<string, unknown> =>
  JSON.parse(on.read('alice', '.svc.issued')) as Record<string, unknown>;

describe('a renewal', () => {
  it('R20 writes the bare token, and its times and granted scopes beside it', async () => {
    await pass();
    const issued = on.clock.now();
    expect(files()).toEqual(['.svc.issued 600', 'svc.meta 600', 'svc.top 400', 'svc.use 400']);
    expect(on.read('alice', 'svc.use')).toBe('opaque-1\n');
    expect(state()).toEqual({
      token_sha256: expect.stringMatching(/^[\da-f]{64}$/) as string,
      issued_at: issued,
      expires_at: issued + 10_000,
      scope: 'read',
    });
  });

  it('R43 of a token whose state holds no secret', async () => {
    await pass();
    expect(on.read('alice', '.svc.issued')).not.toMatch(/opaque-1|"r\d|canary/);
  });

  it('R5 is scheduled by the lifetime, also after a restart', async () => {
    await pass();
    const issued = on.clock.now();
    on.clock.advance(3900);
    for (const row of [await pass(), await passAfterRestart()])
      expect(row).toMatchObject({ state: 'fresh', expired: false, expires_at: issued + 10_000 });
    expect(on.asked).toHaveLength(1);
    on.clock.advance(1200);
    await passAfterRestart();
    expect([on.asked.length, on.read('alice', 'svc.use')]).toEqual([2, 'opaque-2\n']);
  });

  it('R5 knows after a restart that a token does not expire', async () => {
    rmSync(on.directory, { recursive: true });
    start({ ...BARE, CREDMON_svc_PROFILE: 'github' }, { expires_in: undefined });
    await pass();
    expect(state()).toMatchObject({ does_not_expire: true });
    on.clock.advance(1e9);
    expect(await passAfterRestart()).toMatchObject({ state: 'fresh', expires_at: null });
    expect(on.asked).toHaveLength(1);
  });

  it('R5 knows after a restart that a token expires, where others do not', async () => {
    rmSync(on.directory, { recursive: true });
    start({ ...BARE, CREDMON_svc_PROFILE: 'github' });
    await pass();
    on.clock.advance(9000);
    await passAfterRestart();
    expect(on.asked).toHaveLength(2);
  });

  it('a .use that another program stores later has the default lifetime of its provider', async () => {
    await pass();
    on.clock.advance(100);
    const path = join(on.directory, 'alice', 'svc.use');
    rmSync(path);
    writeFileSync(path, 'theirs\n', { mode: 0o400 });
    // The state was written this moment, so the token may be half of a login: due at once.
    expect(await passAfterRestart()).toMatchObject({ state: 'due' });
    expect(on.read('alice', 'svc.use')).toBe('opaque-2\n');
  });

  it('R14 a token that is not readable without JSON is rejected, and the old one is kept', async () => {
    rmSync(on.directory, { recursive: true });
    start(BARE, { access_token: '123' });
    await pass();
    expect(on.lines.join('\n')).toContain('invalid token response for svc: the resulting .use');
    expect([on.has('alice', '.svc.issued'), JSON.parse(on.read('alice', 'svc.top'))]).toMatchObject(
      [false, { refresh_token: 'r2' }],
    );
  });

  it('with JSON again removes the state', async () => {
    await pass();
    const other = bench();
    on.clock.advance(6000);
    await pass({ ...on, lookup: other.lookup });
    rmSync(other.directory, { recursive: true });
    expect(JSON.parse(on.read('alice', 'svc.use'))).toMatchObject({ access_token: 'opaque-2' });
    expect(on.has('alice', '.svc.issued')).toBe(false);
  });

  it('R3 of a token whose state cannot be replaced sends no request', async () => {
    mkdirSync(join(on.directory, 'alice', '.svc.issued'));
    await pass();
    expect([on.asked, on.lines.filter((line) => line.startsWith('warn'))]).toEqual([
      [],
      [
        'warn alice/svc: cannot be renewed: .svc.issued is a directory: the administrator must remove it',
      ],
    ]);
  });
});

it('R31 a revocation removes the state and finds the bare token', async () => {
  await pass();
  const store = openCredentialDirectory(on.directory, { defaultLifetime: 1200 });
  const token = { user: 'alice', stem: 'svc' };
  const removed = await removeToken(
    token,
    store.read('alice', 'svc'),
    revocationFiles(on.directory, store),
    on.clock,
  );
  expect(removed).toEqual({
    names: ['svc.use', 'svc.top', 'svc.meta', '.svc.issued'],
    uses: ['opaque-1\n'],
  });
  expect(files()).toEqual([]);
});
