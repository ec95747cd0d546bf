// The plan: the decision on every token, the order of renewals, and the time of the next
// check.
import { describe, expect, it } from 'vitest';
import type { RenewalState, TokenSnapshot } from '../../src/credential/snapshot.ts';
import { ANY_BASIS } from '../../src/renewal/backoff.ts';
import { judge, planRenewals, type ManagedToken, type TokenState } from '../../src/renewal/plan.ts';
import { managed, NOW, token, useOf, written } from './snapshots.ts';

const failed: RenewalState = {
  attempts: 1,
  last_attempt: NOW.wall - 10,
  not_before: NOW.wall + 50,
  stopped: false,
  code: 'ISSUER_BUSY',
  message: 'busy',
  basis: 'basis',
};
const old = useOf({ issuedAt: NOW.wall - 3000, expiresAt: NOW.wall + 600 });
const timeless = useOf({ issuedAt: NOW.wall - 3000, expiresAt: Number.POSITIVE_INFINITY });
const missing = { use: { kind: 'missing' } } as const;
const never = Number.POSITIVE_INFINITY;

describe('the decision on a token', () => {
  const cases: [
    string,
    Partial<TokenSnapshot>,
    Partial<ManagedToken>,
    TokenState,
    string,
    number | undefined,
  ][] = [
    ['is fresh', {}, {}, 'fresh', 'lifetime', undefined],
    ['is due', { use: old }, {}, 'due', 'lifetime', undefined],
    ['is due without .use', missing, {}, 'due', 'use-missing', Number.NEGATIVE_INFINITY],
    ['R7 waits after a failure', { use: old, renewal: failed }, {}, 'waiting', 'ISSUER_BUSY', 50],
    [
      'R7 waits also without .use',
      { ...missing, renewal: failed },
      {},
      'waiting',
      'ISSUER_BUSY',
      50,
    ],
    [
      'R7 is due when the delay is over',
      { use: old, renewal: { ...failed, not_before: NOW.wall } },
      {},
      'due',
      'lifetime',
      undefined,
    ],
    [
      'R7 is due when the failure was for another .top',
      { use: old, renewal: failed },
      { basis: () => 'new' },
      'due',
      'lifetime',
      undefined,
    ],
    [
      'R5 is due when the failure is dated tomorrow',
      {
        use: old,
        renewal: { ...failed, last_attempt: NOW.wall + 86_400, not_before: NOW.wall + 86_500 },
      },
      {},
      'due',
      'lifetime',
      undefined,
    ],
    [
      'R5 waits when the failure is a second ahead of the clock, due to rounding or a small step',
      { use: old, renewal: { ...failed, last_attempt: NOW.wall + 1 } },
      {},
      'waiting',
      'ISSUER_BUSY',
      50,
    ],
    [
      'R5 is due when the failure is more than a second ahead of the clock',
      { use: old, renewal: { ...failed, last_attempt: NOW.wall + 2 } },
      {},
      'due',
      'lifetime',
      undefined,
    ],
    [
      'R7 waits on any basis when it was postponed because of its issuer',
      { use: old, renewal: { ...failed, basis: ANY_BASIS } },
      { basis: () => 'new' },
      'waiting',
      'ISSUER_BUSY',
      50,
    ],
    [
      'R9 R27 has stopped also while its access token is still valid',
      { renewal: { ...failed, stopped: true, code: 'GRANT_REVOKED' } },
      {},
      'stopped',
      'GRANT_REVOKED',
      never,
    ],
    [
      'is fresh despite an earlier failure',
      { renewal: failed },
      {},
      'fresh',
      'lifetime',
      undefined,
    ],
    [
      'R9 has stopped',
      { use: old, renewal: { ...failed, stopped: true, code: 'GRANT_REVOKED', not_before: 0 } },
      {},
      'stopped',
      'GRANT_REVOKED',
      never,
    ],
    [
      'R9 starts again with a new .top',
      { use: old, renewal: { ...failed, stopped: true } },
      { basis: () => 'new' },
      'due',
      'lifetime',
      undefined,
    ],
    [
      'R17 is not renewable',
      { use: old },
      { renewable: { ok: false, reason: 'has no .meta' } },
      'unrenewable',
      'unrenewable',
      never,
    ],
    ['is fresh for ever if it does not expire', { use: timeless }, {}, 'fresh', 'lifetime', never],
    [
      'is fresh if it does not expire, although it cannot be renewed',
      { use: timeless },
      { renewable: { ok: false, reason: 'has no refresh token' } },
      'fresh',
      'lifetime',
      never,
    ],
    [
      'R17 is not renewable if another login has replaced its .top, although it does not expire',
      { use: timeless, overtaken: true },
      { renewable: { ok: false, reason: 'has no refresh token' } },
      'unrenewable',
      'unrenewable',
      never,
    ],
  ];
  it.each(cases)('%s', (_, snapshot, changes, state, reason, dueIn) => {
    const verdict = judge(managed(token(snapshot), changes), NOW);
    expect([verdict.state, verdict.reason]).toEqual([state, reason]);
    expect(verdict.dueIn).toBe(dueIn ?? verdict.dueIn);
    expect(verdict.dueIn > 0).toBe(state !== 'due');
  });

  it.each([
    ['forward', 86_400],
    ['back', -86_400],
  ])('R5 a clock step of a day %s changes nothing for known tokens', (_, step) => {
    const later = { wall: NOW.wall + step + 60, steady: NOW.steady + 60 };
    expect(judge(managed(token()), later).state).toBe('fresh');
    expect(judge(managed(token({ use: old })), later).state).toBe('due');
    const expired = { wall: NOW.wall + step + 4000, steady: NOW.steady + 4000 };
    expect(judge(managed(token()), expired).state).toBe('due');
  });

  it('R5 a .top dated in the future does not cause a renewal at every check', () => {
    const top = {
      kind: 'valid',
      value: { opaque: true, refreshToken: 'absent' },
      identity: written(NOW.wall + 86_400),
    } as const;
    expect(judge(managed(token({ top })), NOW).state).toBe('fresh');
  });
});

describe('the plan', () => {
  const at = (stem: string, changes: Partial<TokenSnapshot>): ManagedToken =>
    managed(token({ stem, ...changes }));
  const expiring = (left: number): TokenSnapshot['use'] =>
    useOf({ issuedAt: NOW.wall - 3000, expiresAt: NOW.wall + left });

  it('renews missing tokens first, then by expiry, then by name', () => {
    const tokens = [
      at('later', { use: expiring(900) }),
      at('b', { use: expiring(300) }),
      at('a', { use: expiring(300) }),
      at('expired', { use: expiring(-5) }),
      at('missing', missing),
      at('broken', { use: { kind: 'broken', reason: 'is empty' } }),
      at('fresh', {}),
    ];
    const plan = planRenewals(tokens, NOW);
    expect(plan.renew.map((verdict) => verdict.managed.snapshot.stem)).toEqual([
      'broken',
      'missing',
      'expired',
      'a',
      'b',
      'later',
    ]);
    expect([...plan.verdicts].map((verdict) => verdict.managed.snapshot.stem)).toEqual(
      tokens.map(({ snapshot }) => snapshot.stem),
    );
  });

  it('gives the time of the next check: the next token that is fresh or waits', () => {
    const waiting = at('waiting', { use: old, renewal: failed });
    const stopped = at('stopped', { use: old, renewal: { ...failed, stopped: true } });
    expect(planRenewals([waiting, stopped, at('fresh', {}), at('due', missing)], NOW).nextIn).toBe(
      50,
    );
    expect(planRenewals([stopped], NOW).nextIn).toBe(never);
    expect(planRenewals([], NOW)).toEqual({ renew: [], verdicts: [], nextIn: never });
  });

  it('R3 one unreadable token does not prevent the renewal of 30 others', () => {
    const others = Array.from({ length: 30 }, (_, index) => at(`t${index}`, missing));
    const broken = managed(token({ top: { kind: 'broken', reason: 'is a symbolic link' } }), {
      renewable: { ok: false, reason: 'is a symbolic link' },
    });
    expect(planRenewals([broken, ...others], NOW).renew).toHaveLength(30);
  });
});

it('R4 the basis is computed for failed tokens only', () => {
  let asked = 0;
  const basis = (): string => `basis ${(asked += 1)}`;
  judge(managed(token({ use: old }), { basis }), NOW);
  expect(asked).toBe(0);
  judge(managed(token({ use: old, renewal: failed }), { basis }), NOW);
  expect(asked).toBe(1);
});
