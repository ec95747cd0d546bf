// Requests for a token and their results: nothing that a user writes is trusted.
import { describe, expect, it } from 'vitest';
import type { IssuedToken } from '../../src/issuance/request.ts';
import {
  parseTokenRequest,
  parseTokenResult,
  tokenRequestText,
  tokenResultText,
} from '../../src/requests/token-request.ts';
import { parseRequest, requestText } from '../../src/requests/request.ts';

const wish = { provider: 'p', subject: 'alice', audience: ['a'], scopes: ['s'], lifetime: 60 };

describe('a request', () => {
  it.each([wish, { ...wish, subject: undefined, lifetime: undefined, audience: [], scopes: [] }])(
    'is read as it was written: %j',
    (one) => {
      expect(parseTokenRequest(tokenRequestText(one, '/t'))).toEqual({ wish: one, to: '/t' });
    },
  );

  it.each<[string, object | string]>([
    ['no JSON', '{'],
    ['no object', '[]'],
    ['of a renewal', requestText({ user: 'alice', stem: 'mytok' })],
    ['with another member', { token: { ...wish, to: '/t' }, more: 1 }],
    ['with another member of the token', { token: { ...wish, to: '/t', more: 1 } }],
    ['without a provider', { token: { ...wish, provider: undefined, to: '/t' } }],
    ['with a lifetime in text', { token: { ...wish, lifetime: '60', to: '/t' } }],
    ['with a fraction of a second', { token: { ...wish, lifetime: 1.5, to: '/t' } }],
    ['with an audience that is no list', { token: { ...wish, audience: 'a', to: '/t' } }],
    ['with a scope that is no text', { token: { ...wish, scopes: [1], to: '/t' } }],
    ['with a subject that is no text', { token: { ...wish, subject: null, to: '/t' } }],
    ['without a place', { token: wish }],
  ])('is not %s', (_, value) => {
    const text = typeof value === 'string' ? value : JSON.stringify(value);
    expect(parseTokenRequest(text)).toBeUndefined();
  });

  it('is not a request for a renewal', () => {
    expect(parseRequest(tokenRequestText(wish, '/t'))).toBeUndefined();
  });
});

describe('a result', () => {
  const issued: IssuedToken = {
    token: 'ey.ey.x',
    source: 'signed',
    provider: 'p',
    subject: 'alice',
    audience: ['a'],
    scopes: ['s'],
    issuedAt: 1,
    expiresAt: 61,
    jti: 'j',
    note: undefined,
  };
  it.each([
    { kind: 'issued', issued } as const,
    {
      kind: 'issued',
      issued: { ...issued, subject: undefined, jti: undefined, note: 'n' },
    } as const,
    { kind: 'issued', issued: { ...issued, expiresAt: Number.POSITIVE_INFINITY } } as const,
    { kind: 'refused', code: 'USER_REFUSED', message: 'no' } as const,
  ])('is read as it was written: %j', (result) => {
    expect(parseTokenResult(tokenResultText(result))).toEqual(result);
  });

  it.each([
    '',
    '{}',
    '{"kind":"issued"}',
    '{"kind":"issued","issued":{"token":"x"}}',
    '{"kind":"x"}',
  ])('is not %j', (text) => {
    expect(parseTokenResult(text)).toBeUndefined();
  });
});
