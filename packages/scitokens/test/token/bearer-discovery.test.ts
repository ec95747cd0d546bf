// Bearer token discovery: the order of the places, and the end of the search.
import { describe, expect, it } from 'vitest';
import { discoverBearerToken, trimToken } from '../../src/index.ts';

const ALL = {
  BEARER_TOKEN: 'env',
  BEARER_TOKEN_FILE: '/file',
  XDG_RUNTIME_DIR: '/run/u',
  SCITOKENS_FILE: '/sci',
};
const FILES = {
  '/file': 'named\n',
  '/run/u/bt_u7': ' runtime ',
  '/tmp/bt_u7': 'tmp',
  '/sci': '# comment\n\nsci\nmore',
};

function find(
  environment: Record<string, string>,
  files: Record<string, string>,
  htcondor = false,
): object {
  return discoverBearerToken({ environment, userId: 7, readFile: (path) => files[path], htcondor });
}

describe('bearer token discovery', () => {
  it.each([
    ['the variable', ALL, FILES, { token: 'env', source: 'BEARER_TOKEN', form: 'bare' }],
    [
      'the named file when the variable is blank',
      { ...ALL, BEARER_TOKEN: ' \n' },
      FILES,
      { token: 'named', source: '/file', form: 'bare' },
    ],
    [
      'the runtime directory when the named file is missing',
      { ...ALL, BEARER_TOKEN: '' },
      { ...FILES, '/file': '' },
      { token: 'runtime', source: '/run/u/bt_u7', form: 'bare' },
    ],
    ['/tmp as the last place', {}, FILES, { token: 'tmp', source: '/tmp/bt_u7', form: 'bare' }],
  ])('finds %s', (_title, environment, files, found) => {
    expect(find(environment, files)).toEqual(found);
  });

  it("checks HTCondor's file first on request, and uses its first line that is not a comment", () => {
    expect(find(ALL, FILES, true)).toEqual({ token: 'sci', source: '/sci', form: 'bare' });
  });

  it.each([
    ['a blank inside', 'a b'],
    ['a heading', 'Bearer: x'],
    ['a non-ASCII blank', 'a\u00a0'],
    ['a NUL', 'a\0'],
  ])('stops at a token with %s, although a valid one would follow', (_title, text) => {
    expect(() => find({ BEARER_TOKEN: text }, FILES)).toThrow(
      expect.objectContaining({ code: 'TOKEN_MALFORMED' }),
    );
  });

  it('distinguishes files named by a variable from those with a predictable name', () => {
    const asked: unknown[] = [];
    const readFile = (path: string, named: boolean): undefined => void asked.push([path, named]);
    expect(() =>
      discoverBearerToken({ environment: { ...ALL, BEARER_TOKEN: '' }, userId: 7, readFile }),
    ).toThrow(expect.objectContaining({ code: 'TOKEN_NOT_FOUND' }));
    expect(asked).toEqual([
      ['/file', true],
      ['/run/u/bt_u7', false],
      ['/tmp/bt_u7', false],
    ]);
  });

  it.each([
    ['its only token', ['a.use', 'a.top', '.b.use'], 'job'],
    ['none of several', ['a.use', 'b.use'], 'TOKEN_NOT_FOUND'],
    ['none of none', [], 'TOKEN_NOT_FOUND'],
  ])("takes from a job's credential directory %s", (_title, names, expected) => {
    const files: Record<string, string> = { '/creds/a.use': '{"access_token":"job"}' };
    let result: unknown;
    try {
      result = discoverBearerToken({
        environment: { _CONDOR_CREDS: '/creds' },
        userId: 7,
        readFile: (path) => files[path],
        listDirectory: (path) => (path === '/creds' ? names : []),
      });
    } catch (error) {
      result = error;
    }
    expect(result).toMatchObject(
      expected === 'job'
        ? { token: 'job', source: '/creds/a.use', form: 'json' }
        : { code: expected },
    );
  });

  it("lists a job's credential directory only if no other place has a token", () => {
    const world = {
      environment: { ...ALL, _CONDOR_CREDS: '/creds' },
      userId: 7,
      readFile: () => undefined,
      listDirectory: () => expect.unreachable(),
    };
    expect(discoverBearerToken(world).token).toBe('env');
  });

  it('reports that there is none', () => {
    expect(() => find({}, {})).toThrow(expect.objectContaining({ code: 'TOKEN_NOT_FOUND' }));
  });

  it('removes the white space of C99 and no other', () => {
    expect(trimToken(' \t\r\n\f\vx\u00a0 ')).toBe('x\u00a0');
  });
});
