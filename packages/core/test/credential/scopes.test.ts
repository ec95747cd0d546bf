// Requested and granted scopes.
import { describe, expect, it } from 'vitest';
import { compareScopes, splitScopes } from '../../src/credential/token-response.ts';

describe('R30 scopes', () => {
  it.each([
    ['', []],
    [' , ,', []],
    ['a b', ['a', 'b']],
    ['a,b, c\td\n', ['a', 'b', 'c', 'd']],
    ['a a,a', ['a']],
    ['storage.read:/x openid', ['storage.read:/x', 'openid']],
  ])('%j is the list %j', (text, expected) => {
    expect(splitScopes(text)).toEqual(expected);
  });

  it.each([
    ['as requested, in another order', 'a,b', 'b a', [], []],
    ['fewer', 'a b', 'a', [], ['b']],
    ['more', 'a', 'a b', ['b'], []],
    ['others', 'a', 'A', ['A'], ['a']],
    ['none', 'a', '', [], ['a']],
    ['unsaid', 'a', undefined, [], []],
    ['something, without a request', '', 'a b', [], []],
  ])('granted %s', (_, asked, granted, wider, narrower) => {
    expect(compareScopes(asked, granted)).toEqual({ wider, narrower });
  });
});
