// What reaches a terminal: nothing that steers it, and JSON that means what it meant.
import { expect, it } from 'vitest';
import { printable } from '../../src/command-line/errors.ts';

const TEXT = 'one \u001B]0;pwn\u0007\u009B2J\u007F\r\u202Eevil\u2028\u{E0001}';

it.each([
  [
    'ASCII, line feeds, tabs and letters of any language are kept',
    'größe – 時刻\n\tnext',
    'größe – 時刻\n\tnext',
  ],
  [
    'R43 characters that control a terminal are escaped',
    TEXT,
    String.raw`one \u001b]0;pwn\u0007\u009b2J\u007f\u000d\u202eevil\u2028\udb40\udc01`,
  ],
])('%s', (_, text, shown) => {
  expect(printable(text)).toBe(shown);
});

it('JSON means the same', () => {
  const json = JSON.stringify({ text: TEXT }, null, 2);
  expect(JSON.parse(printable(json))).toEqual({ text: TEXT });
  expect(printable(json)).toMatch(/^[ -~\n]*$/);
});
