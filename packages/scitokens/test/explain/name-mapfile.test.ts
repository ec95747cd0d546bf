// The JSON map files of XRootD: rules, their lines, and mistakes.
import {
  type MapQuestion,
  type NameQuestion,
  explainMap,
  findRule,
  parseNameMap,
} from '../../src/explain/name-mapfile.ts';
import type { Explanation } from '../../src/explain/token-steps.ts';
import { readCompact } from '../../src/token/compact.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, NOW } from '../testing.ts';
import { parseMapFile } from '@credmon/core/classad';
import { describe, expect, it } from 'vitest';

const TEXT = `[
  {"sub": "bob", "result": "bob"},
  {"sub": "alice", "path": "/home//alice/", "result": "al", "comment": "]}, {["},
  {"group": "/cms/prod", "ignore": "for now",
   "result": "ignored"},
  {"group": "/cms",
   "path": "/cms", "result": "cms"}, {"username": "u7", "result": "seven"}
]
`;

describe('a map file', () => {
  const question: NameQuestion = {
    sub: 'x',
    username: '',
    groups: [],
    path: '/vo/f',
    basePaths: ['/vo'],
  };

  it.each<[string, Partial<NameQuestion>, string | undefined]>([
    ['a subject', { sub: 'bob' }, 'bob@2'],
    ['a subject outside the base path', { sub: 'bob', path: '/osg' }, undefined],
    ['a subject and a path', { sub: 'alice', path: '/vo/home/alice/f' }, 'al@3'],
    ['a name that begins like the path', { sub: 'alice', path: '/vo/home/alicebob' }, 'al@3'],
    ['the root as base path', { sub: 'alice', path: '/home/alice', basePaths: ['/'] }, 'al@3'],
    ['another path', { sub: 'alice', path: '/vo/home' }, undefined],
    ['a group and a path', { groups: ['/x', '/cms'], path: '/vo/cms/f' }, 'cms@6'],
    ['a rule that is ignored', { groups: ['/cms/prod'] }, undefined],
    ['a user name', { username: 'u7' }, 'seven@7'],
  ])('finds %s', (_title, changes, expected) => {
    const rule = findRule(parseNameMap(TEXT, 'm.json'), { ...question, ...changes });
    expect(rule && `${rule.result}@${rule.line}`).toBe(expected);
  });

  it.each([
    ['not json', 1, 'is not JSON'],
    ['{}', 1, 'is not a list'],
    ['[\n1]', 2, 'the rule is not an object'],
    ['[\n{"sub": 1,\n "result": "x"}]', 2, 'sub is not a string'],
    ['[{"result": "x"},\n\n{"sub": "x"}]', 3, 'the rule has no result'],
    ['[{"path": "home", "result": "x"}]', 1, 'path does not begin with a slash'],
  ])('is rejected as %j', (text, line, problem) => {
    expect(parseNameMap(text, 'm.json').error).toEqual({ line, problem });
  });

  it('warns about a rule that is ignored by a value that is not a string', () => {
    const { rules, warnings } = parseNameMap('[\n{"result": "x", "ignore": true}]', 'm.json');
    expect(rules).toHaveLength(1);
    expect(warnings).toEqual([
      { line: 2, problem: 'ignore is not a string: the rule is not ignored' },
    ]);
  });
});

const MAP = [
  '# pilots',
  String.raw`SCITOKENS /^https:\/\/a\.test\/vo,pilot-(.*)$/ glidein_\1`,
  'SCITOKENS "https://b.test,joe" joe',
  'SCITOKENS "https://slash.test/,joe" joe',
  String.raw`SCITOKENS /^https:\/\/alone\.test$/ alone`,
  'SCITOKENS "https://c.test,x" PLUGIN:*',
  'SSL /.*/ nobody',
];
const CLAIMS = {
  iss: 'https://a.test/vo',
  sub: 'pilot-ce1',
  aud: 'ce.test:9619',
  'wlcg.ver': '1.0',
  scope: 'compute.read compute.modify compute.create compute.cancel',
  iat: 1_790_000_000,
  nbf: 1_790_000_000,
  exp: 1_790_000_600,
};

function explain(
  claims: object = {},
  changes: Partial<MapQuestion> = {},
  lines: readonly string[] = MAP,
): Explanation {
  return explainMap({
    token: readCompact(signUnchecked(EC, { ...CLAIMS, ...claims })),
    signature: { state: 'valid', algorithm: 'ES256' },
    now: NOW,
    map: parseMapFile(lines.join('\n')),
    file: 'map',
    ...changes,
  });
}

const shown = ({ steps, verdict }: Explanation): string[] => [
  ...steps.map(
    ({ step, state, text, place }) =>
      `${step} ${state}: ${text}${place === undefined ? '' : ` ${place.file}:${place.line}`}`,
  ),
  verdict,
];

describe('a map file', () => {
  it('maps a token: every step has its line', () => {
    const question = { audience: ['ce.test:9619'], operation: 'WRITE' };
    expect(shown(explain({}, question))).toEqual([
      'issuer ok: https://a.test/vo',
      'signature ok: valid, ES256',
      'profile ok: wlcg:1.0',
      'times ok: expires in 9m59s',
      'audience ok: ce.test:9619',
      'subject ok: pilot-ce1',
      'scopes ok: condor:/READ compute.modify:/ compute.create:/ compute.cancel:/ condor:/WRITE',
      'identity ok: https://a.test/vo,pilot-ce1',
      'user ok: glidein_ce1 map:2',
      'permits ok: WRITE',
      'accepted: the token is glidein_ce1',
    ]);
  });

  it.each<[string, object, Partial<MapQuestion>, string]>([
    [
      'without a line',
      { sub: 'x' },
      {},
      'user refused: no line of 5 matches: the token is not mapped',
    ],
    [
      'of another audience',
      {},
      { audience: ['x'] },
      `audience refused: the token's audience is "ce.test:9619", accepted is "x"`,
    ],
    ['without a subject', { sub: undefined }, {}, 'subject refused: sub is missing'],
    ['without an issuer', { iss: undefined }, {}, 'issuer refused: iss is missing or not a string'],
    ['expired', { exp: 1 }, {}, 'times refused: the token expired 1790000000 s ago'],
    [
      'with an invalid signature',
      {},
      { signature: { state: 'invalid', reason: 'bad' } },
      'signature refused: bad',
    ],
    [
      'without the authorization',
      { scope: 'compute.read compute.create' },
      { operation: 'WRITE' },
      'permits refused: no WRITE: the scopes give READ (needs compute.modify, compute.create and compute.cancel, or condor:/WRITE)',
    ],
    [
      'without any authorization',
      { scope: '' },
      { operation: 'READ' },
      'permits refused: no READ: the scopes give nothing',
    ],
  ])('refuses a token %s, and says why', (_title, claims, changes, step) => {
    const explanation = explain(claims, changes);
    expect([explanation.accepted, explanation.user]).toEqual([false, undefined]);
    expect(shown(explanation)).toContain(step);
    expect(explanation.verdict).toBe(`refused: the token (${step.split(' ')[0]})`);
  });

  it.each([
    [
      'https://slash.test',
      'joe',
      'a line matches an issuer that differs in the slash at its end: https://slash.test/',
      4,
    ],
    [
      'https://alone.test',
      'joe',
      'a line matches the issuer alone, without a comma and the subject',
      5,
    ],
  ])('names the line that nearly matches %s', (iss, sub, text, line) => {
    expect(explain({ iss, sub }).steps).toContainEqual({
      step: 'user',
      state: 'note',
      text,
      place: { file: 'map', line },
    });
  });

  it.each([
    [
      'a plugin',
      { iss: 'https://c.test', sub: 'x' },
      'user note: the user comes from a plugin of SEC_SCITOKENS_PLUGIN_NAMES',
    ],
    [
      'an audience that is not checked',
      {},
      'audience note: not checked: "ce.test:9619"; to check it, use --audience',
    ],
    [
      'scopes without an authorization',
      { scope: '' },
      'permits note: no condor:/READ or condor:/WRITE, and no compute scopes for them',
    ],
    ['a bad line', {}, 'map note: the line is ignored: three fields expected map:8'],
  ])('notes %s', (_title, claims, step) => {
    expect(shown(explain(claims, {}, [...MAP, 'SCITOKENS x']))).toContain(step);
  });

  it('without SCITOKENS lines maps nothing', () => {
    expect(shown(explain({}, {}, ['SSL /.*/ x']))).toContain(
      'user refused: the file has no SCITOKENS line: the token is not mapped',
    );
  });

  it('says plainly that a signature was not checked', () => {
    const signature = { state: 'not checked', reason: 'no keys' } as const;
    expect(explain({}, { signature })).toMatchObject({
      accepted: true,
      signature: 'not checked',
      verdict: 'accepted: the token is glidein_ce1, if the signature is valid: it was not checked',
    });
  });
});
