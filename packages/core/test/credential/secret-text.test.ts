// Masking secrets in texts that people read.
import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../src/credential/secret-text.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('R43 a text without secrets', () => {
  it.each<[string, string, string[], string]>([
    ['a long secret anywhere', 'xlong-secret1y', ['long-secret1'], 'x[...]y'],
    ['a short secret as a whole word', 'bad a, or (a)', ['a'], 'bad [...], or ([...])'],
    ['a short secret at both ends', 'a b a', ['a'], '[...] b [...]'],
    [
      'a short secret inside other words is kept',
      'bad_refresh_token has area',
      ['a'],
      'bad_refresh_token has area',
    ],
    [
      'a short secret of regular expression characters',
      'is (.*)+ here',
      ['(.*)+'],
      'is [...] here',
    ],
    [
      'a secret that contains another one',
      'the secret-longer one',
      ['secret-l', 'secret-longer'],
      'the [...] one',
    ],
    ['a secret with a dollar sign', 'x a$&b y', ['a$&b'], 'x [...] y'],
    [
      'a percent-encoded secret',
      'value p%40ss+wd%2B1 is wrong',
      ['p@ss wd+1'],
      'value [...] is wrong',
    ],
    ['one partly encoded, in lower case', 'x p@ss%20wd%2b1 y', ['p@ss wd+1'], 'x [...] y'],
    ['one encoded twice', 'x p%2540ss%2Bwd%252B1 y', ['p@ss wd+1'], 'x [...] y'],
    ['one of non-ASCII letters', 'x p%C3%A4ss y', ['päss'], 'x [...] y'],
    ['a short encoded secret as a whole word', 'x a%2Bb y, xa%2Bb', ['a+b'], 'x [...] y, xa%2Bb'],
    [
      'a secret with JSON escapes',
      String.raw`got "p\"x+\u002f1" now`,
      ['p"x+/1'],
      'got "[...]" now',
    ],
    ['one with JSON escapes twice', String.raw`got p\\\"x+1 now`, ['p"x+1'], 'got [...] now'],
    ['one with HTML entities', 'got p&quot;&#60;x&#x31; now', ['p"<x1'], 'got [...] now'],
    [
      'Basic credentials',
      `Basic ${base64('c:p@ss+1')} is wrong`,
      ['p@ss+1'],
      'Basic [...] is wrong',
    ],
    [
      'Basic credentials with encoded parts',
      `Basic ${base64('c:p%40ss%2B1')}!`,
      ['p@ss+1'],
      'Basic [...]!',
    ],
    ['a secret in base64', `x ${base64('p@ss')} y`, ['p@ss'], 'x [...] y'],
    [
      'a long one in base64 JSON',
      `x ${base64('{"t":"long-secret1"}')} y`,
      ['long-secret1'],
      'x [...] y',
    ],
    [
      'an ordinary sentence is kept',
      'Basic authentication + 50% of it\\n failed',
      ['a'],
      'Basic authentication + 50% of it\\n failed',
    ],
    ['the whole of a text that is too long to search', 'ab '.repeat(6000), ['x'], '[...]'],
    ['an empty secret', 'abc', [''], 'abc'],
    ['no secret', 'abc', [], 'abc'],
  ])('masks %s', (_, text, secrets, expected) => {
    expect(withoutSecrets(text, secrets)).toBe(expected);
  });
});
