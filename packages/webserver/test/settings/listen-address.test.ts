// Parsing listen addresses.
import { describe, expect, it } from 'vitest';
import { parseListenAddress } from '../../src/settings/addresses.ts';

const wrong = { kind: 'wrong', why: 'write HOST:PORT, unix:/path or fd:N' };

describe('a listen address', () => {
  it.each([
    ['127.0.0.1:8081', { kind: 'tcp', host: '127.0.0.1', port: 8081 }],
    ['localhost:0', { kind: 'tcp', host: 'localhost', port: 0 }],
    ['8081', { kind: 'tcp', host: '127.0.0.1', port: 8081 }],
    ['[::1]:8081', { kind: 'tcp', host: '::1', port: 8081 }],
    ['unix:/run/a b.sock', { kind: 'unix', path: '/run/a b.sock' }],
    ['unix:run', { kind: 'wrong', why: 'unix: needs an absolute path' }],
    ['fd:3', { kind: 'fd', descriptor: 3 }],
    ['', wrong],
    ['fd:', wrong],
    ['fd:x', wrong],
    ['host:65536', wrong],
    ['::1:80', wrong],
    ['http://host:80', wrong],
  ])('"%s" is %j', (text, expected) => {
    expect(parseListenAddress(text)).toEqual(expected);
  });
});
