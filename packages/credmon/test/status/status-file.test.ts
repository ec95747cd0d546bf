// The files that users read: what is accepted of them, and what they mean some time later.
import { describe, expect, it } from 'vitest';
import type { StatusRow } from '../../src/status/rows.ts';
import {
  fileText,
  parseHeartbeat,
  parseUserStatus,
  rowsAt,
  whyNotRunning,
  type Heartbeat,
} from '../../src/status/status-file.ts';

const row: StatusRow = {
  user: 'alice',
  service: 'mytok',
  handle: 'h1',
  provider: 'oauth',
  why: null,
  state: 'fresh',
  expired: false,
  expires_at: 2000,
  next_renewal: 1500,
  attempts: 0,
  last_error: null,
};
const status = { directory: '/creds', written_at: 1000, every: 60, tokens: [row] };
const heartbeat: Heartbeat = {
  directory: '/creds',
  daemon: 12,
  pid_namespace: 'pid:[1]',
  checked_at: 1000,
  every: 60,
};
const error = { code: 'ISSUER_BUSY', message: 'later', at: 900 };

describe('a status file', () => {
  it('is read as it was written, with members of later versions', () => {
    expect(parseUserStatus(fileText(status))).toEqual(status);
    const later = { ...status, tokens: [{ ...row, last_error: error, more: 1 }], also: 2 };
    expect(parseUserStatus(JSON.stringify(later))).toEqual(later);
  });

  it.each<readonly [string, string]>([
    ['no JSON', '{'],
    ['a list', '[]'],
    ['no time', JSON.stringify({ ...status, written_at: undefined })],
    ['a time that is no number', JSON.stringify({ ...status, every: '60' })],
    ['rows that are no list', JSON.stringify({ ...status, tokens: {} })],
    ...Object.keys(row).map(
      (name) =>
        [
          `a row whose ${name} has another type`,
          JSON.stringify({ ...status, tokens: [{ ...row, [name]: ['x'] }] }),
        ] as const,
    ),
    [
      'an error without a code',
      JSON.stringify({ ...status, tokens: [{ ...row, last_error: { message: '', at: 1 } }] }),
    ],
  ])('with %s is invalid', (_, text) => expect(parseUserStatus(text)).toBeUndefined());
});

describe('a heartbeat', () => {
  it('is read as it was written', () => {
    expect(parseHeartbeat(fileText(heartbeat))).toEqual(heartbeat);
  });

  it.each(Object.keys(heartbeat))('without a valid %s is invalid', (name) => {
    expect(parseHeartbeat(JSON.stringify({ ...heartbeat, [name]: [] }))).toBeUndefined();
    expect(parseHeartbeat(JSON.stringify({ ...heartbeat, [name]: undefined }))).toBeUndefined();
  });
});

describe('some time after a row was written', () => {
  it.each([
    ['before it is due, nothing changes', {}, 1499, {}],
    ['a fresh token is due', {}, 1500, { state: 'due' }],
    ['a waiting token is due', { state: 'waiting' }, 1500, { state: 'due' }],
    ['a stopped token stays stopped', { state: 'stopped', next_renewal: null }, 1999, {}],
    ['a token has expired', {}, 2000, { state: 'due', expired: true }],
    ['a token without a time of expiry has not', { expires_at: null }, 1e9, { state: 'due' }],
    [
      'a token that is not managed never counts as expired',
      { provider: null, state: 'unmanaged', next_renewal: null },
      1e9,
      {},
    ],
  ] as const)('%s', (_, before, now, after) => {
    expect(rowsAt([{ ...row, ...before }], now)).toEqual([{ ...row, ...before, ...after }]);
  });
});

it.each([
  ['without a heartbeat', undefined, 1000, undefined, 'no condor_credmon is running here'],
  ['at the end of a pass', heartbeat, 1000, true, undefined],
  ['when its process cannot be seen', heartbeat, 1180, undefined, undefined],
  [
    'when its process is gone',
    heartbeat,
    1001,
    false,
    'condor_credmon (process 12) is not running any more',
  ],
  [
    'after three missed checks, also with a process of that number',
    heartbeat,
    1181,
    true,
    'condor_credmon seems not to run: it last checked the tokens 3m01s ago, and should every 1m00s',
  ],
])('the daemon, %s: %o', (_, beat, now, alive, expected) => {
  expect(whyNotRunning(beat, { now, alive })).toBe(expected);
});
