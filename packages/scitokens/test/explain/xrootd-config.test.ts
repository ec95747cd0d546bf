// scitokens.cfg: audiences, issuers, and what XRootD ignores or rejects.
import { describe, expect, it } from 'vitest';
import { readXrootdConfig, type XrootdConfig } from '../../src/explain/xrootd-config.ts';

const read = (...lines: string[]): XrootdConfig =>
  readXrootdConfig(lines.join('\n'), 'x.cfg', (path) =>
    path === 'names.json'
      ? '[{"result": "x", "ignore": 1}]'
      : path === 'bad.json'
        ? '[1]'
        : undefined,
  );
const ISSUER = ['[Issuer a]', 'issuer = https://a.test', 'base_path = /a'];

describe('scitokens.cfg', () => {
  it('has audiences, the behaviour without a token, and issuers', () => {
    const config = read(
      '[Global]',
      'audience = x, y',
      'audience_json = ["a, b"]',
      'onmissing = deny',
      '[Issuer B]',
      'issuer = https://b.test',
      'base_path = //b/., rel /c',
      'restricted_path = /d /e/',
      'map_subject = YES',
      'default_user = u',
      'username_claim = uid',
      'groups_claim = roles',
      'authorization_strategy = capability Mapping odd',
      'required_authorization = Write',
      'acceptable_authorization = read',
    );
    expect(config).toEqual({
      file: 'x.cfg',
      audiences: [
        { value: 'x', line: 2 },
        { value: 'y', line: 2 },
        { value: 'a, b', line: 3 },
      ],
      onMissing: { value: 'deny', line: 4 },
      issuers: [
        {
          section: 'Issuer B',
          line: 5,
          issuer: { value: 'https://b.test', line: 6 },
          basePaths: [
            { value: '/b', line: 7 },
            { value: '/c', line: 7 },
          ],
          restrictedPaths: [
            { value: '/d', line: 8 },
            { value: '/e', line: 8 },
          ],
          mapSubject: { value: 'YES', line: 9 },
          defaultUser: { value: 'u', line: 10 },
          usernameClaim: { value: 'uid', line: 11 },
          groupsClaim: 'roles',
          strategies: ['capability', 'mapping'],
          required: 'write',
          acceptable: 'read',
          names: undefined,
        },
      ],
      errors: [],
      warnings: [
        {
          line: 7,
          problem: 'base_path rel is ignored: it is not an absolute path',
          section: 'Issuer B',
        },
        {
          line: 13,
          problem:
            'authorization_strategy odd is ignored: must be one of capability, group, mapping',
          section: 'Issuer B',
        },
      ],
    });
  });

  it('has defaults', () => {
    const config = read(...ISSUER);
    expect(config).toMatchObject({ audiences: [], onMissing: { value: 'passthrough', line: 0 } });
    expect(config.issuers).toMatchObject([
      {
        mapSubject: undefined,
        groupsClaim: 'wlcg.groups',
        strategies: ['capability', 'group', 'mapping'],
        required: 'none',
        acceptable: 'all',
      },
    ]);
  });

  it.each([
    ['an odd onmissing', ['[Global]', 'onmissing = no'], 2, 'onmissing must be'],
    ['audience_json that is no list', ['[Global]', 'audience_json = "x"'], 2, 'audience_json'],
    ['audience_json that is no JSON', ['[Global]', 'audience_json = x'], 2, 'audience_json'],
    ['a line that is no setting', ['[Global]', 'audience'], 2, 'neither a section'],
    ['a missing map file', [...ISSUER, 'name_mapfile = none.json'], 4, 'none.json cannot be read'],
    ['a bad map file', [...ISSUER, 'name_mapfile = bad.json'], 4, 'bad.json:1: the rule is not'],
  ])('is not loaded with %s', (_title, lines, line, problem) => {
    const { errors } = read(...lines);
    expect(errors).toEqual([{ line, problem: expect.stringContaining(problem) }]);
  });

  it.each([
    ['an unknown setting', [...ISSUER, 'base_paths = /'], 4, 'did you mean base_path?'],
    ['an unknown section', ['[Issuers]', 'a = 1'], 1, '[Issuers] is ignored'],
    ['an issuer without base_path', ['[Issuer b]', 'issuer = x'], 1, 'it has no base_path'],
    ['an issuer without issuer', ['[Issuer b]', 'base_path = /'], 1, 'it has no issuer'],
    ['a second section', [...ISSUER, '[Issuer b]', ...ISSUER.slice(1)], 1, '[Issuer b] of line 4'],
    ['odd operations', [...ISSUER, 'acceptable_authorization = some'], 4, 'must be one of read'],
    [
      'a rule that is not ignored',
      [...ISSUER, 'name_mapfile = names.json'],
      4,
      'names.json:1: ignore',
    ],
  ])('warns about %s', (_title, lines, line, problem) => {
    const { warnings, errors } = read(...lines);
    expect(errors).toEqual([]);
    expect(warnings).toMatchObject([{ line, problem: expect.stringContaining(problem) }]);
  });
});
