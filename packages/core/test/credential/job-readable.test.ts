// The part of a token response that a job may read.
import { cpuSeconds } from '@credmon/test-fixtures/clocks/cpu-time';
import { describe, expect, it } from 'vitest';
import { jobReadable } from '../../src/credential/job-readable.ts';

const OLD = 'CANARY-old-refresh';
const NEW = 'CANARY+new/refresh=';
const of = (answer: Record<string, unknown>, idToken = false): unknown =>
  jobReadable({ access_token: 'at', ...answer }, { secrets: [OLD, NEW], idToken });
const deep = (levels: number, inner: unknown): unknown =>
  Array.from({ length: levels }).reduce((value) => ({ in: value }), inner);

describe('R43 the part of a token response that a job may read', () => {
  it.each<[string, Record<string, unknown>, Record<string, unknown>]>([
    [
      'the other tokens of Globus keep their access tokens',
      {
        other_tokens: [
          { access_token: 'AT2', refresh_token: 'CANARY-2', scope: 'transfer', expires_in: 9 },
        ],
      },
      { other_tokens: [{ access_token: 'AT2', scope: 'transfer', expires_in: 9 }] },
    ],
    ...[
      'refresh_token',
      'REFRESH_TOKEN',
      'refreshToken',
      'Refresh-Token',
      'refresh token',
      'refresh.token',
    ].map((name): [string, Record<string, unknown>, Record<string, unknown>] => [
      `a member called ${name}, at the top and deeper`,
      { [name]: 'CANARY', a: [[{ b: { [name]: 'CANARY', keep: 1 } }]] },
      { a: [[{ b: { keep: 1 } }]] },
    ]),
    [
      'a list of refresh tokens',
      { refresh_tokens: ['CANARY-1'], all: ['CANARY-1', 'x'] },
      { all: ['x'] },
    ],
    [
      'a refresh token that is not a string',
      { a: { refresh_token: { value: 'CANARY' } } },
      { a: {} },
    ],
    [
      'the old or new one under another name',
      { a: OLD, b: [NEW, 'x', { c: OLD }] },
      { b: ['x', {}] },
    ],
    ['inside of a longer text', { a: `Bearer ${OLD}`, b: `https://x/?t=${NEW}&y` }, {}],
    [
      'percent-encoded in a URL',
      { a: `https://x/?t=${encodeURIComponent(NEW)}&y`, b: 'https://x/' },
      { b: 'https://x/' },
    ],
    ['as the name of a member', { tokens: { [OLD]: true, x: 1 } }, { tokens: { x: 1 } }],
    [
      'a nested one, repeated under another name',
      { a: { refresh_token: 'CANARY-3' }, b: 'CANARY-3' },
      { a: {} },
    ],
    [
      'in JSON inside of a text',
      { session: JSON.stringify({ refresh_token: 'CANARY', user: 'alice' }), list: `["${OLD}"]` },
      { session: '{"user":"alice"}', list: '[]' },
    ],
    [
      'an object whose token type is a refresh token',
      {
        others: [
          { token_type: 'refresh_token', token: 'CANARY' },
          { token_type: 'Bearer', token: 'x' },
        ],
      },
      { others: [{ token_type: 'Bearer', token: 'x' }] },
    ],
    [
      'an ID token at any depth, in any spelling, and its copies',
      { id_token: 'CANARY-id', a: [{ idToken: 'x.y.z', ID_TOKEN: 'x', keep: 'CANARY-id' }] },
      { a: [{}] },
    ],
    ...[
      'refresh_token_value',
      'refreshTokenString',
      'refresh_token_1',
      'myRefreshTokens2',
      'x-refresh-token-id',
      'refresh',
      'refreshJwt',
      'refresh_token_expires',
    ].map((name): [string, Record<string, unknown>, Record<string, unknown>] => [
      `a member called ${name} with a text, and its copy`,
      { a: { [name]: 'CANARY' }, b: 'CANARY', c: `is CANARY-x ok`, d: 'x' },
      { a: {}, c: `is CANARY-x ok`, d: 'x' },
    ]),
    ...[
      { type: 'refresh_token', value: 'CANARY' },
      { token_type: 'refresh', token: 'CANARY' },
      { kind: 'RefreshToken', token: 'CANARY', scope: 'a' },
      { typ: 'Refresh', t: { u: ['CANARY'] } },
      { use: ['refresh_token'], token: 'CANARY' },
      { token_use: 'refresh', token: 'CANARY' },
      { name: 'refresh_token', value: 'CANARY' },
      { issued_token_type: 'urn:ietf:params:oauth:token-type:refresh_token', token: 'CANARY' },
      ['refresh_token', 'CANARY'],
    ].map((object): [string, Record<string, unknown>, Record<string, unknown>] => [
      `the object ${JSON.stringify(object)}, and a copy of its token`,
      {
        token_type: 'Bearer',
        scope: 'a',
        tokens: [object, { type: 'Bearer', value: 'x' }],
        copy: 'CANARY',
      },
      { token_type: 'Bearer', scope: 'a', tokens: [{ type: 'Bearer', value: 'x' }] },
    ]),
    [
      'everything below a secret member, under another name',
      {
        other: {
          refresh_token: { value: 'X4', more: [{ x: 'X5' }] },
          grant: 'X4',
          b: 'X5',
          c: 'x',
        },
      },
      { other: { c: 'x' } },
    ],
    [
      'a member that describes a refresh token, but not other values equal to the description',
      {
        a: { refresh_token: { type: 'Bearer', scope: 'x y', token: 'CANARY' } },
        token_type: 'Bearer',
        scope: 'x y',
      },
      { a: {}, token_type: 'Bearer', scope: 'x y' },
    ],
    ...[
      'access_token=b&refresh_token=CANARY',
      'https://x/?refreshToken=CANARY',
      'https://x/?u=a%26refresh_token%3DCANARY',
      'answer: {"refresh_token":"CANARY"}',
      `)]}',\n{"refresh_token": "CANARY"}`,
      `{'refresh_token': 'CANARY'}`,
      encodeURIComponent('{"refresh_token":"CANARY"}'),
      String.raw`x {\"refresh_token\":\"CANARY\"}`,
      'Refresh-Token: CANARY',
      '<refresh_token>CANARY</refresh_token>',
      '{"refresh_token":"CANARY"',
    ].map((text): [string, Record<string, unknown>, Record<string, unknown>] => [
      `the text ${text}`,
      { raw: text, list: [text, 'x'] },
      { list: ['x'] },
    ]),
    [
      'a copy of the refresh token of a form',
      { raw: 'a=b&refresh_token=CANARY%2B1', copy: 'CANARY+1', b: 'x' },
      { b: 'x' },
    ],
    [
      'JSON inside of JSON, and a copy of its refresh token',
      { raw: JSON.stringify(JSON.stringify({ refresh_token: 'CANARY', a: 1 })), copy: 'CANARY' },
      { raw: JSON.stringify('{"a":1}') },
    ],
    [
      'the first of two members of the same name in JSON inside of a text',
      {
        raw: '{"refresh_token":"CANARY","a":1,"b":[{"type":"refresh_token","value":"CANARY2","type":"x"}]}',
      },
      { raw: '{"a":1,"b":[{"type":"x","value":"CANARY2"}]}' },
    ],
    [
      'usual statements about an ordinary token are kept',
      {
        expires_in: 5,
        refresh_token_expires_in: 9,
        refresh_token_expires_at: '2030-01-01T00:00:00Z',
        refresh_expires_in: '9',
        'not-before-policy': 0,
        session_state: 'a-b',
        token_type: 'Bearer',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        scope: 'openid offline_access refresh_token',
        scopes: ['refresh_token', 'offline'],
        ext: '{"refresh_token_expires_in":5, "a":1.0}',
        info: 'expires_in=5&refresh_token_expires_in=9',
        note: 'no refresh token was asked for',
        authorization_details: [{ type: 'x', locations: ['https://x/'], actions: ['read'] }],
      },
      {
        expires_in: 5,
        refresh_token_expires_in: 9,
        refresh_token_expires_at: '2030-01-01T00:00:00Z',
        refresh_expires_in: '9',
        'not-before-policy': 0,
        session_state: 'a-b',
        token_type: 'Bearer',
        issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
        scope: 'openid offline_access refresh_token',
        scopes: ['refresh_token', 'offline'],
        ext: '{"refresh_token_expires_in":5, "a":1.0}',
        info: 'expires_in=5&refresh_token_expires_in=9',
        note: 'no refresh token was asked for',
        authorization_details: [{ type: 'x', locations: ['https://x/'], actions: ['read'] }],
      },
    ],
    [
      'similar names are kept',
      {
        refresh_expires_in: 5,
        refresh_token_expires_in: 9,
        id_token_type: 'x',
        valid_token: true,
        scope: 'refresh_token',
        s: '{x',
        n: null,
      },
      {
        refresh_expires_in: 5,
        refresh_token_expires_in: 9,
        id_token_type: 'x',
        valid_token: true,
        scope: 'refresh_token',
        s: '{x',
        n: null,
      },
    ],
  ])('%s', (_, answer, expected) => {
    expect(of(answer)).toEqual({ access_token: 'at', ...expected });
  });

  it('keeps ID tokens on request, without refresh tokens in them', () => {
    expect(of({ id_token: 'x.y.z', a: { id_token: OLD, refresh_token: 'CANARY' } }, true)).toEqual({
      access_token: 'at',
      id_token: 'x.y.z',
      a: {},
    });
  });

  it('keeps the access token, also if another member has the same value', () => {
    const same = jobReadable(
      {
        access_token: OLD,
        refresh_token: OLD,
        id_token: OLD,
        other_tokens: [{ access_token: OLD }],
      },
      { secrets: [OLD], idToken: false },
    );
    expect(same).toEqual({ access_token: OLD, other_tokens: [{ access_token: OLD }] });
  });

  it('finds a short refresh token as a whole word, and not inside other words', () => {
    const answer = { access_token: 'at', a: 'r1', b: 'old: r1;', c: 'r12 or1', r1: 1 };
    expect(jobReadable(answer, { secrets: ['r1', ''], idToken: false })).toEqual({
      access_token: 'at',
      c: 'r12 or1',
      r1: 1,
    });
  });

  it('searches to the maximum nesting of a credential file, and keeps nothing deeper', () => {
    const text = (levels: number): string =>
      JSON.stringify(of({ deep: deep(levels, { refresh_token: 'CANARY', x: 1 }) }));
    expect([10, 60, 70, 5000].map((levels) => text(levels).includes('CANARY'))).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect(text(60)).toContain('{"x":1}');
  });

  it.each(['[', '{"a":'])(
    'removes a JSON text that nests too deep to be serialised: %s',
    (open) => {
      const close = open === '[' ? ']' : '}';
      const text = (levels: number): string => `${open.repeat(levels)}[]${close.repeat(levels)}`;
      expect(of({ x: text(20_000), y: text(200), z: text(9) })).toEqual({
        access_token: 'at',
        z: text(9),
      });
    },
  );

  it('finds very many secrets, also inside longer texts', () => {
    const others = Array.from({ length: 100 }, (_, index) => ({
      refresh_token: `CANARY-${index + 100}-refresh`,
    }));
    expect(of({ others, last: 'is CANARY-199-refresh.' })).toEqual({
      access_token: 'at',
      others: others.map(() => ({})),
    });
  });

  it.each<[string, Record<string, unknown>]>([
    ['150,000 short texts', { texts: Array.from({ length: 150_000 }, () => 'xxxx') }],
    ['a long text of escapes', { text: '%25'.repeat(300_000) }],
    ['a long text that is almost a secret', { text: 'r'.repeat(900_000) }],
    ['a long text that is a secret in part', { text: 'rx'.repeat(450_000) }],
  ])('R43 takes no longer for %s with 100 secrets than with one', (_, answer) => {
    const seconds = (count: number): number => {
      const others = Array.from({ length: count }, (__, index) => ({
        refresh_token: `r+rrrrrr${index}`,
      }));
      return cpuSeconds(() => of({ ...answer, others }));
    };
    expect(seconds(100)).toBeLessThan(0.05 + seconds(1) * 4);
  });

  it('does not change a response without secrets', () => {
    const answer = {
      access_token: 'at',
      token_type: 'Bearer',
      more: [1, true, null, { a: '[1, 2]' }],
      __proto__x: 1,
    };
    expect(jobReadable(answer, { secrets: [], idToken: false })).toEqual(answer);
  });
});
