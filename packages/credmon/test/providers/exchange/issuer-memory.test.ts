// Which issuer a token is of, as the queues remember it: only configured ones, and not
// without bound.
import { expect, it } from 'vitest';
import { learnClaimed, learnIssuer } from '../../../src/providers/exchange/exchange.ts';

const jwt = (claims: unknown): string =>
  `h.${Buffer.from(JSON.stringify(claims)).toString('base64url')}.s`;

it.each([
  ['a configured issuer by its origin', jwt({ iss: 'https://a.example/x' }), ['https://a.example']],
  ['no other issuer', jwt({ iss: 'https://evil.example' }), []],
  ['nothing from a claim that is not a string', jwt({ iss: 7 }), []],
  ['nothing from a token that is not a JWT', 'opaque', []],
])('remembers of a stored token %s', (_, token, expected) => {
  const issuers = new Map<string, string>();
  learnClaimed(issuers, 'alice/swap', token, ['https://b.example', 'https://a.example/x']);
  expect([...issuers.values()]).toEqual(expected);
});

it('forgets the oldest tokens', () => {
  const issuers = new Map<string, string>();
  for (let n = 0; n < 60_000; n += 1) learnIssuer(issuers, `u${n}/swap`, 'https://a.example');
  expect([issuers.size, issuers.has('u0/swap'), issuers.has('u59999/swap')]).toEqual([
    50_000,
    false,
    true,
  ]);
});
