// The JSON map files of XRootD: rules, their lines, and mistakes.
import { describe, expect, it } from 'vitest';
import { findRule, parseNameMap, type NameQuestion } from '../../src/explain/name-mapfile.ts';

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
