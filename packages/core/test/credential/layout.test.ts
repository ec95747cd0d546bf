// The meaning of names in a user's directory.
import { describe, expect, it } from 'vitest';
import { temporaryName } from '../../src/base/files/atomic-write.ts';
import {
  classifyUserEntry,
  hintsAtTokens,
  KEY_FILE_NAME,
  tokenFileName,
} from '../../src/credential/layout.ts';

describe('a name in a user’s directory', () => {
  it.each([
    ['mytok.top', { kind: 'top', stem: 'mytok' }],
    ['mytok_h1.use', { kind: 'use', stem: 'mytok_h1' }],
    ['my.tok.meta', { kind: 'meta', stem: 'my.tok' }],
    ['a.top.use', { kind: 'use', stem: 'a.top' }],
    ['.mytok.renewal', { kind: 'renewal', stem: 'mytok' }],
    ['.mytok_h1.issued', { kind: 'issued', stem: 'mytok_h1' }],
    ['mytok.issued', { kind: 'other' }],
    ['mytok.renewal', { kind: 'other' }],
    ['.issued', { kind: 'other' }],
    [
      '..mytok.issued.12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: false, target: '.mytok.issued' },
    ],
    [
      '.mytok.top.12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: false, target: 'mytok.top' },
    ],
    [
      '.mytok.top.d12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: true, target: 'mytok.top' },
    ],
    ['.mytok.top.x12.3.credmon-tmp', { kind: 'other' }],
    [
      '..mytok.renewal.12.3.credmon-tmp',
      { kind: 'temporary', pid: 12, locked: false, target: '.mytok.renewal' },
    ],
    ['.top', { kind: 'other' }],
    ['.mytok.top', { kind: 'other' }],
    ['.mytok.renewal.top', { kind: 'other' }],
    ['mytok.top.tmp', { kind: 'other' }],
    ['mytok.TOP', { kind: 'other' }],
    ['tmpAbC123', { kind: 'other' }],
    ['mytok.top.12.3.credmon-tmp', { kind: 'other' }],
    ['.mytok.top.12.credmon-tmp', { kind: 'other' }],
    ['.renewal', { kind: 'other' }],
    ['', { kind: 'other' }],
  ])('%s', (name, expected) => {
    expect(classifyUserEntry(name)).toEqual(expected);
  });

  it.each(['top', 'use', 'meta', 'renewal', 'issued'] as const)(
    '.%s is read back as written',
    (kind) => {
      const name = tokenFileName('my_tok.x', kind);
      expect(classifyUserEntry(name)).toEqual({ kind, stem: 'my_tok.x' });
      for (const locked of [true, false])
        expect(classifyUserEntry(temporaryName(name, locked))).toMatchObject({
          kind: 'temporary',
          locked,
          target: name,
        });
    },
  );

  it('the temporary file of the longest name still fits a file system', () => {
    const longest = tokenFileName('x'.repeat(200), 'renewal');
    expect(`.${longest}.d4194304.999999999.credmon-tmp`.length).toBeLessThanOrEqual(255);
  });

  it.each([
    ['a'.repeat(64), true],
    ['0123456789abcdef'.repeat(4), true],
    ['A'.repeat(64), false],
    ['a'.repeat(63), false],
    ['a'.repeat(65), false],
    [`${'a'.repeat(64)}\n`, false],
    ['CREDMON_COMPLETE', false],
  ])('R37 %j is a key file: %s', (name, expected) => {
    expect(KEY_FILE_NAME.test(name)).toBe(expected);
  });
});

describe('a change in the top directory', () => {
  it.each([
    ['a'.repeat(64), true],
    ['alice', true],
    ['x.mark', false],
    ['pid', false],
    ['CREDMON_COMPLETE', false],
    ['.pid.12.1.credmon-tmp', false],
    ['.condor_credmon.lock', true],
  ])('%s hints at tokens: %s', (name, hints) => {
    expect(hintsAtTokens(name)).toBe(hints);
  });
});
