// Which scopes are signed, which are accepted, and the paths that they permit.
import { describe, expect, it } from 'vitest';
import {
  checkScopeForSigning,
  ambiguousEncoding,
  normalisePath,
  readAuthorization,
  splitScope,
} from '../../src/token/scope.ts';

describe('a scope before signing', () => {
  it.each([
    'read:/',
    'read:/home/alice',
    'write:/osg/x/',
    'queue',
    'compute.read',
    'condor:/READ',
    'openid',
    'read:/home/é',
    'storage.read:/a%20b',
    'read:/caf%C3%A9',
    'read:/%7Ebob',
    'read:/a:b',
  ])('may be %s', (scope) => {
    expect(checkScopeForSigning(scope)).toBe(scope);
  });

  it.each([
    ['read:/home/../etc', 'climbs'],
    ['read:/..', 'climbs'],
    ['read:/home/./x', 'has a dot segment'],
    ['read:home/alice', 'is relative'],
    ['read:', 'has an empty path'],
    ['read', 'has no path where one is needed'],
    ['storage.create', 'has no path where one is needed'],
    ['condor:READ', 'is relative for any authorization'],
    ['read:/a%2fb', 'encodes a separator'],
    ['read:/a%2Fb', 'encodes a separator'],
    ['read:/a%5cb', 'encodes a backslash'],
    ['read:/%2e%2e/b', 'encodes a parent'],
    ['read:/.%2E/b', 'encodes half a parent'],
    ['read:/a/%2e', 'encodes a dot segment'],
    ['read:/%252e%252e/b', 'encodes twice'],
    ['read:/%q1', 'has an invalid escape'],
    ['read:/50%', 'has half an escape'],
    ['read:/x%4', 'has an escape of one digit'],
    ['read:/100%25', 'encodes a percent sign'],
    ['read:/caf%E9', 'encodes bytes that are not UTF-8'],
    ['read:/a%0Ab', 'encodes a newline'],
    ['read:/a%7F', 'encodes a control character'],
    ['x%2f:/a', 'encodes a separator in the name'],
    ['read:/a\0b', 'contains a NUL'],
    ['read:/a%00b', 'encodes a NUL'],
    ['read:/a\nb', 'contains a newline'],
    ['read:/a b', 'contains a blank'],
    ['read:/a\u00a0b', 'contains a non-ASCII blank'],
    ['read:/a"b', 'contains a quote'],
    ['read:/a\\b', 'contains a backslash'],
    ['read:/\ud800', 'contains an unpaired surrogate'],
    [':/a', 'authorizes nothing'],
    ['', 'is empty'],
  ])('is rejected when %j %s', (scope) => {
    expect(() => checkScopeForSigning(scope)).toThrow(
      expect.objectContaining({ code: 'TOKEN_BAD_SCOPE' }),
    );
  });
});

describe('a scope in a verified token', () => {
  it.each([
    ['read', { authz: 'read', path: '/' }],
    ['read:', { authz: 'read', path: '/' }],
    ['read:home', { authz: 'read', path: '/home' }],
    ['read://a//b/./c/', { authz: 'read', path: '/a/b/c' }],
    ['read:/a:b', { authz: 'read', path: '/a:b' }],
    ['read:/home/%62ob', { authz: 'read', path: '/home/bob' }],
    ['read:/run%202/out', { authz: 'read', path: '/run 2/out' }],
    ['read:/caf%C3%A9', { authz: 'read', path: '/café' }],
    ['read:/%7Ebob', { authz: 'read', path: '/~bob' }],
    ['read:/a%2eb/%2e%2e%2e', { authz: 'read', path: '/a.b/...' }],
    ['read:home%3A', { authz: 'read', path: '/home:' }],
  ])('%j permits %j', (scope, authorization) => {
    expect(readAuthorization(scope)).toEqual(authorization);
  });

  it.each([
    'read:/a/..',
    'read:..',
    'read:/%2e%2e',
    'read:/a%2Fb',
    'read:/%252e',
    're\0ad:/',
    're\\ad:/',
    'read%2f:/',
    'read:/a%00',
    'read:/a%2562',
    'read:/a/%2e/b',
    'read:/a%5cb',
    'read:/scratch\\tmp',
    'read:/scratch/%q1',
    'read:/scratch/50%',
    'read:/x%4',
    'read:/100%',
    'read:/data/100%',
    'read:/caf%E9',
  ])('%j is rejected', (scope) => {
    expect(() => readAuthorization(scope)).toThrow(
      expect.objectContaining({ code: 'TOKEN_BAD_SCOPE' }),
    );
  });
});

describe('a path', () => {
  it.each([
    ['', '/'],
    ['/', '/'],
    ['//a///b', '/a/b'],
    ['/a/../b', '/b'],
    ['/../../b', '/b'],
    ['a/b/.', '/a/b'],
  ])('%j is normalised to %j', (path, normal) => {
    expect(normalisePath(path)).toBe(normal);
  });

  it('with names similar to dot segments is not ambiguous', () => {
    expect(['/..a', '/a..', '/...', '/a%2eb', '/%2e%2e%2e'].map(ambiguousEncoding)).toEqual(
      Array(5).fill(undefined),
    );
  });
});

it('a scope claim is split at blanks only', () => {
  expect(splitScope('  read:/a   write:/b\tc ')).toEqual(['read:/a', 'write:/b\tc']);
});
