// The account name that the page shows.
import { expect, it } from 'vitest';
import { accountName } from '../../src/flow/finish-login.ts';

const nameOf = (claims?: Record<string, unknown>): string | undefined =>
  accountName({
    accessToken: 'a',
    answer: {},
    ...(claims ? { claims: { sub: '', ...claims } } : {}),
  });

it.each<readonly [string, Record<string, unknown> | undefined, string | undefined]>([
  ['no ID token', undefined, undefined],
  ['no claim with a name', { sub: '' }, undefined],
  ['sub', { sub: 's-1' }, 's-1'],
  ['name and sub', { sub: 's-1', name: 'Alice A.' }, 'Alice A.'],
  [
    'email and name',
    { sub: 's-1', email: 'a@b.example', name: 'Alice A.' },
    'a@b.example (Alice A.)',
  ],
  [
    'all',
    { sub: 's', preferred_username: 'alice', email: 'a@b.example', name: 'Alice' },
    'alice (Alice)',
  ],
  ['the same text twice', { sub: 's', preferred_username: 'alice', name: 'alice' }, 'alice'],
  ['wrong types', { sub: 's', preferred_username: 7, email: ['x'], name: null }, 's'],
  ['white space only', { sub: 's', preferred_username: ' \t ' }, 's'],
  ['control and direction characters', { sub: 'a\u202Eecila\u0000\nb' }, 'a ecila b'],
  ['a very long name', { sub: '\u{1F600}'.repeat(90) }, '\u{1F600}'.repeat(80)],
])('R33 with %s', (_title, claims, expected) => {
  expect(nameOf(claims)).toBe(expected);
});
