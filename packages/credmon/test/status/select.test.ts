// Which tokens `status` shows, and in which order.
import { describe, expect, it } from 'vitest';
import { type StatusRow, selectRows } from '../../src/status/rows.ts';
import { SELECT_ALL, type Selection } from '../../src/command-line/command.ts';

const now = 1000;
const row = (user: string, change: Partial<StatusRow> = {}): StatusRow => ({
  user,
  service: 'mytok',
  handle: '',
  provider: 'oauth',
  why: null,
  state: 'fresh',
  expired: false,
  expires_at: now + 3600,
  next_renewal: now + 1800,
  attempts: 0,
  last_error: null,
  ...change,
});
const rows: readonly StatusRow[] = [
  row('a'),
  row('b', { state: 'stopped', expires_at: now + 60, next_renewal: null }),
  row('c', { state: 'waiting', expired: true, expires_at: null, next_renewal: now + 5 }),
  row('d', { service: 'Local', provider: 'local', state: 'due', next_renewal: now }),
  row('e', { service: 'other', provider: null, state: 'unmanaged', next_renewal: null }),
  row('f', { service: 'local', handle: 'h', provider: 'oauth', expires_at: null }),
];

describe('the selection of the status', () => {
  it.each<[string, Partial<Selection>, string]>([
    ['without conditions all', {}, 'abcdef'],
    ['one state', { states: ['stopped'] }, 'b'],
    ['several states', { states: ['stopped', 'due'] }, 'bd'],
    ['an expired token has its state, too', { states: ['expired'] }, 'c'],
    ['by state although expired', { states: ['waiting'] }, 'c'],
    ['a provider by name, without case', { provider: 'MYTOK' }, 'abc'],
    ['a kind or a name', { provider: 'local' }, 'df'],
    ['what expires soon, or has expired', { expiringWithin: 60 }, 'bc'],
    ['a time of expiry may be unknown', { expiringWithin: 1e9 }, 'abcde'],
    ['all conditions', { states: ['fresh'], provider: 'mytok', expiringWithin: 1e9 }, 'a'],
    ['nothing', { provider: 'none' }, ''],
    ['sorted by owner', { sort: 'owner' }, 'abcdef'],
    ['sorted by service', { sort: 'service' }, 'dfabce'],
    ['sorted by provider, those without one last', { sort: 'provider' }, 'dfabce'],
    ['sorted by state, the most urgent first', { sort: 'state' }, 'cbdafe'],
    ['sorted by expiry, those that never expire last', { sort: 'expires' }, 'cbadef'],
    ['sorted by the next renewal', { sort: 'next' }, 'dcafbe'],
  ])('%s', (_, change, users) => {
    const selected = selectRows(rows, { ...SELECT_ALL, ...change }, now);
    expect(selected.map(({ user }) => user).join('')).toBe(users);
  });
});
