// Requested and granted scopes.
import { describe, expect, it } from 'vitest';
import { splitScopes } from '../../src/credential/token-response.ts';

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
});
