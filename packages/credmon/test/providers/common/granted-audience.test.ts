// What is said of a token's audience, for what was asked for and what came.
import { expect, it } from 'vitest';
import { audienceNote, joinNotes } from '../../../src/providers/common/granted-scopes.ts';

const jwt = (claims: object): string =>
  `e30.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.signature`;
const CE = ['ce1.example:9619'];
const not = (whom: string): string =>
  `the issuer gave a token ${whom}, not for ce1.example:9619; services may reject it`;

it.each<[string, readonly string[], string, string | undefined]>([
  ['nothing requested', [], jwt({ aud: 'x' }), undefined],
  ['the requested one', CE, jwt({ aud: 'ce1.example:9619' }), undefined],
  ['one of several', CE, jwt({ aud: ['x', 'ce1.example:9619'] }), undefined],
  ['one of several requested ones', ['a b', ...CE], jwt({ aud: 'b' }), undefined],
  ['any audience, as in SciTokens', CE, jwt({ aud: 'ANY' }), undefined],
  [
    'any audience, as in WLCG tokens',
    CE,
    jwt({ aud: ['https://wlcg.cern.ch/jwt/v1/any'] }),
    undefined,
  ],
  ['an opaque token', CE, 'opaque', undefined],
  ['another', CE, jwt({ aud: 'x' }), not('for x')],
  ['several others', CE, jwt({ aud: ['x', 'y'] }), not('for x y')],
  ['none at all', CE, jwt({}), not('without an audience')],
  ['one in another case', CE, jwt({ aud: 'CE1.example:9619' }), not('for CE1.example:9619')],
])('%s', (_, asked, token, note) => {
  expect(audienceNote(asked, token)).toBe(note);
});

it('several notes are joined', () => {
  expect([joinNotes(undefined, undefined), joinNotes('a', undefined), joinNotes('a', 'b')]).toEqual(
    [{}, { note: 'a' }, { note: 'a; b' }],
  );
});
