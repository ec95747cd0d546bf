// Identities of files: equal and different versions.
import { describe, expect, it } from 'vitest';
import { identityOf, sameIdentity, tokenId } from '../../src/credential/snapshot.ts';

const one = { ino: 1, mtime: 1000.5, size: 10 };

describe('the version of a file', () => {
  it.each([
    ['the same', one, { ...one }, true],
    ['another inode', one, { ...one, ino: 2 }, false],
    ['another time', one, { ...one, mtime: 1000.6 }, false],
    ['another size', one, { ...one, size: 11 }, false],
    ['missing now', one, undefined, false],
    ['new', undefined, one, false],
    ['missing both times', undefined, undefined, true],
  ])('%s', (_, a, b, expected) => {
    expect(sameIdentity(a, b)).toBe(expected);
  });

  it('is known of existing files, also of broken ones', () => {
    expect(identityOf({ kind: 'missing' })).toBeUndefined();
    expect(identityOf({ kind: 'broken', reason: 'is empty', identity: one })).toBe(one);
    expect(identityOf({ kind: 'broken', reason: 'is a symbolic link' })).toBeUndefined();
    expect(identityOf({ kind: 'valid', value: 1, identity: one })).toBe(one);
  });

  it('a token is named by user and stem', () => {
    expect(tokenId({ user: 'alice', stem: 'mytok_h1' })).toBe('alice/mytok_h1');
  });
});
