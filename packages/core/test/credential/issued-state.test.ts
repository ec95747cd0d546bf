// Our own state of a bare token: what it says, and of which token.
import { describe, expect, it } from 'vitest';
import {
  issuedText,
  parseIssued,
  tokenHash,
  withIssuedState,
  type IssuedState,
  type UseFacts,
} from '../../src/credential/issued-state.ts';
import type { FileState } from '../../src/credential/snapshot.ts';
import type { TokenTimes } from '../../src/credential/times.ts';
import type { TokenAnswer } from '../../src/credential/token-response.ts';

const never = Number.POSITIVE_INFINITY;
const times = { issuedAt: 1000, expiresAt: 4600 };
const answer = { accessToken: 'CANARY-token', scope: 'read write' };

describe('R5 the state of a bare token', () => {
  it.each<[string, Pick<TokenAnswer, 'accessToken' | 'scope'>, TokenTimes]>([
    ['its times and granted scopes', answer, times],
    ['that it does not expire', answer, { issuedAt: 1000, expiresAt: never }],
    ['no scopes, if the issuer named none', { accessToken: 'x' }, times],
  ])('keeps %s', (_, given, known) => {
    expect(parseIssued(issuedText(given, known))).toEqual({
      ok: true,
      value: { hash: tokenHash(given.accessToken), times: known, scope: given.scope },
    });
  });

  it('R43 has the hash of the token, not the token', () => {
    const text = issuedText(answer, times);
    expect(text).not.toContain('CANARY');
    expect(text).toMatch(
      /^\{"token_sha256":"[\da-f]{64}","issued_at":1000,"expires_at":4600,"scope":"read write"\}\n$/,
    );
  });

  it('leaves out a list of scopes that would make the file too large to read', () => {
    const text = issuedText({ accessToken: 'x', scope: 's'.repeat(1_000_000) }, times);
    expect(text.length).toBeLessThan(200);
  });

  const good = JSON.parse(issuedText(answer, times)) as Record<string, unknown>;
  it.each([
    ['nothing', ''],
    ['half of it', issuedText(answer, times).slice(0, 60)],
    ['a list', '[]'],
    ['no hash', JSON.stringify({ ...good, token_sha256: undefined })],
    ['a short hash', JSON.stringify({ ...good, token_sha256: 'abc' })],
    ['no time of issue', JSON.stringify({ ...good, issued_at: undefined })],
    ['no expiry', JSON.stringify({ ...good, expires_at: undefined })],
    ['an expiry before the issue', JSON.stringify({ ...good, expires_at: 10 })],
    ['times of wrong types', JSON.stringify({ ...good, issued_at: {}, expires_at: [] })],
  ])('R3 with %s is damaged', (_, text) => {
    expect(parseIssued(text)).toMatchObject({ ok: false });
  });
});

describe('R5 a bare token with a state file', () => {
  const assumed = { issuedAt: 2000, expiresAt: 3200 };
  const file = <T>(value: T, mtime: number): FileState<T> => ({
    kind: 'valid',
    value,
    identity: { ino: 1, mtime, size: 1 },
  });
  const use = file<TokenTimes>(assumed, 2000);
  const ours: UseFacts = { assumed: true, bare: true, hash: tokenHash('CANARY-token') };
  const state = (token: string, mtime: number): FileState<IssuedState> =>
    file({ hash: tokenHash(token), times }, mtime);
  const broken = { kind: 'broken', reason: 'is not JSON' } as const;

  it.each<[string, UseFacts, FileState<IssuedState>, TokenTimes, boolean, boolean]>([
    ['has the times of its own state', ours, state('CANARY-token', 1999), times, false, false],
    ['… also if that seems newer', ours, state('CANARY-token', 9999), times, false, false],
    ['keeps its own with the older state of another', ours, state('x', 1900), assumed, true, false],
    ['is unfinished with a newer state of another', ours, state('x', 2001), assumed, true, true],
    ['… also with one of the same moment', ours, state('x', 1990), assumed, true, true],
    ['is unfinished with a damaged state', ours, broken, assumed, true, true],
    ['keeps its own without a state', ours, { kind: 'missing' }, assumed, true, false],
    [
      'as JSON keeps its own beside any state',
      { assumed: false, bare: false },
      state('CANARY-token', 9999),
      assumed,
      false,
      false,
    ],
  ])('%s', (_, facts, issued, expected, isAssumed, unfinished) => {
    expect(withIssuedState(use, facts, issued)).toEqual({
      use: { ...use, value: expected },
      assumed: isAssumed,
      unfinished,
    });
  });

  it('that is missing or broken stays so', () => {
    for (const none of [{ kind: 'missing' }, broken] as const)
      expect(withIssuedState(none, ours, state('x', 1))).toEqual({
        use: none,
        assumed: true,
        unfinished: false,
      });
  });
});
