// The question of `--check` about a forged header, and the answer of the portal: both
// need the cookie key.
import { describe, expect, it } from 'vitest';
import {
  makeAnswer,
  makeQuestion,
  readAnswer,
  readQuestion,
} from '../../src/check/proxy-config.ts';

const SECRET = 'a secret of the tests';
const NONCE = '0123456789abcdef'.repeat(2);
const NOW = 1_800_000_000;
const { token, forged } = makeQuestion(SECRET, NONCE, NOW);
const changed = (text: string): string => text.replace(/.$/, (last) => (last === '0' ? '1' : '0'));

describe('R33 a question', () => {
  it.each([
    ['at once', 0, true],
    ['a minute later', 60, true],
    ['by a clock that is half a minute ahead', 89, true],
    ['later than that', 90, false],
    ['by a clock that is half a minute behind', -30, true],
    ['from the far future', -31, false],
  ])('can be answered %s', (_when, later, expected) => {
    expect(readQuestion(SECRET, token, NOW + later)).toEqual(
      expected ? { forged, expiresAt: NOW + 90 } : undefined,
    );
  });

  it.each([
    ['with another secret', 'other', token],
    ['with another seal', SECRET, changed(token)],
    ['with another time', SECRET, token.replace(/^\d/, '2')],
    ['with another nonce', SECRET, token.replace('.0', '.1')],
    ['without a seal', SECRET, token.replace(/\.[^.]*$/, '')],
    ['empty', SECRET, ''],
  ])('%s is not a question', (_what, secret, text) => {
    expect(readQuestion(secret, text, NOW)).toBe(undefined);
  });
});

describe('R33 an answer', () => {
  it.each([true, false])('reports whether the header arrived: %s', (arrived) => {
    expect(readAnswer(SECRET, token, JSON.stringify(makeAnswer(SECRET, token, arrived)))).toBe(
      arrived,
    );
  });

  const no = JSON.stringify(makeAnswer(SECRET, token, false));
  it.each([
    ['of another program', '{"arrived":false}'],
    ['with the opposite value', no.replace('false', 'true')],
    ['to another question', JSON.stringify(makeAnswer(SECRET, changed(token), false))],
    ['with another secret', JSON.stringify(makeAnswer('other', token, false))],
    ['in HTML', '<html>'],
  ])('%s proves nothing', (_what, text) => {
    expect(readAnswer(SECRET, token, text)).toBe(undefined);
  });
});
