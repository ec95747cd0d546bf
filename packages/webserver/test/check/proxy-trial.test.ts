// The finding about the proxy after requests with forged headers, and the include file
// that fixes it.
import { describe, expect, it } from 'vitest';
import { proxyConfig, forgeries, proxyFindings, type Trial } from '../../src/check/proxy-config.ts';

const answered = (arrived: boolean, how = 'twice'): Trial => ({ kind: 'answered', how, arrived });
const failed = (why: string): Trial => ({ kind: 'failed', why });

describe('R33 the finding about the proxy', () => {
  it.each<[string, Trial[], string, RegExp]>([
    ['no forged name arrived', [answered(false), answered(false)], 'ok', /replaces x-user/],
    [
      'one arrived',
      [answered(false), answered(true)],
      'error',
      /\(sent twice\).*--print-proxy-config/,
    ],
    ['one arrived, another failed', [answered(true), failed('x')], 'error', /passes x-user/],
    [
      'a variant was refused by the proxy',
      [answered(false), failed('HTTP status 400')],
      'ok',
      /replaces/,
    ],
    [
      'no request was answered',
      [failed('ECONNREFUSED'), failed('ECONNREFUSED')],
      'warning',
      /: ECONNREFUSED; fix:/,
    ],
  ])('%s', (_what, trials, state, text) => {
    expect(proxyFindings('x-user', 'https://ap.example', trials)).toEqual([
      { what: 'proxy', state, text: expect.stringMatching(text) as string },
    ]);
  });

  it('covers all ways to forge a name', () => {
    expect(forgeries('x-forwarded-user', 'eve').map(({ headers }) => headers)).toEqual([
      { 'x-forwarded-user': 'eve' },
      { 'X-FORWARDED-USER': 'eve' },
      { 'x-forwarded-user': ['eve', 'eve'] },
      { x_forwarded_user: 'eve' },
      { 'x-forwarded-user': 'eve', connection: 'close, x-forwarded-user' },
      { authorization: `Basic ${Buffer.from('eve:x').toString('base64')}` },
    ]);
  });
});

describe('R33 --print-proxy-config', () => {
  it.each([
    ['nginx', 'x-forwarded-user', '', ['proxy_set_header X-Forwarded-User $condor_credmon_user;']],
    ['nginx', undefined, '', ['proxy_set_header X-Remote-User $condor_credmon_user;']],
    [
      'apache',
      'x-forwarded-user',
      '/credmon',
      [
        'RequestHeader unset X-Forwarded-User early',
        'RequestHeader set X-Forwarded-User expr=%{REMOTE_USER} "expr=-n %{REMOTE_USER}"',
        '<Location "/credmon/proxy-check/">',
        '    AuthType None',
        '    Require all granted',
        '</Location>',
      ],
    ],
  ] as const)(
    '%s, header %s, below "%s": replaces exactly this header',
    (proxy, header, mount, expected) => {
      const lines = proxyConfig(proxy, header, mount).split('\n');
      expect(lines.filter((line) => line !== '' && !line.startsWith('#'))).toEqual(expected);
    },
  );
});
