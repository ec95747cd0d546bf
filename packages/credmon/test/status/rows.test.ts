// The status table: what a person sees of a token.
import type { TokenSnapshot } from '@credmon/core/credential';
import { type Verdict, DEFAULT_POLICY } from '@credmon/core/renewal';
import { describe, expect, it } from 'vitest';
import { needsAttention, statusRow, statusTable } from '../../src/status/rows.ts';

const now = { wall: 1000, steady: 50 };
const snapshot: TokenSnapshot = {
  user: 'alice',
  stem: 'mytok_h1',
  top: { kind: 'missing' },
  use: {
    kind: 'valid',
    value: { issuedAt: 400, expiresAt: 1600 },
    identity: { ino: 1, mtime: 1, size: 1 },
  },
  meta: { kind: 'missing' },
  renewal: undefined,
  seen: now,
};
const verdict: Verdict = {
  managed: {
    snapshot,
    provider: 'oauth',
    renewable: { ok: true, value: true },
    basis: () => '',
    policy: DEFAULT_POLICY,
  },
  state: 'fresh',
  dueIn: 125.2,
  reason: 'lifetime',
};

describe('status', () => {
  it('shows owner, service, provider, state, expiry and next renewal', () => {
    const row = statusRow(snapshot, verdict, now);
    expect(row).toEqual({
      user: 'alice',
      service: 'mytok',
      handle: 'h1',
      provider: 'oauth',
      why: null,
      state: 'fresh',
      expired: false,
      expires_at: 1600,
      next_renewal: 1126,
      attempts: 0,
      last_error: null,
    });
    expect(statusTable([row], 1000)).toBe(
      'OWNER  SERVICE   PROVIDER       STATE  EXPIRES  NEXT   ERROR\nalice  mytok_h1  mytok (oauth)  fresh  10m00s   2m06s',
    );
  });

  it('shows a token that does not expire as never expiring, and not as trouble', () => {
    const use = {
      kind: 'valid',
      value: { issuedAt: 400, expiresAt: Number.POSITIVE_INFINITY },
      identity: { ino: 1, mtime: 1, size: 1 },
    } as const;
    const timeless = { ...snapshot, use };
    const renewable = { ok: false, reason: 'the issuer gave no refresh token' } as const;
    const token = { ...verdict.managed, snapshot: timeless, renewable };
    const row = statusRow(
      timeless,
      { ...verdict, managed: token, dueIn: Number.POSITIVE_INFINITY },
      now,
    );
    expect([needsAttention(row), JSON.parse(JSON.stringify(row))]).toMatchObject([
      false,
      { state: 'fresh', expired: false, expires_at: null, next_renewal: null, last_error: null },
    ]);
    expect(statusTable([row], 1000).split('\n')[1]).toMatch(/ fresh +never +never$/);
    // Without a provider, nobody knows.
    const unmanaged = statusRow({ ...timeless, use: { kind: 'missing' } }, undefined, now);
    expect(statusTable([unmanaged], 1000).split('\n')[1]).toMatch(/ unmanaged +- +never$/);
  });

  it('R17 flags an expired token; a token without a provider is not expired', () => {
    const expired: TokenSnapshot = { ...snapshot, use: { kind: 'missing' } };
    expect(needsAttention(statusRow(expired, verdict, now))).toBe(true);
    expect(statusRow(expired, undefined, now, 'no list names it')).toMatchObject({
      state: 'unmanaged',
      expired: false,
      provider: null,
      why: 'no list names it',
    });
  });

  it('shows the last error', () => {
    const renewal = {
      attempts: 3,
      last_attempt: 900,
      not_before: 950,
      stopped: true,
      code: 'GRANT_REVOKED',
      message: 'gone',
      basis: '',
    } as const;
    const row = statusRow(
      { ...snapshot, renewal },
      { ...verdict, state: 'stopped', dueIn: Number.POSITIVE_INFINITY },
      now,
    );
    expect(row).toMatchObject({
      state: 'stopped',
      attempts: 3,
      next_renewal: null,
      last_error: { code: 'GRANT_REVOKED', message: 'gone', at: 900 },
    });
    expect(needsAttention(row)).toBe(true);
  });

  const long = { ...snapshot, user: 'u'.repeat(60), stem: 's'.repeat(90) };
  const wide = statusRow(
    long,
    { ...verdict, managed: { ...verdict.managed, snapshot: long } },
    now,
  );
  const short = statusRow(snapshot, verdict, now);

  it('fits a terminal with any names, and the other columns are not cut', () => {
    const lines = statusTable([wide, short], 1000, 80).split('\n');
    expect(lines.filter((line) => line.length > 80)).toEqual([]);
    expect(lines[0]).toMatch(/^OWNER +SERVICE +PROVIDER +STATE {2}EXPIRES {2}NEXT {3}ERROR$/);
    expect(lines[1]).toMatch(/^u+~ {2}s+~ {2}s+~ {2}fresh {2}10m00s {3}2m06s$/);
    expect(lines[2]).toMatch(/^alice +mytok_h1 +mytok \(oauth\) +fresh {2}10m00s {3}2m06s$/);
  });

  it('cuts no name without a terminal', () => {
    const line = statusTable([wide], 1000).split('\n')[1] ?? '';
    expect(line.split(/ +/).slice(0, 4)).toEqual([long.user, long.stem, long.stem, '(oauth)']);
  });

  it.each([
    [-3, 'now'],
    [0.5, 'now'],
    [45.9, '45s'],
    [90_000, '1d01h'],
  ])('a token that expires in %d s shows %s', (seconds, text) => {
    const row = { ...short, expires_at: 1000 + seconds };
    expect(statusTable([row], 1000).split('\n')[1]).toContain(`fresh  ${text}`);
  });
});

it('R27 the table can have more rows than a call can have arguments', () => {
  const row = statusRow(snapshot, verdict, now);
  const rows = Array.from({ length: 130_000 }, () => row);
  expect(statusTable(rows, now.wall).split('\n')).toHaveLength(130_001);
});
