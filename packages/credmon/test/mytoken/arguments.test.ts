// The options of condor_credmon_mytoken, and the path of a mytoken.
import { describe, expect, it } from 'vitest';
import { mytokenPath, parseMytokenArguments } from '../../src/mytoken/arguments.ts';

const parse = (...argv: string[]): unknown => parseMytokenArguments(argv, '1.2');
const names = { user: 'alice', service: 'helmholtz', handle: '' };

describe('the options', () => {
  it('have defaults, and the server has no slash at its end', () => {
    expect(parse('--server', 'https://mytok.eu/')).toEqual({
      kind: 'obtain',
      server: 'https://mytok.eu',
      seconds: 15,
      allowLoopbackHttp: false,
    });
  });

  it('may all be given', () => {
    expect(
      parse(
        '--server=http://localhost:8000',
        '--allow-loopback-http',
        '--timeout=20',
        '--redeem',
        '--issuer=https://op.example',
        '--mytoken-file=/etc/mt',
        '--ca-file=/etc/ca.pem',
      ),
    ).toEqual({
      kind: 'redeem',
      server: 'http://localhost:8000',
      issuer: 'https://op.example',
      file: '/etc/mt',
      caFile: '/etc/ca.pem',
      seconds: 20,
      allowLoopbackHttp: true,
    });
  });

  it.each([
    ['-h', /^usage: /],
    ['--version', /^1\.2$/],
  ])('%s prints a text', (option, text) => {
    expect(parse(option)).toEqual({ kind: 'text', text: expect.stringMatching(text) });
  });

  it.each([
    [[], 'USAGE', /--server is missing/],
    [['--server', 'https://x', '--mytoken-file', 'mt'], 'USAGE', /not an absolute path/],
    [['--server', 'https://x', '--redeem'], 'USAGE', /--redeem needs --mytoken-file/],
    [
      ['--server', 'https://x', '--redeem', '--mytoken-file', '/mt/{user}'],
      'USAGE',
      /--redeem needs --mytoken-file/,
    ],
    [['--server', 'https://x', '--timeout', '0'], 'USAGE', /--timeout must be/],
    [['--server', 'https://x', 'mytoken'], 'USAGE', /positional/],
    [['--server', 'https://x', '--bogus'], 'USAGE', /bogus/],
    [['--server', 'http://mytok.eu'], 'ENDPOINT_REFUSED', /http is allowed only to loopback/],
    [['--server', 'http://localhost'], 'ENDPOINT_REFUSED', /on loopback needs/],
    [['--server', 'mytok.eu'], 'ENDPOINT_REFUSED', /is not a URL/],
  ])('%j are wrong', (argv, code, message) => {
    expect(() => parse(...argv)).toThrow(
      expect.objectContaining({ code, message: expect.stringMatching(message) }),
    );
  });
});

describe('the path of a mytoken', () => {
  it.each([
    ['/mt', names, '/mt'],
    ['/mt/{user}/{service}{handle}', names, '/mt/alice/helmholtz'],
    ['/mt/{user}_{handle}', { ...names, handle: 'h1' }, '/mt/alice_h1'],
    ['/mt/{home}', names, '/mt/{home}'],
  ])('%s', (template, request, path) => {
    expect(mytokenPath(template, request)).toBe(path);
  });

  it.each(['..', 'a/b', '', '.x', 'a\0'])('R26 never contains the user name %j', (user) => {
    expect(() => mytokenPath('/mt/{user}', { ...names, user })).toThrow(
      expect.objectContaining({ code: 'CRED_NAME_INVALID' }),
    );
  });
});
