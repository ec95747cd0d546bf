// The meaning of a failed token response by code, and the time to the next attempt.
import {
  classifyFailure,
  harmless,
  membersOfAnswer,
  membersToSave,
  retryAfterSeconds,
} from '../../src/oauth/classify.ts';
import { describe, expect, it } from 'vitest';

// Sun, 06 Nov 1994 08:49:37 GMT, the example of RFC 9110.
const EXAMPLE = 784_111_777;

describe('R8 Retry-After', () => {
  it.each([
    ['seconds', '120', 120],
    ['seconds with blanks around', ' 7 ', 7],
    ['zero', '0', 0],
    ['a future date', 'Sun, 06 Nov 1994 08:49:37 GMT', 37],
    ['a past date', 'Sun, 06 Nov 1994 08:00:00 GMT', 0],
    ['a leap day', 'Tue, 29 Feb 2028 00:00:00 GMT', 86_400],
    ['more than a day', '999999999999', 86_400],
    ['very many digits', '9'.repeat(400), undefined],
    ['a fraction', '1.5', undefined],
    ['a negative number', '-5', undefined],
    ['a word', 'soon', undefined],
    ['nothing', '', undefined],
    ['an invalid month', 'Sun, 06 Nix 1994 08:49:37 GMT', undefined],
    ['two values', '1, 2', undefined],
    ['no header', undefined, undefined],
  ])('%s', (_, header, expected) => {
    expect(retryAfterSeconds(header, EXAMPLE - 37)).toBe(expected);
  });

  it.each(
    [
      0, 951_782_400, 951_868_800, 1_078_012_800, 1_709_164_800, 1_735_689_599, 4_107_542_400,
      13_574_563_200,
    ].map((time) => [new Date(time * 1000).toUTCString(), time] as const),
  )('reads %s by the calendar', (date, time) => {
    expect(retryAfterSeconds(date, time - 1000)).toBe(1000);
  });
});

describe('R9 the meaning of an error', () => {
  const meanings: [number, string | undefined, string][] = [
    [400, 'invalid_grant', 'GRANT_REVOKED'],
    [200, 'invalid_grant', 'GRANT_REVOKED'],
    [200, 'bad_refresh_token', 'GRANT_REVOKED'],
    [400, 'interaction_required', 'GRANT_REVOKED'],
    [400, 'login_required', 'GRANT_REVOKED'],
    [400, 'consent_required', 'GRANT_REVOKED'],
    [401, 'invalid_client', 'CLIENT_REFUSED'],
    [400, 'unauthorized_client', 'CLIENT_REFUSED'],
    [400, 'unsupported_grant_type', 'CLIENT_REFUSED'],
    [400, 'invalid_request', 'CLIENT_REFUSED'],
    [400, 'invalid_scope', 'CLIENT_REFUSED'],
    [400, 'invalid_target', 'CLIENT_REFUSED'],
    [403, 'access_denied', 'CLIENT_REFUSED'],
    [401, undefined, 'CLIENT_REFUSED'],
    [400, 'slow_down', 'ISSUER_BUSY'],
    [400, 'temporarily_unavailable', 'ISSUER_BUSY'],
    [400, 'server_error', 'ISSUER_UNREACHABLE'],
    [429, undefined, 'ISSUER_BUSY'],
    [429, 'invalid_grant', 'ISSUER_BUSY'],
    [408, undefined, 'ISSUER_UNREACHABLE'],
    [500, 'invalid_client', 'ISSUER_UNREACHABLE'],
    [503, undefined, 'ISSUER_UNREACHABLE'],
    [400, 'something_new', 'ISSUER_ANSWER_INVALID'],
    [403, undefined, 'ISSUER_ANSWER_INVALID'],
    [404, undefined, 'ISSUER_ANSWER_INVALID'],
    [302, undefined, 'ISSUER_ANSWER_INVALID'],
    [400, 'constructor', 'ISSUER_ANSWER_INVALID'],
    [400, '__proto__', 'ISSUER_ANSWER_INVALID'],
    [400, 'toString', 'ISSUER_ANSWER_INVALID'],
  ];
  it.each(meanings)('status %d with %s is %s', (status, error, code) => {
    const failure = classifyFailure(
      'mytok',
      { status, ...(error === undefined ? {} : { json: { error } }) },
      0,
    );
    expect(failure.code).toBe(code);
    expect(failure.fields).toEqual({
      provider: 'mytok',
      status,
      ...(error === undefined ? {} : { error }),
    });
  });

  it.each([
    ['not text', 5],
    ['with blanks', 'a b'],
    ['too long', 'x'.repeat(65)],
    ['empty', ''],
  ])('an error that is %s is not quoted', (_, error) => {
    expect(classifyFailure('mytok', { status: 400, json: { error } }, 0).message).toBe(
      'the issuer of mytok answered HTTP status 400',
    );
  });

  it.each([
    ['a', 'bad_refresh_token', 'GRANT_REVOKED'],
    ['in', 'invalid_request', 'CLIENT_REFUSED'],
    ['invalid_grant', 'invalid_grant', 'GRANT_REVOKED'],
    ['client', 'invalid_client', 'CLIENT_REFUSED'],
    ['_', 'slow_down', 'ISSUER_BUSY'],
  ])('R9 the secret %s does not change what %s means', (secret, error, code) => {
    const failure = classifyFailure(
      'mytok',
      { status: 400, json: { error }, secrets: [secret] },
      0,
    );
    expect([failure.code, failure.fields['error'], failure.message]).toEqual([
      code,
      error,
      `the issuer of mytok answered ${error}`,
    ]);
  });

  it("R43 masks short secrets as words, long ones everywhere, and an issuer's own code that is a secret", () => {
    const json = { error: 'e_long-secret1', error_description: 'a bad area of xlong-secret1x' };
    const secrets = ['a', 'long-secret1'];
    expect(classifyFailure('mytok', { status: 400, json, secrets }, 0).message).toBe(
      'the issuer of mytok answered e_[...] ([...] bad area of x[...]x)',
    );
    const same = classifyFailure(
      'mytok',
      { status: 400, json: { error: 'abc' }, secrets: ['abc'] },
      0,
    );
    expect(same.message).toBe('the issuer of mytok answered HTTP status 400');
  });

  it.each([
    ['value p%40ss+wd%2B1 is wrong', 'value [...] is wrong'],
    [String.raw`got p\"x+1secret`, 'got [...]'],
    [`got Basic ${Buffer.from('c:p@ss+1').toString('base64')}`, 'got Basic [...]'],
  ])('R43 masks the encoded secret in %s', (description, expected) => {
    const json = { error: 'invalid_request', error_description: description };
    const secrets = ['p@ss wd+1', 'p"x+1secret', 'p@ss+1'];
    expect(classifyFailure('mytok', { status: 400, json, secrets }, 0).message).toBe(
      `the issuer of mytok answered invalid_request (${expected})`,
    );
  });

  it.each(['authorization_pending', 'expired_token', 'insufficient_scope', 'invalid_token'])(
    'R43 the standard code %s is shown although a long secret is part of it',
    (error) => {
      const secrets = ['authorization', 'expired_', 'insufficient', 'invalid_'];
      expect(
        classifyFailure('mytok', { status: 400, json: { error }, secrets }, 0).fields['error'],
      ).toBe(error);
    },
  );

  it('has the delay only if a retry can help', () => {
    const waits = (status: number, error: string): unknown =>
      classifyFailure('mytok', { status, retryAfter: '9', json: { error } }, 0).fields[
        'retryAfter'
      ];
    expect([
      waits(429, 'x'),
      waits(503, 'x'),
      waits(502, 'x'),
      waits(400, 'invalid_grant'),
    ]).toEqual([9, 9, 9, undefined]);
  });
});

it.each([
  ['invalid_client: Invalid client_id or client_secret', 'CLIENT_REFUSED'],
  ['invalid_grant:', 'GRANT_REVOKED'],
  ['Invalid grant: it is dead', 'ISSUER_ANSWER_INVALID'],
])('R9 the error code %s, with a description in it, is %s', (error, code) => {
  expect(classifyFailure('mytok', { status: 400, json: { error } }, 0).code).toBe(code);
});

it('a description in the error code is shown as a description, without secrets', () => {
  const json = { error: 'invalid_client: the secret hunter22 is wrong' };
  const { message } = classifyFailure('mytok', { status: 400, json, secrets: ['hunter22'] }, 0);
  expect(message).toBe('the issuer of mytok answered invalid_client (the secret [...] is wrong)');
  const both = { error: 'invalid_client: a', error_description: 'b' };
  expect(classifyFailure('mytok', { status: 400, json: both }, 0).message).toBe(
    'the issuer of mytok answered invalid_client (b)',
  );
});

describe('R43 a text of an issuer', () => {
  it.each([
    ['is kept if it is an ordinary sentence', 'Token is not active', 'Token is not active'],
    ['loses long runs', 'bad eyJhbGciOiJFUzI1NiJ9.e30.x token', 'bad [...] token'],
    ['loses control characters and other scripts', 'a\u0000\u001b[31mb\nç', 'a [31mb'],
    ['is cut', 'ab '.repeat(100), 'ab '.repeat(54).slice(0, 160)],
  ])('%s', (_, text, expected) => {
    expect(harmless(text)).toBe(expected);
  });
});

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
