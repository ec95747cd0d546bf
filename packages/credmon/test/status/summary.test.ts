// Tokens in trouble, in few words.
import { expect, it } from 'vitest';
import type { StatusRow } from '../../src/status/rows.ts';
import { troubleTexts, unownedTexts } from '../../src/status/summary.ts';

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
    'nothing of tokens that are well',
    [row({}), row({ state: 'waiting', last_error: error('ISSUER_BUSY') })],
    [],
  ],
  [
    'whose login was revoked, and what to run',
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
    'one sentence for each kind of trouble, the one with most tokens first',
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
      'alice/mytok is expired, and not renewed so far',
      'alice/x is unusable, and not renewed so far',
    ],
  ],
])('tells %s', (_, rows, expected) => {
  expect(troubleTexts(rows)).toEqual(expected);
});

it('quotes what a shell could misread, and is brief when much is wrong', () => {
  const rows = ['a b', 's2', 's3'].map((service) =>
    row({ service, state: 'stopped', last_error: error('CRED_FILE_INVALID') }),
  );
  expect(troubleTexts(rows, 1)).toEqual([
    "alice/a b is stopped (CRED_FILE_INVALID): said no; fix: alice runs this and submits again: condor_store_cred delete-oauth -s 'a b'",
    'and 2 more of that kind: condor_credmon status lists them',
  ]);
});

it('tells why nobody renews a token', () => {
  const why = 'foo is in no list';
  const foo = row({ service: 'foo', provider: null, why, state: 'unmanaged' });
  expect(unownedTexts([foo, row({}), { ...foo, user: 'bob' }])).toEqual([
    'alice/foo and 1 more not renewed: foo is in no list',
  ]);
});
