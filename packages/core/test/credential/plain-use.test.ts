// The fast reader of `.use` agrees with the full parser, or leaves the file to it.
import { describe, expect, it } from 'vitest';
import { digestUseFile } from '../../src/credential/digest.ts';
import { plainUseTimes } from '../../src/credential/plain-use.ts';
import type { TokenTimes } from '../../src/credential/times.ts';

const timesOf = (text: string | Uint8Array): TokenTimes | undefined => {
  const bytes = Buffer.from(text);
  // The buffer of the reader is larger than the file.
  const buffer = Buffer.concat([bytes, Buffer.from('"}1 \n')]);
  return plainUseTimes(buffer, bytes.length);
};

/** What the full parser says. */
const fullTimes = (text: string): TokenTimes | undefined => {
  const digest = digestUseFile(text, 5000, 1200);
  return digest.ok && !digest.value.assumed && !digest.value.bare ? digest.value.times : undefined;
};

const TIMES = { issuedAt: 1000, expiresAt: 4600 };
const JSON_TEXT = '{"access_token":"at","issued_at":1000,"expires_at":4600}';

describe('R4 the times of a .use are read from its bytes', () => {
  it.each([
    JSON_TEXT,
    `${JSON_TEXT}\n`,
    '{"expires_at": 4600, "issued_at": 1000, "access_token": "a.b-c_d"}',
    '\t{ "access_token" : "at" ,\r\n"issued_at":1000,"expires_at":4600 } \n',
    '{"access_token":"a","token_type":"Bearer","expires_in":3600,"x":null,"y":true,"z":false,"n":0,"scope":"a:/ b:/","issued_at":1000,"expires_at":4600}',
  ])('of %j', (text) => {
    expect(timesOf(text)).toEqual(TIMES);
    expect(fullTimes(text)).toEqual(TIMES);
  });

  it.each([
    '',
    '{',
    '{}',
    '[]',
    'at',
    JSON_TEXT.slice(0, -1),
    `${JSON_TEXT}x`,
    `${JSON_TEXT}{}`,
    `x${JSON_TEXT}`,
    '{"access_token":"","issued_at":1000,"expires_at":4600}',
    '{"access_token":5,"issued_at":1000,"expires_at":4600}',
    '{"access_token":"a\\u0041","issued_at":1000,"expires_at":4600}',
    '{"access_token":"\u00e4","issued_at":1000,"expires_at":4600}',
    '{"access_token":"a\nb","issued_at":1000,"expires_at":4600}',
    '{"issued\\u005fat":1000,"access_token":"at","expires_at":4600}',
    '{"access_token":"at","issued_at":"1000","expires_at":4600}',
    '{"access_token":"at","issued_at":1000.5,"expires_at":4600}',
    '{"access_token":"at","issued_at":1e3,"expires_at":4600}',
    '{"access_token":"at","issued_at":-1,"expires_at":4600}',
    '{"access_token":"at","issued_at":01000,"expires_at":4600}',
    '{"access_token":"at","issued_at":0,"expires_at":4600}',
    '{"access_token":"at","issued_at":1000,"expires_at":1000}',
    '{"access_token":"at","issued_at":1000,"expires_at":9999999999}',
    '{"access_token":"at","issued_at":1000000000000,"expires_at":1000000003600}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"stored_before_top":true}',
    '{"access_token":"at","issued_at":1000,"issued_at":2000,"expires_at":4600}',
    '{"access_token":"at","access_token":"","issued_at":1000,"expires_at":4600}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,}',
    '{,"access_token":"at","issued_at":1000,"expires_at":4600}',
    '{"access_token":"at" "issued_at":1000,"expires_at":4600}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":{"a":1}}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":[1]}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":tru}',
    '{"access_token":"at","issued_at":1000,"expires_at":4600,"more":}',
    '{"access_token":"at","issued_at":1000}',
    '{"issued_at":1000,"expires_at":4600}',
  ])('%j is left to the full parser', (text) => {
    expect(timesOf(text)).toBeUndefined();
  });

  it('any damage of one byte gives the same times as the full parser, or none', () => {
    const text = '{"access_token": "a","x":true,"n":12,"issued_at":1000,"expires_at":4600}\n';
    const damages = [
      '',
      '"',
      '\\',
      '{',
      '}',
      ',',
      ':',
      '0',
      '9',
      '.',
      'e',
      '-',
      ' ',
      '\n',
      '\0',
      'u',
    ];
    const wrong: string[] = [];
    for (let at = 0; at <= text.length; at += 1)
      for (const damage of damages)
        for (const rest of [at, at + 1]) {
          const damaged = text.slice(0, at) + damage + text.slice(rest);
          const times = timesOf(damaged);
          if (times && JSON.stringify(times) !== JSON.stringify(fullTimes(damaged)))
            wrong.push(damaged);
        }
    expect(wrong).toEqual([]);
  });
});
