// Tokens in trouble, in few words.
import { expect, it } from 'vitest';
import type { StatusRow } from '../../src/status/rows.ts';
import { administratorTexts, attentionTexts, unownedTexts } from '../../src/status/summary.ts';

const row = (change: Partial<StatusRow>): StatusRow => ({
  user: 'alice',
  service: 'mytok',
  handle: '',
  provider: 'oauth',
  why: null,
  state: 'fresh',
  expired: false,
  expires_at: 2000,
  next_renewal: null,
  attempts: 0,
  last_error: null,
  ...change,
});
const error = (code: string, message = 'said no'): StatusRow['last_error'] => ({
  code,
  message,
  at: 1,
});

it.each([
  [
    'nothing about tokens without problems',
    [row({}), row({ state: 'waiting', last_error: error('ISSUER_BUSY') })],
    [],
  ],
  [
    'a revoked login, and the command to run',
    [
      row({
        user: 'bob',
        handle: 'h1',
        state: 'stopped',
        last_error: error('GRANT_REVOKED', 'bob/mytok_h1: gone'),
      }),
      row({ user: 'carl', state: 'stopped', last_error: error('GRANT_REVOKED') }),
    ],
    [
      'bob/mytok_h1 and 1 more are stopped (GRANT_REVOKED): gone; fix: bob runs this and submits again: condor_store_cred delete-oauth -s mytok -H h1',
    ],
  ],
  [
    'one sentence for each problem, the most frequent first',
    [
      row({ expired: true }),
      row({
        service: 'dune',
        state: 'stopped',
        expired: true,
        last_error: error('ENDPOINT_REFUSED'),
      }),
      row({
        user: 'bob',
        service: 'dune',
        state: 'stopped',
        expired: true,
        last_error: error('ENDPOINT_REFUSED'),
      }),
      row({ service: 'x', expired: true, expires_at: null }),
    ],
    [
      'alice/dune and 1 more are expired and stopped (ENDPOINT_REFUSED): said no; see ENDPOINT_REFUSED in docs/errors.md',
      'alice/mytok is expired, and not renewed yet',
      'alice/x is unusable, and not renewed yet',
    ],
  ],
])('tells %s', (_, rows, expected) => {
  expect(attentionTexts(rows)).toEqual(expected);
});

it('quotes names for a shell, and is short with many problems', () => {
  const rows = ['a b', 's2', 's3'].map((service) =>
    row({ service, state: 'stopped', last_error: error('CRED_FILE_INVALID') }),
  );
  expect(attentionTexts(rows, 1)).toEqual([
    "alice/a b is stopped (CRED_FILE_INVALID): said no; fix: alice runs this and submits again: condor_store_cred delete-oauth -s 'a b'",
    'and 2 more: condor_credmon status --json has their messages',
  ]);
});

it.each([
  ['CLIENT_REFUSED', 'stopped', 1],
  ['ENDPOINT_REFUSED', 'stopped', 1],
  ['ISSUER_ANSWER_INVALID', 'waiting', 1],
  ['GRANT_REVOKED', 'stopped', 0],
  ['ISSUER_UNREACHABLE', 'waiting', 0],
  ['USER_REFUSED', 'stopped', 0],
  ['SOMETHING_ELSE', 'stopped', 0],
] as const)('R44 %s of a token that is %s: needs the administrator %d', (code, state, count) => {
  const failed = row({ state, last_error: error(code) });
  expect(administratorTexts([failed, row({})])).toHaveLength(count);
  expect(administratorTexts([{ ...failed, provider: null }])).toEqual([]);
});

it('R44 a token that is still valid is not renewed', () => {
  const failed = row({ state: 'waiting', last_error: error('ISSUER_ANSWER_INVALID') });
  expect(administratorTexts([failed])).toEqual([
    'alice/mytok is not renewed (ISSUER_ANSWER_INVALID): said no; see ISSUER_ANSWER_INVALID in docs/errors.md',
  ]);
});

it('says why a token is not renewed', () => {
  const why = 'foo is in no list';
  const foo = row({ service: 'foo', provider: null, why, state: 'unmanaged' });
  expect(unownedTexts([foo, row({}), { ...foo, user: 'bob' }])).toEqual([
    'alice/foo and 1 more are not renewed: foo is in no list',
  ]);
});
