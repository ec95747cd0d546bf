// The storer's arguments, and which way each service goes.
import { isCoded } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';
import {
  parseStorerArguments,
  USAGE,
  parseRequest,
  requestText,
} from '../../src/storer/arguments.ts';
import { routeOf } from '../../src/storer/store.ts';

describe('an argument of condor_submit', () => {
  it.each([
    ['dune', { service: 'dune', handle: '', scopes: '', audience: '', options: '' }],
    [
      'dune_prod&handle=h1&scopes=a,b&audience=https://x.example/?a=b&options=-v',
      {
        service: 'dune_prod',
        handle: 'h1',
        scopes: 'a,b',
        audience: 'https://x.example/?a=b',
        options: '-v',
      },
    ],
  ])('%s', (text, request) => {
    expect(parseRequest(text)).toEqual(request);
    expect(requestText(parseRequest(text))).toBe(text);
  });

  it.each([
    '',
    '&handle=h',
    '-x',
    'a/b',
    '..',
    'a b',
    'a&handle=../x',
    'a&handle',
    'a&colour=red',
    'a&scopes=x&scopes=y',
    'a_',
  ])('refuses %j', (text) => {
    expect(() => parseRequest(text)).toThrow(expect.toSatisfy((error) => isCoded(error, 'USAGE')));
  });
});

describe('the command line', () => {
  it('has flags before and after the services', () => {
    expect(parseStorerArguments(['-v', 'a', '--config', '/c', 'b', '--force'], '1')).toMatchObject({
      kind: 'store',
      requests: [{ service: 'a' }, { service: 'b' }],
      configFile: '/c',
      verbose: true,
      force: true,
    });
    expect(USAGE.split('\n').filter((line) => line.length > 80)).toEqual([]);
    expect(parseStorerArguments(['--version'], '1.2.3')).toEqual({ kind: 'text', text: '1.2.3' });
  });
});

describe('the login of a service', () => {
  const lists = {
    local: ['scitokens'],
    client: ['svc'],
    oauth2: '*',
    vault: ['dune'],
    pelican: ['osdf'],
    exchange: ['lab'],
    exec: [],
    specialNames: false,
  } as const;
  it.each([
    ['dune', false, undefined, 'vault'],
    ['dune_prod', false, 'vault', 'vault'],
    ['osdf', false, 'pelican', 'pelican'],
    ['mytok', true, undefined, 'device'],
    ['mytok', true, 'vault', 'device'],
    ['other', false, 'vault', 'vault'],
    ['other', false, 'pelican', 'pelican'],
  ] as const)('R19 %s (client: %s, mode %s) is %s', (service, hasClient, mode, route) => {
    expect(routeOf(service, { lists, hasClient, mode })).toBe(route);
  });

  it.each([
    ['other', /unknown service other/],
    ['scitokens', /needs no login/],
    ['svc', /needs no login/],
    ['lab', /condor_store_cred add-oauth -s lab -i FILE$/],
  ])('%s has none', (service, text) => {
    expect(() => routeOf(service, { lists, hasClient: false, mode: undefined })).toThrow(text);
  });
});
