// What a person reads after `condor_credmon renew`.
import { expect, it } from 'vitest';
import { refusal } from '../../src/requests/request.ts';
import { resultRow, resultSentence } from '../../src/commands/renew.ts';

const NOW = 1_700_000_000;
const wanted = { user: 'alice', stem: 'mytok_h1' };
const result = refusal('it was renewed a moment ago; ask again in 20 s', NOW);

it.each([
  [
    'a renewal',
    { result: 'renewed', expires_at: NOW + 3599, message: null },
    'renewed alice/mytok_h1: valid for 59m59s',
  ],
  [
    'a renewal whose token does not expire',
    { result: 'renewed', message: null },
    'renewed alice/mytok_h1',
  ],
  ['a refusal', {}, 'did not renew alice/mytok_h1: it was renewed a moment ago; ask again in 20 s'],
  [
    'a dead grant, with the command for its user',
    {
      result: 'failed',
      provider: 'oauth',
      code: 'GRANT_REVOKED',
      message: 'alice/mytok_h1: invalid_grant',
    },
    'failed to renew alice/mytok_h1 (GRANT_REVOKED): invalid_grant; fix: alice runs this and submits again: condor_store_cred delete-oauth -s mytok -H h1',
  ],
  [
    'an issuer that is not available',
    {
      provider: 'oauth',
      code: 'ISSUER_UNREACHABLE',
      message: 'cannot reach X',
      next_renewal: NOW + 90,
    },
    'did not renew alice/mytok_h1 (ISSUER_UNREACHABLE): cannot reach X; the daemon tries again in 1m30s; see ISSUER_UNREACHABLE in docs/errors.md',
  ],
  [
    'a fault without a code',
    { result: 'failed', message: 'unexpected error: x' },
    'failed to renew alice/mytok_h1: unexpected error: x',
  ],
] as const)('%s', (_, change, expected) => {
  expect(resultSentence(wanted, { ...result, ...change }, NOW)).toBe(expected);
});

it('the row names the token as status does', () => {
  expect(resultRow(wanted, result)).toEqual({
    user: 'alice',
    service: 'mytok',
    handle: 'h1',
    ...result,
  });
});
