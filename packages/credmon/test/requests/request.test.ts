// Requests and results as files: what is accepted, what is removed, and what is said.
import type { IssuedToken } from '../../src/issuance/issue.ts';
import {
  type EntryFacts,
  type RenewalResult,
  judgeEntry,
  parseRequest,
  parseResult,
  parseTokenRequest,
  parseTokenResult,
  refusal,
  requestName,
  requestText,
  resultName,
  resultText,
  tokenRequestText,
  tokenResultText,
  unfinishedName,
} from '../../src/requests/request.ts';
import { describe, expect, it } from 'vitest';

const ID = '0123456789abcdef0123456789abcdef';
const NOW = 1_700_000_000;

describe('the content of a request', () => {
  it.each([
    { user: 'alice', stem: 'mytok' },
    { user: 'alice', stem: 'mytok_h1' },
    { user: '(standing)', stem: 'ce1' },
  ])('%o is read as it was written', (wanted) => {
    expect(parseRequest(requestText(wanted))).toEqual(wanted);
  });

  it.each([
    '',
    '{',
    'null',
    '[]',
    '{}',
    '{"renew":null}',
    '{"renew":{}}',
    '{"renew":{"user":"alice"}}',
    '{"renew":{"user":"alice","service":7}}',
    '{"renew":{"user":"../alice","service":"mytok"}}',
    '{"renew":{"user":"alice","service":"../bob/mytok"}}',
    '{"renew":{"user":"","service":"mytok"}}',
    '{"renew":{"user":"alice","service":"mytok","uid":0}}',
    '{"renew":{"user":"alice","service":"mytok"},"as":"root"}',
    '{"renew":{"user":"al\\u0000ice","service":"mytok"}}',
  ])('%s is refused', (text) => expect(parseRequest(text)).toBeUndefined());
});

describe('an entry of the directory', () => {
  const facts: EntryFacts = {
    kind: 'file',
    uid: 1001,
    links: 1,
    mode: 0o600,
    size: 60,
    mtime: NOW - 1,
  };
  const request = requestName(ID);
  const unfinished = unfinishedName(ID);
  it.each<readonly [string, string, Partial<EntryFacts>, object]>([
    ['a request', request, {}, { kind: 'read', id: ID }],
    ['a request dated in the future', request, { mtime: NOW + 1e6 }, { kind: 'read', id: ID }],
    ['an old request', request, { mtime: NOW - 601 }, { kind: 'remove' }],
    ['a symbolic link', request, { kind: 'link' }, { why: 'it is a symbolic link' }],
    ['a directory', request, { kind: 'directory' }, { why: 'it is not a regular file' }],
    ['a FIFO', request, { kind: 'other' }, { why: 'it is not a regular file' }],
    ['a hard link', request, { links: 2 }, { why: 'it has a second name (hard link)' }],
    [
      'a file that others can write',
      request,
      { mode: 0o602 },
      { why: 'its mode gives access to other users' },
    ],
    [
      'a file that the group can read',
      request,
      { mode: 0o640 },
      { why: 'its mode gives access to other users' },
    ],
    ['a large file', request, { size: 4097 }, { why: 'it is larger than 4096 bytes' }],
    ['a request that was never finished', unfinished, {}, { kind: 'remove' }],
    ['one dated in the future', unfinished, { mtime: NOW + 1e9 }, { kind: 'remove' }],
    ['a link under its name', unfinished, { kind: 'link' }, { kind: 'remove' }],
    ...['x', 'x.request', `${ID.toUpperCase()}.request`, `${ID}.request.1`, `a${ID}.request`].map(
      (name) =>
        [`the name ${name}`, name, {}, { why: 'its name is not that of a request' }] as const,
    ),
  ])('%s: %s', (_, name, change, expected) => {
    const verdict = judgeEntry(name, { ...facts, ...change }, NOW);
    expect(verdict).toEqual('why' in expected ? { kind: 'remove', ...expected } : expected);
  });
});

describe('a result', () => {
  const result: RenewalResult = {
    ...refusal('busy', NOW),
    code: 'ISSUER_BUSY',
    next_renewal: NOW + 5,
  };
  it('is read as it was written, with members of later versions', () => {
    expect(parseResult(resultText(result))).toEqual(result);
    expect(parseResult(JSON.stringify({ ...result, more: 1 }))).toEqual({ ...result, more: 1 });
  });

  it.each(Object.keys(result))('without a valid %s is invalid', (name) => {
    expect(parseResult(JSON.stringify({ ...result, [name]: [] }))).toBeUndefined();
    expect(parseResult(JSON.stringify({ ...result, [name]: undefined }))).toBeUndefined();
  });

  it('has a name of its own for each user, so that no user can take the place of another', () => {
    expect([1001, 1002].map((uid) => resultName({ uid, id: ID }))).toEqual([
      `1001-${ID}.json`,
      `1002-${ID}.json`,
    ]);
  });
});

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
