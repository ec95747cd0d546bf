// The URLs to which a secret may be sent.
import { describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/base/errors/errors.ts';
import {
  clearAddressText,
  isLoopbackHost,
  secureEndpoint,
} from '../../../src/base/http/endpoint.ts';
import { everythingIn } from '../local-server.ts';

describe('R26 endpoints', () => {
  it.each([
    ['https://issuer.example/token', false],
    ['https://issuer.example:8443/token?tenant=1', false],
    ['http://127.0.0.1:8080/token', true],
    ['http://localhost/token', true],
    ['http://[::1]:8080/token', true],
    ['http://127.1/token', true],
  ])('%s may be used', (url, knob) => {
    expect(secureEndpoint(url, 'X_TOKEN_URL', knob).href).toBe(new URL(url).href);
  });

  const refused: [string, boolean, RegExp][] = [
    ['http://issuer.example/token', true, /http is allowed only to loopback/],
    ['http://127.0.0.1:8080/token', false, /CREDMON_ALLOW_LOOPBACK_HTTP = true/],
    ['http://127.0.0.1.evil.example/', true, /only to loopback/],
    ['http://localhost.evil.example/', true, /only to loopback/],
    ['http://localhost@evil.example/', true, /user information/],
    ['http://0.0.0.0/', true, /only to loopback/],
    ['https://user:CANARY@issuer.example/', false, /user information/],
    ['https://issuer.example/#CANARY', false, /fragment/],
    ['file:///etc/passwd', true, /must begin with https:/],
    ['ftp://issuer.example/', true, /must begin with https:/],
    ['javascript:alert(1)', true, /must begin with https:/],
    ['issuer.example/token', true, /is not a URL/],
    ['', true, /is not a URL/],
  ];
  it.each(refused)('%s (loopback knob %s) is rejected', (url, knob, message) => {
    let error: unknown;
    try {
      secureEndpoint(url, 'X_TOKEN_URL', knob);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(CodedError);
    expect(error).toMatchObject({
      code: 'ENDPOINT_REFUSED',
      message: expect.stringMatching(message) as string,
    });
    expect((error as CodedError).message).toContain('X_TOKEN_URL');
    expect(everythingIn(error)).not.toContain('CANARY');
  });

  it.each([
    ['localhost', true],
    ['127.0.0.1', true],
    ['127.255.255.254', true],
    ['::1', true],
    ['[::1]', true],
    ['128.0.0.1', false],
    ['127.0.0.1.example', false],
    ['127.0.0.1\n', false],
    ['mylocalhost', false],
    ['', false],
  ])('the host %j is this machine: %s', (host, expected) => {
    expect(isLoopbackHost(host)).toBe(expected);
  });
});

it.each([
  ['0.0.0.0:8081', 'answers on all addresses of this host without TLS (0.0.0.0:8081)'],
  ['[::]:8081', 'answers on all addresses of this host without TLS ([::]:8081)'],
  ['192.0.2.1:80', 'answers on 192.0.2.1 without TLS (192.0.2.1:80)'],
  ['ap.example:80', 'answers on ap.example without TLS (ap.example:80)'],
])('R45 a portal at %s can be read in the network', (listen, text) => {
  expect(clearAddressText(listen)).toContain(text);
});

it.each(['127.0.0.1:80', '[::1]:80', 'localhost:80', '8081', 'unix:/run/x', 'fd:3', ''])(
  'a portal at %j is reached only from this host',
  (listen) => {
    expect(clearAddressText(listen)).toBe(undefined);
  },
);
