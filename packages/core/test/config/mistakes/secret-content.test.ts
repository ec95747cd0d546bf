// What a secret file must not contain besides the secret.
import { expect, it } from 'vitest';
import { secretMistake } from '../../../src/config/mistakes/secret-content.ts';

it.each([
  ['a secret', 'abc123'],
  ['a secret with a line end', 'abc123\n'],
  ['a secret of Windows', 'abc123\r\n'],
  ['a second line', 'abc123\n# a remark "here"\n'],
  ['special characters', '{a"b~=+/%\n'],
  ['a secret of one character', 'a'],
])('%s is right', (_, text) => {
  expect(secretMistake(text)).toBe(undefined);
});

it.each<[string, string, 'error' | 'warning', RegExp]>([
  ['double quotes', '"CANARY"\n', 'warning', /quotes around the secret.* remove the quotes$/],
  ['single quotes', "'CANARY'", 'warning', /quotes around/],
  ['typographic quotes', '“CANARY”', 'warning', /quotes around/],
  ['a byte order mark', '\ufeffCANARY\n', 'warning', /byte order mark, which is sent/],
  [
    "the export of Google's console",
    JSON.stringify({ web: { client_id: 'x', client_secret: 'CANARY' } }),
    'error',
    /JSON file.* only the value of web\.client_secret into it$/,
  ],
  [
    "the export of Keycloak's console",
    JSON.stringify({ resource: 'x', credentials: { secret: 'CANARY' } }, null, 2),
    'error',
    /only the value of credentials\.secret into it$/,
  ],
  ['another JSON object', '{"CANARY": 1}', 'error', /the value of its client secret into it$/],
  ['a JSON object after a byte order mark', '\ufeff{"client_secret":"CANARY"}', 'error', /JSON/],
  ['an assignment', 'CLIENT_SECRET=CANARY', 'warning', /a name before the secret/],
  ['an assignment of a shell', 'export MY_SECRET="CANARY"', 'warning', /a name before/],
  ['blanks at the end', 'CANARY  \n', 'warning', /blanks around/],
  ['a PEM key', '-----BEGIN PRIVATE KEY-----\nCANARY', 'warning', /PEM file/],
  ['UTF-16', Buffer.from('CANARY', 'utf16le').toString('utf8'), 'error', /UTF-16/],
  [
    'UTF-16 with a byte order mark',
    Buffer.from('\ufeffCANARY', 'utf16le').toString('utf8'),
    'error',
    /UTF-16/,
  ],
])('R45 %s', (_, text, state, expected) => {
  const mistake = secretMistake(text);
  expect(mistake?.state).toBe(state);
  expect(`${mistake?.text}; ${mistake?.fix}`).toMatch(expected);
  expect(JSON.stringify(mistake)).not.toContain('CANARY');
});
