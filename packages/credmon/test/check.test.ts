// The findings of `check`: what is wrong, what is odd, and what is well.
import { describe, expect, it } from 'vitest';
import { findingsText, foundWrong, judgeClock, judgeMetadata } from '../src/check.ts';

const ISSUER = 'https://issuer.example';
const TOKEN_URL = `${ISSUER}/token`;

describe('an issuer', () => {
  it.each([
    ['that publishes what is configured', { issuer: ISSUER, token_endpoint: TOKEN_URL }, 'ok'],
    ['R25 that calls itself otherwise', { issuer: `${ISSUER}/`, token_endpoint: TOKEN_URL }, 'error'],
    ['with another token endpoint', { issuer: ISSUER, token_endpoint: `${ISSUER}/oauth/token` }, 'warning'],
    ['without a document', undefined, 'warning'],
    ['with a list for a document', [], 'warning'],
  ])('%s', (_, document, state) => {
    expect(judgeMetadata('mytok', ISSUER, TOKEN_URL, document)).toMatchObject({
      what: 'issuer of mytok',
      state,
    });
  });
});

describe('the clock', () => {
  it.each([
    [1000, 1000.4, 'ok', 'agrees with the issuer'],
    [1000, 1020, 'ok', 'is 20 s ahead of the issuer'],
    [1000, 900, 'warning', 'is 100 s behind the issuer'],
  ])('issuer %d, we %d', (issuer, we, state, text) => {
    expect(judgeClock(issuer, we)).toEqual({ what: 'clock', state, text });
  });

  it('is not judged without a date', () => {
    expect([judgeClock(undefined, 1), judgeClock(Number.NaN, 1)]).toEqual([undefined, undefined]);
  });
});

it('only errors are wrong, and the text has one line for each finding', () => {
  const findings = [
    { what: 'a', state: 'ok', text: 'x' },
    { what: 'long name', state: 'warning', text: 'y' },
  ] as const;
  expect(foundWrong(findings)).toBe(false);
  expect(foundWrong([...findings, { what: 'b', state: 'error', text: 'z' }])).toBe(true);
  expect(findingsText(findings)).toBe('OK      a          x\nWARNING long name  y');
});
