// What reaches a terminal: no character that controls it, and JSON with the same meaning.
import {
  durationText,
  pluralise,
  printable,
  printableLine,
  shellWord,
  wrap,
} from '../../../src/base/text/printable.ts';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';

const TEXT = 'one \u001B]0;pwn\u0007\u009B2J\u007F\r\u202Eevil\u2028\u{E0001}';

describe('printable text', () => {
  it.each([
    [
      'keeps ASCII, line feeds, tabs and letters of any language',
      'größe – 時刻\n\tnext',
      'größe – 時刻\n\tnext',
    ],
    [
      'R43 shows the code of what controls a terminal',
      TEXT,
      String.raw`one \u001b]0;pwn\u0007\u009b2J\u007f\u000d\u202eevil\u2028\udb40\udc01`,
    ],
  ])('%s', (_, text, shown) => {
    expect(printable(text)).toBe(shown);
  });

  it('keeps the meaning of JSON', () => {
    const json = JSON.stringify({ text: TEXT }, null, 2);
    expect(JSON.parse(printable(json))).toEqual({ text: TEXT });
    expect(printable(json)).toMatch(/^[ -~\n]*$/);
  });

  it('is one line where asked', () => {
    expect(printableLine('a\u001B[31m\n\tb')).toBe(String.raw`a\u001b[31m\u000a\u0009b`);
  });
});

it.each([
  [-5, '0s'],
  [0, '0s'],
  [59.9, '59s'],
  [60, '1m00s'],
  [3599, '59m59s'],
  [3661, '1h01m'],
  [86_400 * 3 + 3600 * 4, '3d04h'],
])('%d seconds are %s', (seconds, text) => {
  expect(durationText(seconds)).toBe(text);
});

it('words are wrapped, and a long one stays whole', () => {
  expect(wrap('one two  three', 7)).toEqual(['one two', 'three']);
  expect(wrap(`a ${'p'.repeat(20)} b`, 7)).toEqual(['a', 'p'.repeat(20), 'b']);
});

it('counts have the right form', () => {
  expect([pluralise(0, 'error'), pluralise(1, 'error'), pluralise(2, 'error')]).toEqual([
    '',
    '1 error',
    '2 errors',
  ]);
});

it.each([
  '/etc/condor/key.pem',
  'alice@example.org',
  'two words',
  "it's",
  '$(id) `id` "x" \\ ; & | * ?',
  '',
  'a\nb',
])('%j is one word', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })).toBe(
    text,
  );
});

it('does not change plain names and paths', () => {
  expect(shellWord('/var/lib/condor/oauth_credentials')).toBe('/var/lib/condor/oauth_credentials');
});
