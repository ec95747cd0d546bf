// The exact texts on disk after a login and a renewal.
import { describe, expect, it } from 'vitest';
import {
  filesFromLogin,
  rotatedTopText,
  useFile,
  useText,
  type LoginResult,
} from '../../src/credential/from-tokens.ts';

const answer = {
  accessToken: 'at',
  answer: { access_token: 'at', token_type: 'Bearer', expires_in: '3600.5' },
};
const login: LoginResult = {
  answer: { ...answer, refreshToken: 'rt' },
  scopes: 'a, b',
  audience: 'https://storage.example',
  client: { client_id: 'c', client_secret: 's', token_url: 'https://issuer.example/token' },
  issuedAt: 1000.75,
  defaultLifetime: 1200,
};

describe('the files of a login', () => {
  it('are one line of JSON each, with scopes and audience byte for byte', () => {
    expect(filesFromLogin(login)).toEqual({
      top: '{"refresh_token":"rt","scopes":"a, b","audience":"https://storage.example"}\n',
      use: '{"access_token":"at","token_type":"Bearer","expires_in":3600,"issued_at":1000,"expires_at":4600}\n',
      meta: '{"client_id":"c","client_secret":"s","token_url":"https://issuer.example/token","use_refresh_token":true}\n',
    });
  });

  it('have the bare token and a state file, where the provider wants that', () => {
    const { use, issued, ...others } = filesFromLogin({ ...login, json: false });
    const { use: _json, ...same } = filesFromLogin(login);
    expect(others).toEqual(same);
    expect([use, JSON.parse(issued ?? '')]).toEqual([
      'at\n',
      {
        token_sha256: expect.stringMatching(/^[\da-f]{64}$/) as string,
        issued_at: 1000,
        expires_at: 4600,
      },
    ]);
  });

  it('omit scopes and audience without a request for them, and record a missing refresh token', () => {
    expect(filesFromLogin({ ...login, answer, scopes: '', audience: '' })).toEqual({
      top: '{"refresh_token":""}\n',
      use: filesFromLogin(login).use,
      meta: '{"client_id":"c","client_secret":"s","token_url":"https://issuer.example/token","use_refresh_token":false}\n',
    });
  });
});

describe('the files of a renewal', () => {
  it("R15 .use has our times, not the issuer's members of the same names", () => {
    const odd = {
      accessToken: 'at',
      answer: { access_token: 'at', expires_in: -1, issued_at: 'x', expires_at: 9e99 },
    };
    expect(JSON.parse(useText(odd, 1000, 1200))).toEqual({
      access_token: 'at',
      expires_in: 1200,
      issued_at: 1000,
      expires_at: 2200,
    });
  });

  it('R15 .use does not outlive a JWT that the issuer made earlier', () => {
    const part = (value: unknown): string =>
      Buffer.from(JSON.stringify(value)).toString('base64url');
    const token = `${part({ alg: 'ES256' })}.${part({ iat: 1000, exp: 4600 })}.c2ln`;
    const old = { accessToken: token, answer: { access_token: token } };
    expect(JSON.parse(useText(old, 4000, 1200))).toMatchObject({
      issued_at: 4000,
      expires_at: 4600,
    });
  });

  const origin = { provider: 'x', now: 1000.75, defaultLifetime: 1200 };
  it.each([
    ['JSON', {}, { issuedAt: 1000, expiresAt: 4600 }, /^\{"access_token":"at",/],
    ['a bare token', { json: false }, { issuedAt: 1000, expiresAt: 4600 }, /^at\n$/],
  ])('R15 .use as %s comes with the times of the answer', (_, options, times, text) => {
    expect(useFile(answer, { ...origin, ...options })).toEqual({
      text: expect.stringMatching(text) as string,
      times,
    });
  });

  it('R15 .use of a token that does not expire says so, in place of lifetime and expiry', () => {
    const github = {
      accessToken: 'gho',
      answer: { access_token: 'gho', expires_in: 0, expires_at: null, scope: 'repo' },
    };
    const never = Number.POSITIVE_INFINITY;
    expect(useText(github, 1000.5, never)).toBe(
      '{"access_token":"gho","scope":"repo","issued_at":1000,"does_not_expire":true}\n',
    );
    expect(useFile(github, { ...origin, defaultLifetime: never }).times).toEqual({
      issuedAt: 1000,
      expiresAt: never,
    });
  });

  it('an answer cannot set the members that only we write', () => {
    const odd = {
      accessToken: 'at',
      answer: { access_token: 'at', does_not_expire: true, stored_before_top: true },
    };
    expect(JSON.parse(useText(odd, 1000, 1200))).toEqual({
      access_token: 'at',
      expires_in: 1200,
      issued_at: 1000,
      expires_at: 2200,
    });
  });

  it('R14 a .use that no reader could read is an invalid answer', () => {
    const token = 'null';
    const bare = { accessToken: token, answer: { access_token: token } };
    expect(() => useFile(bare, { ...origin, json: false })).toThrow(/invalid token response for x/);
  });

  it('R16 .top keeps all other keys', () => {
    expect(rotatedTopText({ refresh_token: 'old', scopes: 'a', more: [1] }, 'new')).toBe(
      '{"refresh_token":"new","scopes":"a","more":[1]}\n',
    );
  });
});
