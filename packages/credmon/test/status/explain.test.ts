// What decides one token's next step: the reason, the wait, and who must act.
import type { RenewalState, TokenSnapshot } from '@credmon/core/credential';
import { DEFAULT_POLICY, judge, type ManagedToken } from '@credmon/core/renewal';
import { describe, expect, it } from 'vitest';
import { explain, type Explanation, type TokenFacts } from '../../src/status/explain.ts';
import { explanationText } from '../../src/commands/explain.ts';
import { statusRow } from '../../src/status/rows.ts';

const now = { wall: 1_000_000, steady: 50 };
const identity = { ino: 1, mtime: 999_000, size: 30 };
const token: TokenSnapshot = {
  user: 'alice',
  stem: 'mytok_h1',
  top: {
    kind: 'valid',
    value: { opaque: false, refreshToken: 'present' },
    identity: { ...identity, mtime: 990_000 },
  },
  use: { kind: 'valid', value: { issuedAt: 999_000, expiresAt: 1_003_000 }, identity },
  meta: { kind: 'missing' },
  renewal: undefined,
  seen: now,
};
const failure: RenewalState = {
  attempts: 3,
  last_attempt: 999_900,
  not_before: 1_000_060,
  stopped: false,
  code: 'ISSUER_UNREACHABLE',
  message: 'cannot reach https://issuer.example',
  basis: 'b',
};

function factsOf(
  change: Partial<TokenSnapshot> = {},
  more: Partial<TokenFacts> & { readonly renewable?: ManagedToken['renewable'] } = {},
): TokenFacts {
  const { renewable = { ok: true, value: true }, ...facts } = more;
  const snapshot = { ...token, ...change };
  const managed: ManagedToken = {
    snapshot,
    provider: 'oauth',
    renewable,
    basis: () => 'b',
    policy: DEFAULT_POLICY,
  };
  return {
    row: statusRow(snapshot, judge(managed, now), now),
    now,
    daemon: 7,
    token: snapshot,
    managed,
    provider: { kind: 'oauth', profile: 'generic', issuer: 'https://issuer.example' },
    queue: null,
    published: null,
    ...facts,
  };
}

const missing = { kind: 'missing' } as const;
const due = { ...token.use, value: { issuedAt: 990_000, expiresAt: 1_003_000 } } as const;

describe('explain', () => {
  it('tells all about a token that is fresh', () => {
    expect(explain(factsOf())).toEqual({
      user: 'alice',
      service: 'mytok',
      handle: 'h1',
      why: null,
      state: 'fresh',
      expired: false,
      expires_at: 1_003_000,
      next_renewal: expect.any(Number) as number,
      attempts: 0,
      checked_at: 1_000_000,
      daemon: 7,
      provider: { kind: 'oauth', profile: 'generic', issuer: 'https://issuer.example' },
      files: [
        {
          name: 'mytok_h1.top',
          state: 'valid',
          note: 'has a refresh token',
          modified: 990_000,
          size: 30,
        },
        {
          name: 'mytok_h1.use',
          state: 'valid',
          note: 'expires 1970-01-12T14:36:40Z',
          modified: 999_000,
          size: 30,
        },
        { name: 'mytok_h1.meta', state: 'missing', note: null, modified: null, size: null },
      ],
      issued_at: 999_000,
      due: { at: expect.any(Number) as number, reason: '40 % to 50 % of its lifetime' },
      policy: { fraction: 0.5, jitter: 0.1, firstRetry: 10, longestRetry: 900 },
      backoff: null,
      circuit_breaker: null,
      queue: null,
      last_error: null,
      ignored_error: null,
      actor: 'nobody',
      next_step: expect.stringMatching(
        /^renewed at 1970-01-12T1\S+Z \(in \S+\): 40 % to 50 % of its lifetime$/,
      ) as string,
    });
  });

  it.each<[string, TokenFacts, Explanation['actor'], string]>([
    [
      'a token without .use is due now',
      factsOf({ use: missing }),
      'nobody',
      'the next pass of condor_credmon renews it: mytok_h1.use is missing',
    ],
    [
      'a new login is due now',
      factsOf({ overtaken: true }),
      'nobody',
      'the next pass of condor_credmon renews it: mytok_h1.top is newer than mytok_h1.use (a new login or credential)',
    ],
    [
      'nothing is renewed without a daemon',
      factsOf({}, { daemon: 'condor_credmon is not running' }),
      'administrator',
      'not renewed: condor_credmon is not running; fix: start condor_credmon (condor_on -daemon CREDMON_OAUTH)',
    ],
    [
      'a failed renewal waits, and nobody has to act while the issuer is away',
      factsOf({ use: due, renewal: failure }),
      'nobody',
      'tried again at 1970-01-12T13:47:40Z (in 1m00s)',
    ],
    [
      'a rejected refresh token needs the user',
      factsOf({ renewal: { ...failure, code: 'GRANT_REVOKED', message: 'gone', stopped: true } }),
      'user',
      'not renewed until a change of its .top file, its client or the secret: gone; fix: alice runs this and submits again: condor_store_cred delete-oauth -s mytok -H h1',
    ],
    [
      'a rejected client needs the administrator',
      factsOf({
        renewal: { ...failure, code: 'CLIENT_REFUSED', message: 'invalid_client', stopped: true },
      }),
      'administrator',
      expect.stringMatching(
        /^not renewed until a change of its .top file, its client or the secret, or a restart of condor_credmon: invalid_client; fix: the administrator corrects mytok_CLIENT_ID /,
      ) as string,
    ],
    [
      'a login without a refresh token is not renewed',
      factsOf(
        { top: { kind: 'valid', value: { opaque: false, refreshToken: 'empty' }, identity } },
        { renewable: { ok: false, reason: 'the issuer gave no refresh token' } },
      ),
      'user',
      expect.stringMatching(/^not renewed: the issuer gave no refresh token; fix: /) as string,
    ],
    [
      'a token without a provider needs the administrator',
      factsOf({}, { row: statusRow(token, undefined, now, 'no list names it'), managed: null }),
      'administrator',
      'not renewed: no list names it',
    ],
  ])('%s', (_, facts, actor, step) => {
    const { actor: its, next_step } = explain(facts);
    expect([its, next_step]).toEqual([actor, step]);
  });

  it('shows the backoff, and the change that ends it', () => {
    expect(explain(factsOf({ use: due, renewal: failure }))).toMatchObject({
      backoff: {
        attempts: 3,
        last_attempt: 999_900,
        until: 1_000_060,
        ends_with: 'the next attempt',
      },
      last_error: { code: 'ISSUER_UNREACHABLE', remedy: null },
    });
  });

  it('a failure of other files or another client is named as ignored', () => {
    expect(explain(factsOf({ renewal: { ...failure, basis: 'other' } }))).toMatchObject({
      backoff: null,
      last_error: null,
      ignored_error: 'ISSUER_UNREACHABLE: cannot reach https://issuer.example',
    });
  });

  it('an open circuit breaker, which only the daemon knows, counts as long as it is open', () => {
    const waiting = (until: number): TokenFacts => {
      const facts = factsOf({ use: due });
      const message = 'skipped: issuer not available (last error: cannot reach https://i.example)';
      const row = {
        ...facts.row,
        state: 'waiting' as const,
        next_renewal: until,
        last_error: { code: 'ISSUER_UNREACHABLE', message, at: 999_990 },
      };
      return { ...facts, published: { row, writtenAt: 999_995 } };
    };
    expect(explain(waiting(1_000_005))).toMatchObject({
      state: 'waiting',
      circuit_breaker: { until: 1_000_005, written_at: 999_995 },
      next_step: 'tried again at 1970-01-12T13:46:45Z (in 5s)',
      actor: 'nobody',
    });
    expect(explain(waiting(999_999))).toMatchObject({ state: 'due', circuit_breaker: null });
  });

  it('without access to the files it says what the daemon published', () => {
    const { row } = factsOf();
    const published = { row, writtenAt: 999_990 };
    const facts = {
      row,
      now,
      daemon: 7,
      token: null,
      managed: null,
      provider: null,
      queue: null,
      published,
    };
    expect(explain(facts)).toMatchObject({ files: null, due: null, policy: null, state: 'fresh' });
  });
});

it('the text begins with the next step and names the files', () => {
  const text = explanationText(explain(factsOf({ use: due, renewal: failure })));
  expect(text.split('\n').map((line) => line.trimStart().split('  ')[0])).toEqual([
    'alice/mytok_h1',
    'Next step',
    'Who acts',
    'State',
    'Provider',
    'Issued',
    'Expires',
    'Due',
    'Daemon',
    'Backoff',
    'Last error',
    'Files',
    'mytok_h1.top',
    'mytok_h1.use',
    'mytok_h1.meta',
    '.mytok_h1.renewal',
  ]);
  expect(text).toContain(
    '  Backoff     3 failed in a row, the last 1970-01-12T13:45:00Z (1m40s ago); no attempt until 1970-01-12T13:47:40Z (in 1m00s)\n',
  );
});

describe('the place of a due token in the queue of its issuer', () => {
  const other = (user: string, stem: string, expiresAt: number): TokenSnapshot => ({
    ...token,
    user,
    stem,
    use: { kind: 'valid', value: { issuedAt: 990_000, expiresAt }, identity },
  });
  const own = (use: TokenSnapshot['use'] = due): TokenSnapshot => ({ ...token, use });
  const queueWith = (others: readonly TokenSnapshot[], use = due): Explanation['queue'] =>
    explain(factsOf({ use }, { queue: { due: [own(use), ...others], cap: 16 } })).queue;

  it.each<[string, readonly TokenSnapshot[], number]>([
    ['alone', [], 0],
    ['a token of another user that expires earlier', [other('bob', 'x', 1_000_500)], 1],
    ['a token of another user that expires later', [other('bob', 'x', 1_009_000)], 0],
    [
      'users take turns: the second token of a user waits',
      [other('bob', 'x', 1_000_500), other('bob', 'y', 1_000_600), other('carl', 'z', 1_000_700)],
      2,
    ],
    ['an earlier token of the same user', [other('alice', 'a', 1_000_500)], 1],
  ])('%s', (_what, others, before) => {
    expect(queueWith(others)).toEqual({ due: others.length + 1, before, cap: 16 });
  });

  it('is text for a person', () => {
    const facts = factsOf(
      { use: due },
      { queue: { due: [own(), other('bob', 'x', 1_000_500)], cap: 16 } },
    );
    expect(explanationText(explain(facts))).toMatch(
      /^ +Queue +1 of 2 due tokens are before it at https:\/\/issuer\.example, where 16 are renewed at a time$/m,
    );
  });

  it('is not there for a token that is fresh', () => {
    expect(explain(factsOf({}, { queue: { due: [], cap: 16 } })).queue).toBe(null);
  });
});
