// Names of users, services and handles, as CredD writes them.
import { describe, expect, it } from 'vitest';
import {
  cutDomain,
  isCredName,
  isPlainProviderName,
  splitStem,
  stemOf,
} from '../../src/credential/name.ts';

describe('a name in the credential directory', () => {
  it.each(['a', 'alice', 'A-b+c=d_e.f', '0', '-', '_', 'x.mark', 'a..b', 'a.', 'x'.repeat(200)])(
    '%s is valid',
    (name) => {
      expect(isCredName(name)).toBe(true);
    },
  );

  it.each([
    '',
    '.',
    '..',
    '.hidden',
    'a/b',
    '../a',
    'a b',
    'a\n',
    'a\0',
    'a*b',
    'a:b',
    'a@b',
    'a\\b',
    'ä',
    '٣',
    '[1]',
    '%2e',
    'x'.repeat(201),
  ])('%j is invalid', (name) => {
    expect(isCredName(name)).toBe(false);
  });

  it.each([
    ['alice', 'alice'],
    ['alice@example.org', 'alice'],
    ['alice@a@b', 'alice'],
    ['@example.org', ''],
    ['', ''],
  ])('the user of %j is %j', (user, expected) => {
    expect(cutDomain(user)).toBe(expected);
  });
});

describe('the stem of a token', () => {
  it.each([
    ['mytok', '', 'mytok'],
    ['mytok', 'h1', 'mytok_h1'],
    ['mytok', 'a_b', 'mytok_a_b'],
  ])('service %s and handle %j are joined to, and split from, %s', (service, handle, stem) => {
    expect(stemOf(service, handle)).toBe(stem);
    expect(splitStem(stem, false)).toEqual({ service, handle });
  });

  it.each(['', '_', '_h1', 'mytok_', 'mytok_h1_', '.', '..', 'a/b'])(
    '%j belongs to no service',
    (stem) => {
      expect(splitStem(stem, false)).toBeUndefined();
    },
  );

  it.each(['my_tok', 'my_tok_', '_x'])(
    '%s is a whole service if special names are allowed',
    (stem) => {
      expect(splitStem(stem, true)).toEqual({ service: stem, handle: '' });
    },
  );

  it.each([
    ['my-tok', true],
    ['Tok9', true],
    ['my_tok', false],
    ['my.tok', false],
    ['', false],
    ['*', false],
    ['a\n', false],
  ])('%j is a plain provider name: %s', (name, expected) => {
    expect(isPlainProviderName(name)).toBe(expected);
  });
});
