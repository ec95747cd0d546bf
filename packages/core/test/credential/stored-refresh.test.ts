// The effect of a login without a refresh token on the stored one.
import { describe, expect, it } from 'vitest';
import {
  judgeStoredRefresh,
  type LoginRequest,
  type StoredTexts,
} from '../../src/credential/stored-refresh.ts';
import type { TokenAnswer } from '../../src/credential/token-response.ts';

const jwt = (claims: object): string =>
  ['{"alg":"none"}', JSON.stringify(claims), '']
    .map((part) => Buffer.from(part).toString('base64url'))
    .join('.');
const answerWith = (
  fields: Record<string, unknown> = {},
  claims?: TokenAnswer['claims'],
): TokenAnswer => ({
  accessToken: typeof fields['access_token'] === 'string' ? fields['access_token'] : 'at-2',
  answer: { access_token: 'at-2', ...fields },
  ...(claims ? { claims } : {}),
});
const request: LoginRequest = {
  scopes: 'read, write',
  audience: 'https://a.example',
  clientId: 'c',
  tokenUrl: 'https://issuer.example/token',
};
const meta = (fields: object = {}): string =>
  JSON.stringify({
    client_id: 'c',
    client_secret: 's',
    token_url: 'https://issuer.example/token',
    use_refresh_token: true,
    ...fields,
  });
const top = (fields: object = {}): string =>
  JSON.stringify({
    refresh_token: 'rt-1',
    scopes: 'read, write',
    audience: 'https://a.example',
    ...fields,
  });
const use = (fields: object = {}): string => JSON.stringify({ access_token: 'at-1', ...fields });
const stored: StoredTexts = { top: top(), topModifiedAt: 1000, use: use(), meta: meta() };
const failure = (fields: object = {}): string =>
  JSON.stringify({
    attempts: 1,
    last_attempt: 1500,
    not_before: 2000,
    stopped: true,
    code: 'GRANT_REVOKED',
    message: 'm',
    basis: 'b',
    ...fields,
  });
const kept = { kind: 'keep', refreshToken: 'rt-1', top: undefined, renewable: true };
const token = (sub: unknown, iss = 'https://issuer.example'): string => jwt({ iss, sub });

describe('R16 a login whose answer has no refresh token', () => {
  it.each<readonly [string, Readonly<Record<string, unknown>>, TokenAnswer, unknown]>([
    ['keeps the stored one', {}, answerWith(), kept],
    ['keeps one stored without .meta', { meta: undefined }, answerWith(), kept],
    ['keeps one beside a broken .meta', { meta: '{"client_id":' }, answerWith(), kept],
    ['keeps one beside a broken .use', { use: 'nonsense' }, answerWith(), kept],
    [
      'keeps one of the same account',
      { meta: meta({ subject: 'a' }) },
      answerWith({}, { sub: 'a' }),
      kept,
    ],
    [
      'keeps one whose last renewal failed for another reason',
      { renewal: failure({ code: 'CLIENT_REFUSED' }) },
      answerWith(),
      kept,
    ],
    [
      'keeps one whose issuer is not reachable',
      { renewal: failure({ stopped: false }) },
      answerWith(),
      kept,
    ],
    [
      'keeps one stored after the rejection',
      { renewal: failure({ last_attempt: 999 }) },
      answerWith(),
      kept,
    ],
    [
      'keeps one that .meta excludes from use, and reports that',
      { meta: meta({ use_refresh_token: false }) },
      answerWith(),
      { ...kept, renewable: false },
    ],
    [
      'stores the new spelling of scopes, and keeps other members of .top',
      { top: top({ scopes: 'write read', extra: 1 }) },
      answerWith(),
      {
        ...kept,
        top: '{"refresh_token":"rt-1","extra":1,"scopes":"read, write","audience":"https://a.example"}\n',
      },
    ],
    ['has nothing to keep without .top', { top: undefined }, answerWith(), { kind: 'none' }],
    ['has nothing to keep in a broken .top', { top: 'x' }, answerWith(), { kind: 'none' }],
    [
      'has nothing to keep in an empty one',
      { top: top({ refresh_token: '' }) },
      answerWith(),
      { kind: 'none' },
    ],
    [
      'has nothing to keep of a Vault',
      { top: '{"vault_url":"x"}' },
      answerWith(),
      { kind: 'none' },
    ],
    [
      'replaces one of another client',
      { meta: meta({ client_id: 'd' }) },
      answerWith(),
      { kind: 'replace', why: 'client' },
    ],
    [
      'replaces one of another token URL',
      { meta: meta({ token_url: 'https://other.example/token' }) },
      answerWith(),
      { kind: 'replace', why: 'client' },
    ],
    [
      'replaces one of another account, by the record in .meta',
      { meta: meta({ subject: 'a' }) },
      answerWith({}, { sub: 'b' }),
      { kind: 'replace', why: 'account' },
    ],
    [
      'replaces one of another account, by both ID tokens',
      { use: use({ id_token: token('a') }) },
      answerWith({ id_token: token('b') }),
      { kind: 'replace', why: 'account' },
    ],
    [
      'replaces one of another account, by both access tokens',
      { use: use({ access_token: token('a') }) },
      answerWith({ access_token: token('b') }),
      { kind: 'replace', why: 'account' },
    ],
    [
      'replaces one of another account, by both access tokens, the stored one bare',
      { use: `${token('a')}\n` },
      answerWith({ access_token: token('b') }),
      { kind: 'replace', why: 'account' },
    ],
    [
      'keeps one beside a bare opaque token',
      { use: 'opaque\n' },
      answerWith({ access_token: token('b') }),
      kept,
    ],
    [
      'keeps one if the ID tokens agree, for any access tokens',
      { use: use({ access_token: token('a'), id_token: token('x') }) },
      answerWith({ access_token: token('b'), id_token: token('x') }),
      kept,
    ],
    [
      'keeps one if access tokens of two issuers cannot be compared',
      { use: use({ access_token: token('a') }) },
      answerWith({ access_token: token('b', 'https://other.example') }),
      kept,
    ],
    [
      'replaces one that the issuer has revoked',
      { renewal: failure() },
      answerWith(),
      { kind: 'replace', why: 'revoked' },
    ],
    [
      'rejects if other scopes are stored',
      { top: top({ scopes: 'read' }) },
      answerWith(),
      { kind: 'refuse' },
    ],
    [
      'rejects if more scopes are stored',
      { top: top({ scopes: 'read write admin' }) },
      answerWith(),
      { kind: 'refuse' },
    ],
    [
      'rejects if no scopes are stored',
      { top: top({ scopes: undefined }) },
      answerWith(),
      { kind: 'refuse' },
    ],
    [
      'rejects if the stored scopes are invalid',
      { top: top({ scopes: 7 }) },
      answerWith(),
      { kind: 'refuse' },
    ],
    [
      'rejects if another audience is stored',
      { top: top({ audience: 'https://b.example' }) },
      answerWith(),
      { kind: 'refuse' },
    ],
  ])('%s', (_title, changes, answer, expected) => {
    expect(judgeStoredRefresh({ ...stored, ...changes }, request, answer)).toEqual(expected);
  });

  it('keeps one requested without scopes and audience', () => {
    const bare = { ...stored, top: '{"refresh_token":"rt-1"}' };
    expect(
      judgeStoredRefresh(bare, { ...request, scopes: '', audience: '' }, answerWith()),
    ).toEqual(kept);
  });

  it('a new refresh token replaces any stored one', () => {
    const answer = { ...answerWith(), refreshToken: 'rt-2' };
    expect(
      judgeStoredRefresh({ ...stored, top: top({ scopes: 'other' }) }, request, answer),
    ).toEqual({
      kind: 'none',
    });
  });
});
