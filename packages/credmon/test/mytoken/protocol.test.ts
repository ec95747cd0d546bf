// The request of the daemon: which mytoken is used, and what is rejected.
import { describe, expect, it } from 'vitest';
import { parseProgramRequest } from '../../src/mytoken/protocol.ts';

const request = (more: object = {}): string =>
  JSON.stringify({
    version: 1,
    user: 'alice',
    service: 'helmholtz',
    handle: '',
    scopes: 'openid, profile',
    audience: 'https://a https://b',
    top: { mytoken: 'mt' },
    now: 1,
    ...more,
  });

it('names the user, the scopes and the audience', () => {
  expect(parseProgramRequest(request())).toEqual({
    user: 'alice',
    service: 'helmholtz',
    handle: '',
    scopes: ['openid', 'profile'],
    audience: ['https://a', 'https://b'],
    login: { kind: 'mytoken', text: 'mt' },
  });
});

describe('the mytoken', () => {
  it.each([
    ['of the last rotation comes first', { refresh_token: 'r', mytoken: 'm' }, ['mytoken', 'r']],
    ['that was stored', { refresh_token: '', mytoken: 'm', transfer_code: 't' }, ['mytoken', 'm']],
    ['of a transfer code', { transfer_code: 't' }, ['transfer_code', 't']],
    ['without JSON', ' text\n', ['mytoken', 'text']],
    ['is missing in other JSON', { token: 'x' }, undefined],
    ['is missing in an empty text', ' ', undefined],
    ['with a blank is none', { mytoken: 'a b' }, undefined],
    ['with a line feed is none', 'a\nb', undefined],
    ['that is a number is none', { mytoken: 5 }, undefined],
    ['of 17 KB is none', { mytoken: 'x'.repeat(17_000) }, undefined],
  ] as const)('%s', (_title, top, expected) => {
    const login = expected && { kind: expected[0], text: expected[1] };
    expect(parseProgramRequest(request({ top })).login).toEqual(login);
  });
});

it.each(['', '[]', 'null', '{}', '{"version":2}', '{"mytoken":"CANARY'])(
  '%j is not a request, and no error quotes it',
  (text) => {
    expect(() => parseProgramRequest(text)).toThrow(
      expect.objectContaining({
        code: 'USAGE',
        message: expect.stringMatching(/^invalid request on standard input: (?!.*CANARY)/),
      }),
    );
  },
);
