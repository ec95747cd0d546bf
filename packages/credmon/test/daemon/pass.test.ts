// Passes over a real directory with a token endpoint that misbehaves in every way.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { CodedError, type HttpResponse } from '@credmon/core/base';
import type { AuditEntry } from '@credmon/core/log';
import type { CredentialStore } from '@credmon/core/store';
import { describe, expect, it } from 'vitest';
import { createLimiter } from '../../src/throttle/limiter.ts';
import { beginPass } from '../../src/daemon/pass.ts';
import { createAuditReport } from '../../src/report/audit-report.ts';
import { reportToAll } from '../../src/report/events.ts';
import { bench, json, meta, useText, type Bench } from '../support/bench.ts';

const pass = async (on: Bench): Promise<number> =>
  (await beginPass(on.context, on.lookup, on.memory)).settled;
const due = (on: Bench) => useText(on.clock.now() - 600, 1000);
const top = (token: string, more: object = {}): string =>
  JSON.stringify({ refresh_token: token, ...more });

function seedDue(on: Bench, user = 'alice', stem = 'mytok'): void {
  on.seed(user, stem, { use: due(on), top: top('r1'), meta: meta() });
  // What was stored first must not look newer than what was stored last.
  on.seed(user, stem, { use: due(on) });
}

describe('a renewal', () => {
  it('R20 writes .use and the rotated .top with mode 0400, by rename, and keeps the other keys', async () => {
    const on = bench();
    on.seed('alice', 'mytok_h1', {
      top: top('r1', { scopes: 'a, b', audience: 'x', extra: 1 }),
      meta: meta(),
    });
    on.seed('alice', 'mytok_h1', { use: due(on) });
    const before = statSync(join(on.directory, 'alice/mytok_h1.use')).ino;
    const nextIn = await pass(on);
    const issued = Math.floor(on.clock.now());
    expect(JSON.parse(on.read('alice', 'mytok_h1.top'))).toEqual({
      refresh_token: 'r2',
      scopes: 'a, b',
      audience: 'x',
      extra: 1,
    });
    expect(JSON.parse(on.read('alice', 'mytok_h1.use'))).toEqual({
      access_token: 'new-access-1',
      token_type: 'bearer',
      expires_in: 1000,
      issued_at: issued,
      expires_at: issued + 1000,
    });
    const stats = statSync(join(on.directory, 'alice/mytok_h1.use'));
    expect([stats.mode & 0o7777, stats.ino === before]).toEqual([0o400, false]);
    expect(statSync(join(on.directory, 'alice/mytok_h1.top')).mode & 0o7777).toBe(0o400);
    expect(nextIn).toBeGreaterThan(300);
    expect(on.lines).toContainEqual(expect.stringContaining('Successfully renewed alice/mytok_h1'));
  });

  it('R16 keeps the old refresh token when the answer has none', async () => {
    const on = bench();
    seedDue(on);
    on.answer = async () => json({ access_token: 'a2', token_type: 'bearer', expires_in: 1000 });
    await pass(on);
    expect(JSON.parse(on.read('alice', 'mytok.top'))).toEqual({ refresh_token: 'r1' });
    expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({ access_token: 'a2' });
  });

  it('recovers a missing .use from a valid .top, and does not renew a fresh token', async () => {
    const on = bench();
    on.seed('alice', 'lost', { top: top('r1'), meta: meta() });
    on.seed('bob', 'fresh', { top: top('q1'), meta: meta() });
    on.seed('bob', 'fresh', { use: useText(on.clock.now() - 10, 1000) });
    await pass(on);
    expect(on.has('alice', 'lost.use')).toBe(true);
    expect(on.asked.map(({ form }) => form['refresh_token'])).toEqual(['r1']);
  });

  it.each([
    ['back', -86_400],
    ['forward', 86_400],
  ])(
    'R5 R15 a clock step of a day %s during a request does not date its answer',
    async (_, step) => {
      const on = bench();
      seedDue(on);
      on.answer = async () => {
        on.clock.advance(2);
        on.clock.step(step);
        return json({
          access_token: 'a',
          token_type: 'bearer',
          expires_in: 6,
          refresh_token: 'r2',
        });
      };
      const nextIn = await pass(on);
      const issued = Math.floor(on.clock.now() - 2);
      expect(JSON.parse(on.read('alice', 'mytok.use'))).toMatchObject({
        issued_at: issued,
        expires_at: issued + 6,
      });
      expect(nextIn).toBeLessThan(6);
      on.clock.advance(nextIn);
      await pass(on);
      expect(on.asked).toHaveLength(2);
    },
  );

  it('R5 a chmod or a restore from backup causes no renewal', async () => {
    const on = bench();
    on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
    on.seed('alice', 'mytok', { use: useText(on.clock.now() - 10, 1000) });
    chmodSync(join(on.directory, 'alice/mytok.use'), 0o600);
    await pass(on);
    expect(on.asked).toEqual([]);
  });

  it('R10 is not started twice while one is in flight', async () => {
    const on = bench();
    seedDue(on);
    let release: (answer: HttpResponse) => void = () => undefined;
    on.answer = () =>
      new Promise((resolve) => {
        release = resolve;
      });
    const first = pass(on);
    await expect.poll(() => on.asked.length).toBe(1);
    await pass(on);
    expect(on.asked.length).toBe(1);
    release(json({ access_token: 'a2', token_type: 'bearer', expires_in: 1000 }));
    await first;
    expect(on.has('alice', 'mytok.use')).toBe(true);
  });

  it('R21 a newer .top that arrives meanwhile wins, and nothing is written', async () => {
    const on = bench();
    seedDue(on);
    on.answer = async () => {
      rmSync(join(on.directory, 'alice/mytok.top'));
      on.seed('alice', 'mytok', { top: top('fresh-login') });
      return json({
        access_token: 'a2',
        token_type: 'bearer',
        expires_in: 1000,
        refresh_token: 'r2',
      });
    };
    await pass(on);
    expect(on.read('alice', 'mytok.top')).toBe(top('fresh-login'));
    expect(on.read('alice', 'mytok.use')).toContain('old-access');
  });

  it('R21 a directory that is swept meanwhile is not created again', async () => {
    const on = bench();
    seedDue(on);
    on.answer = async () => {
      rmSync(join(on.directory, 'alice'), { recursive: true });
      return json({
        access_token: 'a2',
        token_type: 'bearer',
        expires_in: 1000,
        refresh_token: 'r2',
      });
    };
    await pass(on);
    expect(on.has('alice', '')).toBe(false);
    expect(on.memory.unwritten.size).toBe(0);
  });
});

describe('one bad token', () => {
  const good = Array.from({ length: 30 }, (_, index) => `u${index}`);
  const damage: readonly (readonly [string, (path: string, on: Bench) => void])[] = [
    ['.use is []', (path) => writeFileSync(`${path}.use`, '[]')],
    ['.use is null', (path) => writeFileSync(`${path}.use`, 'null')],
    ['.use is {}', (path) => writeFileSync(`${path}.use`, '{}')],
    [
      '.use has expires_in "soon"',
      (path) => writeFileSync(`${path}.use`, '{"access_token":"a","expires_in":"soon"}'),
    ],
    ['.top is []', (path) => writeFileSync(`${path}.top`, '[]')],
    ['.top has no refresh token', (path) => writeFileSync(`${path}.top`, '{}')],
    ['.meta is empty', (path) => writeFileSync(`${path}.meta`, '')],
    [
      '.meta has no client_id',
      (path) => writeFileSync(`${path}.meta`, '{"token_url":"https://x/"}'),
    ],
    [
      '.meta points to a file: URL',
      (path) => writeFileSync(`${path}.meta`, meta('file:///etc/passwd')),
    ],
    ['.use is a directory', (path) => (rmSync(`${path}.use`), mkdirSync(`${path}.use`))],
    [
      '.top is a link',
      (path) => (rmSync(`${path}.top`), symlinkSync('/etc/hostname', `${path}.top`)),
    ],
    ['.use is huge', (path) => writeFileSync(`${path}.use`, Buffer.alloc(3 * 1024 * 1024, 'x'))],
  ];

  it.each(damage)('R3 does not stop others: %s', async (_, break_) => {
    const on = bench();
    for (const user of good) seedDue(on, user);
    seedDue(on, 'm');
    break_(join(on.directory, 'm/mytok'), on);
    await pass(on);
    const renewed = good.filter((user) => on.read(user, 'mytok.use').includes('new-access'));
    expect(renewed).toEqual(good);
  });

  const answers: readonly (readonly [string, () => Promise<HttpResponse>])[] = [
    [
      'R14 HTML',
      async () => ({
        status: 200,
        headers: { 'content-type': 'text/html' },
        body: Buffer.from('<html>'),
      }),
    ],
    [
      'R14 an empty body',
      async () => ({
        status: 200,
        headers: { 'content-type': 'application/json' },
        body: Buffer.from(''),
      }),
    ],
    ['R14 []', async () => json([])],
    ['R14 no access token', async () => json({ token_type: 'bearer', expires_in: 3 })],
    [
      'R14 a refresh token of 20 KiB',
      async () =>
        json({ access_token: 'a', token_type: 'bearer', refresh_token: 'r'.repeat(20_480) }),
    ],
    [
      'R14 a number for an access token',
      async () => json({ access_token: 5, token_type: 'bearer' }),
    ],
    [
      'R26 a redirect',
      async () => ({
        status: 302,
        headers: { location: 'https://evil.example/' },
        body: Buffer.from(''),
      }),
    ],
    ['R9 500', async () => json({}, 500)],
    ['R8 429', async () => json({ error: 'slow_down' }, 429, { 'retry-after': '30' })],
    ['R9 invalid_grant', async () => json({ error: 'invalid_grant' }, 400)],
    ['R9 invalid_client', async () => json({ error: 'invalid_client' }, 401)],
    [
      'no connection',
      async () =>
        Promise.reject(new CodedError('ISSUER_UNREACHABLE', 'https://bad.example: ECONNREFUSED')),
    ],
  ];

  it.each(answers)(
    'keeps its old .use and does not stop others when the issuer answers %s',
    async (_, bad) => {
      const on = bench();
      for (const user of good) seedDue(on, user);
      on.seed('m', 'mytok', { top: top('bad'), meta: meta('https://bad.example/token') });
      on.seed('m', 'mytok', { use: due(on) });
      const healthy = on.answer;
      on.answer = (asked) => (asked.url.includes('bad.example') ? bad() : healthy(asked));
      await pass(on);
      expect(good.filter((user) => !on.read(user, 'mytok.use').includes('new-access'))).toEqual([]);
      expect(on.read('m', 'mytok.use')).toContain('old-access');
      expect(JSON.parse(on.read('m', '.mytok.renewal'))).toMatchObject({ attempts: 1 });
      expect(
        on.lines.filter((line) => line.includes('m/mytok') && !line.startsWith('debug')),
      ).toHaveLength(1);
      await pass(on);
      expect(on.asked.filter(({ url }) => url.includes('bad.example'))).toHaveLength(1);
    },
  );
});

it('R12 keeps the rotated refresh token of a rejected answer, and waits before sending it', async () => {
  const on = bench();
  seedDue(on);
  on.answer = async () =>
    json({ access_token: 7, token_type: 'bearer', refresh_token: `s${on.asked.length}` });
  await pass(on);
  expect(JSON.parse(on.read('alice', 'mytok.top'))).toEqual({ refresh_token: 's1' });
  expect(on.read('alice', 'mytok.use')).toContain('old-access');
  await pass(on);
  expect(on.asked).toHaveLength(1);
  on.clock.advance(20);
  await pass(on);
  expect(on.asked.map(({ form }) => form['refresh_token'])).toEqual(['r1', 's1']);
  expect(JSON.parse(on.read('alice', '.mytok.renewal'))).toMatchObject({ attempts: 2 });
});

it('R7 renews a new login at once after failures that rotated the refresh token', async () => {
  const on = bench();
  on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
  const healthy = on.answer;
  on.answer = async () =>
    json({ access_token: 7, token_type: 'bearer', refresh_token: `s${on.asked.length}` });
  for (let round = 0; round < 8; round += 1) {
    await pass(on);
    on.clock.advance(round < 7 ? 900 : 1);
  }
  expect(on.asked).toHaveLength(8);
  await pass(on);
  expect(on.asked).toHaveLength(8);
  on.answer = healthy;
  rmSync(join(on.directory, 'alice', 'mytok.top'));
  on.seed('alice', 'mytok', { top: top('again') });
  await pass(on);
  expect([on.asked.at(-1)?.form['refresh_token'], on.has('alice', 'mytok.use')]).toEqual([
    'again',
    true,
  ]);
});

it('R12 sends no refresh token while the rotated .top of a dead process cannot be put in place', async () => {
  let broken = true;
  const on = bench({
    store: (real) => ({
      ...real,
      settle: (path, target) => {
        if (broken) throw new CodedError('CRED_FILE_IO', `cannot settle ${path} (EIO)`);
        real.settle(path, target);
      },
    }),
  });
  seedDue(on);
  writeFileSync(join(on.directory, 'alice/.mytok.top.d1.1.credmon-tmp'), top('rotated'), {
    mode: 0o400,
  });
  await pass(on);
  expect(on.asked).toEqual([]);
  broken = false;
  await pass(on);
  expect(on.asked.map(({ form }) => form['refresh_token'])).toEqual(['rotated']);
});

it('R3 sends no request for a token whose .use is a directory', async () => {
  const on = bench();
  seedDue(on);
  rmSync(join(on.directory, 'alice/mytok.use'));
  mkdirSync(join(on.directory, 'alice/mytok.use'));
  await pass(on);
  expect(on.asked).toEqual([]);
  expect(on.lines).toContainEqual(
    'warn alice/mytok: cannot be renewed: .use is a directory: the administrator must remove it',
  );
});

describe('after a failure', () => {
  it.each([
    ['R7 retries after the backoff', async () => json({}, 500), 15, 2],
    [
      'R8 waits as long as Retry-After says',
      async () => json({}, 503, { 'retry-after': '300' }),
      200,
      1,
    ],
    [
      'R9 never retries a revoked grant',
      async () => json({ error: 'invalid_grant' }, 400),
      100_000,
      1,
    ],
  ])('%s', async (_, answer, later, requests) => {
    const on = bench();
    seedDue(on);
    on.answer = answer;
    await pass(on);
    on.clock.advance(later);
    await pass(on);
    expect(on.asked).toHaveLength(requests);
  });

  it('R7 a new .top resets the backoff, also after a restart', async () => {
    const on = bench();
    seedDue(on);
    on.answer = async () => json({ error: 'invalid_grant' }, 400);
    await pass(on);
    on.memory.failures.clear();
    await pass(on);
    expect(on.asked).toHaveLength(1);
    rmSync(join(on.directory, 'alice/mytok.top'));
    on.seed('alice', 'mytok', { top: top('after-login') });
    on.answer = async () => json({ access_token: 'a2', token_type: 'bearer', expires_in: 1000 });
    await pass(on);
    expect(on.asked.map(({ form }) => form['refresh_token'])).toEqual(['r1', 'after-login']);
    expect(on.has('alice', '.mytok.renewal')).toBe(false);
  });

  it('R9 R44 retries when a secret cannot be read, and log and state agree', async () => {
    const on = bench({
      knobs: {
        mytok_CLIENT_ID: 'me',
        mytok_TOKEN_URL: 'https://issuer.example/token',
        mytok_CLIENT_SECRET_FILE: '/nowhere/secret',
      },
    });
    seedDue(on);
    await pass(on);
    expect(on.lines.filter((line) => line.includes('secret file'))).toEqual([
      expect.stringMatching(
        /^error alice\/mytok: the client secret file .* is missing; tried again in \d+ s: the administrator must act$/,
      ),
    ]);
    const { plan } = await beginPass(on.context, on.lookup, on.memory);
    expect([...plan.verdicts].map(({ state }) => state)).toEqual(['waiting']);
    expect(on.asked).toEqual([]);
  });

  it('forgets tokens that are gone, after a complete scan', async () => {
    const on = bench();
    seedDue(on);
    seedDue(on, 'bob');
    on.answer = async () => json({}, 500);
    await pass(on);
    rmSync(join(on.directory, 'alice'), { recursive: true });
    await (
      await beginPass(on.context, on.lookup, on.memory, { interrupted: () => true })
    ).settled;
    expect([...on.memory.failures.keys()]).toEqual(['alice/mytok', 'bob/mytok']);
    await pass(on);
    expect([...on.memory.failures.keys()]).toEqual(['bob/mytok']);
  });

  it('R44 logs a repeating failure once', async () => {
    const on = bench();
    seedDue(on);
    on.answer = async () => json({}, 500);
    for (let round = 0; round < 5; round += 1) {
      await pass(on);
      on.clock.advance(2000);
    }
    expect(
      on.lines.filter((line) => line.startsWith('warn') && line.includes('alice/mytok')),
    ).toHaveLength(1);
  });
});

describe('an issuer with a token lifetime of 1 s', () => {
  const shortLived = (on: Bench): void => {
    on.answer = async () => json({ access_token: 'a2', token_type: 'bearer', expires_in: 1 });
  };
  const passes = async (on: Bench, count: number, seconds: number): Promise<void> => {
    for (let round = 0; round < count; round += 1) {
      await pass(on);
      on.clock.advance(seconds);
    }
  };

  it('R8 is finally asked every 30 s, not at every pass, with one warning', async () => {
    const on = bench();
    seedDue(on);
    seedDue(on, 'bob');
    shortLived(on);
    await passes(on, 300, 0.4);
    // Eight seconds pass with twenty renewals, and 112 with one each thirty.
    expect(on.asked).toHaveLength(2 * (20 + 4));
    expect(on.lines.filter((line) => line.includes('too short for any job'))).toEqual([
      'warn the issuer of mytok gives tokens with a lifetime of 1 s, too short for any job: after 20 renewals in a row they are renewed every 30 s only; ask the issuer for longer lifetimes',
    ]);
  });

  it('R7 is asked at once after a new login', async () => {
    const on = bench();
    seedDue(on);
    shortLived(on);
    await passes(on, 30, 1);
    const before = on.asked.length;
    rmSync(join(on.directory, 'alice/mytok.top'));
    on.seed('alice', 'mytok', { top: top('after-login') });
    await pass(on);
    expect(on.asked.slice(before).map(({ form }) => form['refresh_token'])).toEqual([
      'after-login',
    ]);
  });

  it('R3 is asked at once when .use is missing', async () => {
    const on = bench();
    seedDue(on);
    shortLived(on);
    await passes(on, 30, 1);
    const before = on.asked.length;
    rmSync(join(on.directory, 'alice/mytok.use'));
    await passes(on, 3, 1);
    expect(on.asked).toHaveLength(before + 1);
  });

  it('R8 a .top slightly in the future does not cause endless requests', async () => {
    const on = bench();
    seedDue(on);
    on.answer = async () => json({ access_token: 'a2', token_type: 'bearer', expires_in: 1000 });
    const soon = on.clock.now() + 100;
    utimesSync(join(on.directory, 'alice/mytok.top'), soon, soon);
    await passes(on, 100, 0.2);
    expect(on.asked).toHaveLength(1);
  });

  it('tokens with a lifetime of ten seconds are renewed in time', async () => {
    const on = bench();
    seedDue(on);
    on.answer = async () => json({ access_token: 'a2', token_type: 'bearer', expires_in: 10 });
    await passes(on, 120, 0.5);
    expect(on.asked.length).toBeGreaterThanOrEqual(11);
    expect(on.asked.length).toBeLessThanOrEqual(16);
  });
});

describe('tokens of one issuer', () => {
  const users = ['a', 'b', 'c', 'd', 'e', 'f'];
  const oneByOne = (on: Bench) => ({
    ...on.context,
    limiter: createLimiter({ cap: () => 1, steady: () => on.clock.steady() }),
  });
  const postponed = (on: Bench) => users.filter((user) => on.has(user, '.mytok.renewal'));

  it.each([
    [
      'R8 answered with Retry-After of a day',
      async () => json({}, 429, { 'retry-after': '86400' }),
    ],
    [
      'reset during the connection',
      async () =>
        Promise.reject(new CodedError('ISSUER_UNREACHABLE', 'https://issuer.example: ECONNRESET')),
    ],
  ])(
    'when one is %s: all others are renewed at once, and that one before it expires',
    async (_, bad) => {
      const on = bench();
      for (const user of users) seedDue(on, user);
      const healthy = on.answer;
      on.answer = (asked) => (on.asked.length === 1 ? bad() : healthy(asked));
      await (
        await beginPass(oneByOne(on), on.lookup, on.memory)
      ).settled;
      expect([on.asked.length, postponed(on).length]).toEqual([users.length, 1]);
      const [user = ''] = postponed(on);
      on.clock.advance(350);
      await pass(on);
      expect(on.read(user, 'mytok.use')).toContain('new-access');
    },
  );

  it('R1 two failing tokens of one user do not delay a new token of another user', async () => {
    const on = bench();
    const refused = new CodedError('ISSUER_UNREACHABLE', 'https://issuer.example: ECONNRESET');
    for (const n of [1, 2, 3, 4])
      on.seed('mallory', `mytok_h${n}`, { top: top(`bad${n}`), meta: meta() });
    const healthy = on.answer;
    on.answer = async (asked) => {
      if (asked.form['refresh_token']?.startsWith('bad')) throw refused;
      return healthy(asked);
    };
    await pass(on);
    on.seed('victim', 'mytok', { top: top('good'), meta: meta() });
    await pass(on);
    expect(on.has('victim', 'mytok.use')).toBe(true);
  });

  it('R1 skipped because of their issuer are due again each time the circuit closes', async () => {
    const on = bench();
    for (const user of users) on.seed(user, 'mytok', { top: top(user), meta: meta() });
    on.answer = async () =>
      Promise.reject(new CodedError('ISSUER_UNREACHABLE', 'https://issuer.example'));
    const context = oneByOne(on);
    for (let round = 0; round < 3; round += 1) {
      await (
        await beginPass(context, on.lookup, on.memory)
      ).settled;
      on.clock.advance(5);
    }
    const state = on.memory.failures.get('f/mytok');
    expect([on.asked.length, state?.attempts, state?.not_before]).toEqual([4, 0, on.clock.now()]);
  });

  it('R1 are skipped after two have failed, and a restart remembers only the tried ones', async () => {
    const on = bench();
    for (const user of users) seedDue(on, user);
    on.answer = async () =>
      Promise.reject(new CodedError('ISSUER_UNREACHABLE', 'https://issuer.example'));
    const context = oneByOne(on);
    const nextIn = await (await beginPass(context, on.lookup, on.memory)).settled;
    expect([on.asked.length, postponed(on).length, on.memory.failures.size]).toEqual([
      2,
      2,
      users.length,
    ]);
    expect(nextIn).toBeLessThanOrEqual(10);
    expect(on.lines.filter((line) => line.includes('skipped: issuer not available'))).toHaveLength(
      1,
    );
    on.clock.advance(1);
    await (
      await beginPass(context, on.lookup, on.memory)
    ).settled;
    expect(on.asked).toHaveLength(2);
    on.memory.failures.clear();
    await (
      await beginPass(oneByOne(on), on.lookup, on.memory)
    ).settled;
    expect(on.asked).toHaveLength(4);
  });
});

describe('R13 when the disk is full', () => {
  const broken =
    (times: number) =>
    (real: CredentialStore): CredentialStore => {
      let left = times;
      return {
        ...real,
        apply: (change) => {
          left -= 1;
          if (left >= 0 && change.writes.some(({ kind }) => kind === 'use'))
            throw new CodedError('CRED_FILE_IO', 'alice/mytok: cannot write (ENOSPC)');
          real.apply(change);
        },
      };
    };

  it('keeps the rotated refresh token in memory, sends none twice, and writes when there is space again', async () => {
    const on = bench({ store: broken(2) });
    seedDue(on);
    await pass(on);
    expect(on.read('alice', 'mytok.top')).toBe(top('r1'));
    await pass(on);
    await pass(on);
    expect(on.asked).toHaveLength(1);
    expect(JSON.parse(on.read('alice', 'mytok.top'))).toEqual({ refresh_token: 'r2' });
    expect(on.read('alice', 'mytok.use')).toContain('new-access');
  });

  it('the audit log has the renewal once it is written, once', async () => {
    const on = bench({ store: broken(2) });
    seedDue(on);
    const entries: AuditEntry[] = [];
    const audit = createAuditReport({ record: (entry) => void entries.push(entry) });
    const context = { ...on.context, report: reportToAll([on.context.report, audit]) };
    const passHere = async (): Promise<unknown> =>
      (await beginPass(context, on.lookup, on.memory)).settled;
    const issued = Math.floor(on.clock.now());
    await passHere();
    await passHere();
    expect(entries).toEqual([]);
    await passHere();
    await passHere();
    expect(entries).toEqual([
      {
        event: 'renewed',
        user: 'alice',
        service: 'mytok',
        handle: '',
        provider: 'oauth',
        details: { issued_at: issued, expires_at: issued + 1000, rotated: true },
      },
    ]);
  });
});

it('R11 R13 if only .top could be written, the other files are written later without another request', async () => {
  let full = true;
  const on = bench({
    store: (real) => ({
      ...real,
      apply: (change) => {
        if (!full || !change.writes.some(({ kind }) => kind === 'use')) return real.apply(change);
        real.apply({ ...change, writes: change.writes.filter(({ kind }) => kind === 'top') });
        const { ino, mtime, size } = real.read(change.user, change.stem).topIdentity ?? {};
        const done = change.writes.filter(({ kind }) => kind === 'top').length;
        throw new CodedError('CRED_FILE_IO', `half of ${change.stem} (ENOSPC)`, {
          done,
          ino,
          mtime,
          size,
        });
      },
    }),
  });
  seedDue(on);
  await pass(on);
  expect(JSON.parse(on.read('alice', 'mytok.top'))).toEqual({ refresh_token: 'r2' });
  expect(on.lines).toContainEqual(
    'error half of mytok (ENOSPC); kept in memory; retrying every 5 s',
  );
  await pass(on);
  full = false;
  await pass(on);
  expect(on.asked).toHaveLength(1);
  expect(on.read('alice', 'mytok.use')).toContain('new-access');
  expect([...on.memory.unwritten]).toEqual([]);
  expect(on.lines.filter((line) => line.startsWith('error'))).toHaveLength(1);
});

it('R43 no secret is in any log line', async () => {
  const on = bench();
  on.seed('alice', 'mytok', { top: top('canary-refresh'), meta: meta() });
  on.answer = async () =>
    json({
      access_token: 'canary-access',
      token_type: 'bearer',
      expires_in: 1000,
      refresh_token: 'canary-rotated',
    });
  await pass(on);
  on.seed('bob', 'mytok', { top: top('canary-refresh'), meta: meta() });
  on.answer = async () =>
    json(
      { error: 'invalid_grant', error_description: 'unknown canary-refresh-token-0123456789' },
      400,
    );
  await pass(on);
  expect(on.lines.length).toBeGreaterThan(2);
  expect(on.lines.join('\n')).not.toMatch(/canary/);
});

describe('a pass that a wake-up interrupts', () => {
  const called = { hurry: () => true, interrupted: () => true };

  it('R4 is aborted before it plans, for at most two seconds', async () => {
    const on = bench();
    seedDue(on);
    const cuts: boolean[] = [];
    for (const seconds of [0, 1, 1, 0]) {
      on.clock.advance(seconds);
      const begun = await beginPass(on.context, on.lookup, on.memory, called);
      await begun.settled;
      cuts.push(begun.cut);
    }
    expect([cuts, on.asked.length]).toEqual([[true, true, false, true], 1]);
  });

  it('R4 starts no more renewals, and the next pass starts the others', async () => {
    const on = bench();
    for (const user of ['alice', 'bob', 'carol']) seedDue(on, user);
    const woken = { interrupted: () => on.memory.inFlight.size > 0 };
    const counts: [boolean, number][] = [];
    for (const options of [woken, {}]) {
      const begun = await beginPass(on.context, on.lookup, on.memory, options);
      await begun.settled;
      counts.push([begun.cut, begun.started]);
    }
    expect(counts).toEqual([
      [true, 1],
      [false, 2],
    ]);
    expect(on.asked).toHaveLength(3);
    expect(on.memory.cutSince).toBeUndefined();
  });

  it('R4 still signs new tokens', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'credmon-keys-'));
    const keys = {
      LOCAL_CREDMON_PRIVATE_KEY: join(folder, 'private.pem'),
      LOCAL_CREDMON_PUBLIC_KEY: join(folder, 'public.pem'),
    };
    const on = bench({
      knobs: {
        LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
        LOCAL_CREDMON_TOKEN_AUDIENCE: 'ANY',
        ...keys,
      },
    });
    await pass(on);
    on.seed('alice', 'scitokens', { top: 'x' });
    const cut = await beginPass(on.context, on.lookup, on.memory, called);
    await cut.settled;
    expect([cut.cut, on.has('alice', 'scitokens.use')]).toEqual([true, true]);
  });
});

it('R10 a renewal that ends during a scan is not repeated because of the stale scan', async () => {
  let scanned = (): Promise<unknown> => Promise.resolve();
  const on = bench({
    store: (real) => ({
      ...real,
      scan: async (...args) => {
        const scan = await real.scan(...args);
        await scanned();
        return scan;
      },
    }),
  });
  seedDue(on);
  let answer: (response: HttpResponse) => void = () => undefined;
  on.answer = () => new Promise((resolve) => (answer = resolve));
  const first = await beginPass(on.context, on.lookup, on.memory);
  await expect.poll(() => on.asked.length).toBe(1);
  scanned = () => {
    answer(
      json({ access_token: 'a2', token_type: 'bearer', expires_in: 1000, refresh_token: 'r2' }),
    );
    return first.settled;
  };
  await (
    await beginPass(on.context, on.lookup, on.memory)
  ).settled;
  expect([on.asked.length, JSON.parse(on.read('alice', 'mytok.top'))]).toEqual([
    1,
    { refresh_token: 'r2' },
  ]);
});
