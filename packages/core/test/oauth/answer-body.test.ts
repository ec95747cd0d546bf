// Bodies of token responses as sent by issuers: JSON, forms, byte order marks, and
// invalid ones.
import { describe, expect, it } from 'vitest';
import { membersOfAnswer, membersToSave } from '../../src/oauth/answer-body.ts';

const FORM = 'application/x-www-form-urlencoded';
const members = { access_token: 't', refresh_token: 'r' };
const json = JSON.stringify(members);
const utf16 = (mark: number[], swap: boolean): Buffer => {
  const bytes = Buffer.from(json, 'utf16le');
  return Buffer.concat([Buffer.from(mark), swap ? bytes.swap16() : bytes]);
};

describe('the members of a response', () => {
  it.each<[string, string | Buffer, string | undefined, Record<string, unknown> | undefined]>([
    ['JSON', json, 'application/json', members],
    ['JSON without a type', json, undefined, members],
    ['JSON with the type of a form', json, FORM, members],
    ['JSON after a byte order mark', `\uFEFF${json}`, 'application/json', members],
    ['JSON in UTF-16, low byte first', utf16([0xff, 0xfe], false), 'application/json', members],
    ['JSON in UTF-16, high byte first', utf16([0xfe, 0xff], true), 'application/json', members],
    ['JSON between line ends', `\r\n${json}\n`, 'application/json', members],
    ['a form', 'access_token=t&refresh_token=r', FORM, members],
    [
      'a form with the type of text',
      'access_token=t&refresh_token=r',
      'text/plain;charset=UTF-8',
      members,
    ],
    ['a form with the type of JSON', 'access_token=t&refresh_token=r', 'application/json', members],
    ['a form without a type', 'access_token=t&refresh_token=r', undefined, members],
    ['a form after a byte order mark', '\uFEFFaccess_token=t&refresh_token=r\n', FORM, members],
    [
      'a form with encoded values',
      'access_token=a%2Bb%3D&scope=repo%2Cgist+user&expires_in=28800&token_type=bearer',
      FORM,
      { access_token: 'a+b=', scope: 'repo,gist user', expires_in: '28800', token_type: 'bearer' },
    ],
    [
      'an error in a form',
      'error=bad_refresh_token&error_description=The+token+is+expired.',
      FORM,
      { error: 'bad_refresh_token', error_description: 'The token is expired.' },
    ],
    ['a form with a repeated name', 'access_token=t&access_token=u', FORM, undefined],
    ['a form with the type of HTML', 'access_token=t', 'text/html; charset=utf-8', undefined],
    ['a form without a known name', 'a=b&c=d', FORM, undefined],
    ['HTML that mentions tokens', '<p>access_token=t</p>', FORM, undefined],
    ['a text that mentions tokens', 'no access_token=t "here"', 'text/plain', undefined],
    ['an array', '["access_token"]', 'application/json', undefined],
    ['a string', '"access_token=t"', 'application/json', undefined],
    ['only a byte order mark', '\uFEFF', FORM, undefined],
    ['nothing', '', FORM, undefined],
  ])('%s', (_, body, type, expected) => {
    expect(membersOfAnswer(Buffer.from(body), type)).toEqual(expected);
  });
});

describe('the part of a rejected response for the next renewal', () => {
  const whole = 'access_token=t&refresh_token=r';
  const latin1 = Buffer.from(`${whole}&user=J\u00fcrgen`, 'latin1');
  it.each<[string, string | Buffer, boolean, unknown, string?]>([
    ['JSON', json, false, 'r'],
    ['JSON that breaks off after its end', `${json}\r\n`, true, 'r'],
    ['JSON that breaks off before its end', json.slice(0, -1), true, undefined],
    ['JSON that breaks off inside the token', json.slice(0, -3), true, undefined],
    ['JSON after a guard against scripts', `)]}',\n${json}`, false, 'r'],
    ['JSON after a loop', `while(1);${json}`, false, 'r'],
    ['JSON in an array', `[${json}]`, false, 'r'],
    ['two objects in an array', `[${json},${json}]`, false, undefined],
    ['a form', whole, false, 'r'],
    ['a form that breaks off, possibly inside the token', whole, true, undefined],
    ['a form that breaks off after the token', `${whole}&token_ty`, true, 'r'],
    ['a form with an unencoded bar', `${whole}&scope=a|b`, false, 'r'],
    ['a form beyond ASCII', `${whole}&user=J\u00fcrgen`, false, 'r'],
    ['a form in Latin-1', latin1, false, 'r'],
    ['a form with unencoded quotes', `${whole}&scope=["a"]`, false, 'r'],
    ['a form that repeats the same token', `refresh_token=r&${whole}`, false, 'r'],
    ['a form that repeats another name', `scope=a&scope=b&${whole}`, false, 'r'],
    ['a form with two refresh tokens', `refresh_token=q&${whole}`, false, undefined],
    [
      'a form whose token has an unencoded bar',
      'access_token=t&refresh_token=r|s',
      false,
      undefined,
    ],
    [
      'a form whose token is beyond ASCII',
      'access_token=t&refresh_token=r\u00fc',
      false,
      undefined,
    ],
    ['a form with the type of HTML', `${whole}&a=|`, false, undefined, 'text/html'],
    ['HTML', '<a href="/x?a=b&refresh_token=r&c=d">', false, undefined],
    ['a text', 'you sent a=| &refresh_token=r', false, undefined],
    ['a text of lines', 'a=|\n&refresh_token=r', false, undefined],
    ['nothing', '', true, undefined],
  ])('%s', (_, body, isCut, expected, type = FORM) => {
    expect(membersToSave(Buffer.from(body), type, isCut)?.['refresh_token']).toBe(expected);
  });
});
