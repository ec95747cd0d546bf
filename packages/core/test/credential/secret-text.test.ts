// Masking secrets in texts that people read.
import { describe, expect, it } from 'vitest';
import { withoutSecrets } from '../../src/credential/secret-text.ts';

describe('R43 a text without secrets', () => {
  it.each<[string, string, string[], string]>([
    ['a long secret anywhere', 'xlong-secret1y', ['long-secret1'], 'x[...]y'],
    ['a short secret as a whole word', 'bad a, or (a)', ['a'], 'bad [...], or ([...])'],
    ['a short secret at both ends', 'a b a', ['a'], '[...] b [...]'],
    ['a short secret in no other word', 'bad_refresh_token has area', ['a'], 'bad_refresh_token has area'],
    ['a short secret that is full of marks', 'is (.*)+ here', ['(.*)+'], 'is [...] here'],
    [
      'a secret that holds another one',
      'the secret-longer one',
      ['secret-l', 'secret-longer'],
      'the [...] one',
    ],
    ['a secret with a dollar sign', 'x a$&b y', ['a$&b'], 'x [...] y'],
    ['an empty secret', 'abc', [''], 'abc'],
    ['no secret', 'abc', [], 'abc'],
  ])('masks %s', (_, text, secrets, expected) => {
    expect(withoutSecrets(text, secrets)).toBe(expected);
  });
});
