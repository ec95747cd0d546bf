// Map files and userMap(): the matching line and its result.
import { describe, expect, test } from 'vitest';
import {
  evaluate,
  findMapping,
  parseExpression,
  parseMapFile,
  printValue,
  userMapOf,
  type MapFile,
} from '../../../src/classad/index.ts';

const answer = (maps: Record<string, MapFile>, text: string): string =>
  printValue(
    evaluate(parseExpression(text), { now: 0, userMap: userMapOf(new Map(Object.entries(maps))) }),
  );

const text = [
  '# groups of users',
  '* alice physics,biology',
  '* alice chemistry',
  '*\t"two words"  "a \\"quoted\\" \\d text"',
  '* /^adm-(\\w+)$/i admins,\\1',
  '* /@([a-z]+)\\.test$/ \\1',
  '* /^slash\\/(.)(.)?(x)?/ <\\0|\\1|\\2|\\9>',
  '* /^u+/U [\\0]',
  'gsi alice grid',
  '* "unterminated  rest',
  '* Bob bob',
  '',
  '* /.*/ everyone',
].join('\n');

describe('userMap() uses a map file', () => {
  const maps = {
    groups: parseMapFile(text),
    small: parseMapFile('* a x , y\n* b "q, r ,s"\n* voilà à'),
  };
  test.each([
    ['the first of two lines for one text', 'userMap("groups", "alice")', '"physics,biology"'],
    ['the name of the map in any case', 'userMap("GROUPS", "alice")', '"physics,biology"'],
    ['quoted fields', 'userMap("groups", "two words")', '"a \\"quoted\\" \\\\d text"'],
    ['groups of a caseless regular expression', 'userMap("groups", "ADM-joe")', '"admins,joe"'],
    ['a match anywhere in the name', 'userMap("groups", "x@site.test")', '"site"'],
    [
      'an escaped slash, and the text of a group that is missing',
      'userMap("groups", "slash/ab")',
      '"<slash/ab|a|b|\\\\9>"',
    ],
    [
      'the text of a group behind the last one that took part',
      'userMap("groups", "slash/a")',
      '"<slash/a|a|\\\\2|\\\\9>"',
    ],
    ['an ungreedy regular expression', 'userMap("groups", "uuu")', '"[u]"'],
    ['another method', 'userMap("groups.GSI", "alice")', '"grid"'],
    ['nothing under a method without lines', 'userMap("groups.ssl", "alice")', 'undefined'],
    ['texts are compared with case', 'userMap("groups", "bob")', '"everyone"'],
    ['the preferred item', 'userMap("groups", "alice", "Biology")', '"biology"'],
    [
      'the first item when the preferred one is missing',
      'userMap("groups", "alice", "law")',
      '"physics"',
    ],
    ['no map', 'userMap("none", "alice")', 'undefined'],
    ['the default', 'userMap("small", "c", "p", "d")', '"d"'],
    ['a name that ends in a byte similar to a blank', 'userMap("small", "voilà")', '"\\303\\240"'],
    ['no name', 'userMap("groups", undefined)', 'undefined'],
  ])('%s', (_name, expression, expected) => {
    expect(answer(maps, expression)).toBe(expected);
  });

  test('with prefix matching a text maps every name that starts with it', () => {
    const store = parseMapFile('* s3://a/b one\n* s3://a two', { prefix: true });
    const asked = ['s3://a/b/c', 's3://a/x', 's3://b'].map((name) =>
      answer({ store }, `userMap("store", "${name}")`),
    );
    expect(asked).toEqual(['"one"', '"two"', 'undefined']);
  });
});

describe('a mapping has its line', () => {
  const include = (): readonly { file: string; text: string }[] => [
    { file: 'dir/1.conf', text: '# more\nSCITOKENS /^https:\\/\\/i\\.test,(.*)$/i u_\\1' },
    { file: 'dir/2.conf', text: 'SCITOKENS "https://j.test,joe" joe' },
  ];
  const map = parseMapFile('* x y\n@include dir\nSCITOKENS /.*/ anybody', { include });
  test.each([
    ['https://i.test,añb', 'u_añb', 'dir/1.conf', 2],
    ['https://j.test,joe', 'joe', 'dir/2.conf', 1],
    ['https://j.test,joey', 'anybody', undefined, 3],
  ])('%s is %s by %s, line %j', (name, canonical, file, line) => {
    expect(findMapping(map, 'scitokens', name)).toMatchObject({ canonical, entry: { file, line } });
  });

  test('nothing is found under another method', () => {
    expect(findMapping(map, 'SSL', 'x')).toBeUndefined();
  });
});

test('where every principal is a regular expression, slashes belong to it', () => {
  const text =
    'SCITOKENS https://i.test,joe joe\nSCITOKENS /a/ b\nSCITOKENS "j.test,\\\"x y\\\"" q';
  const map = parseMapFile(text, { everyPrincipalIsRegexp: true });
  const found = (name: string): string | undefined =>
    findMapping(map, 'SCITOKENS', name)?.canonical;
  expect(['xhttps://iQtest,joe.', 'a', 'x/a/y', 'j.test,"x y"'].map(found)).toEqual([
    'joe',
    undefined,
    'b',
    'q',
  ]);
});

describe('a map with prefixes', () => {
  const p = parseMapFile(
    ['* /data data', '* /data/cms/ cms', '* plain \\0-\\1', '@include more', '* "two w" last'].join(
      '\n',
    ),
    { prefix: true, include: () => ['* /inc/ included', '* exact text'] },
  );
  test.each([
    ['maps a name that begins with a slash', '/data/x', '"data"'],
    ['does not match inside a name', 'xx/data/cms/', 'undefined'],
    ['uses the longest of its prefixes', '/data/cms/run1', '"cms"'],
    ['replaces the whole prefix, and no group', 'plain2', '"plain-\\\\1"'],
    ['has prefixes between quotes', 'two words', '"last"'],
    ['has regular expressions in the files that it includes', 'xincx', '"included"'],
    ['has no prefixes in the files that it includes', 'exactly', 'undefined'],
  ])('%s', (_title, name, expected) => {
    expect(answer({ p }, `userMap("p", "${name}")`)).toBe(expected);
  });
});

describe('the fields of a line', () => {
  const fields = parseMapFile(
    [
      '* /data/cms cms-group',
      '* /^al(.*)$/ix-\\1 tail',
      '* "a b"c d',
      '* /^dd\\\\d(.*)/ dd-\\1',
      '* lit <\\0|\\1>',
      '#* comment x',
      '  # x comment',
    ].join('\n'),
  );
  test.each([
    ['only i and U are options of a regular expression', '/data/x', '"cms"'],
    ['text behind the options begins the next field', 'alex', '"x-ex"'],
    ['text behind a quote begins the next field', 'a b', '"c"'],
    ['two backslashes are one', 'dd5x', '"dd-x"'],
    ['a text is the whole match of itself', 'lit', '"<lit|\\\\1>"'],
    ['a line that begins with # is a comment', 'comment', 'undefined'],
  ])('%s', (_title, name, expected) => {
    expect(answer({ fields }, `userMap("fields", "${name}")`)).toBe(expected);
  });

  test('an empty field is an error', () => {
    const { entries, problems } = parseMapFile('* "" a\n* b ""\n@include\n@INCLUDE file');
    expect(entries).toEqual([]);
    expect(problems.map(({ problem }) => problem)).toEqual([
      'three fields expected',
      'three fields expected',
      'a path expected',
      'three fields expected',
    ]);
  });
});

test('invalid lines are skipped and listed', () => {
  const included = parseMapFile('* a\n@include more\n* /(/ x\n* b c\n@include dir', {
    include: (path) => (path === 'more' ? ['* c d\n@include deeper'] : ['* e f', '* g h\n* i']),
  });
  expect(included.entries.map(({ principal }) => principal)).toEqual(['c', 'b', 'e', 'g']);
  expect(included.problems).toEqual([
    { file: undefined, line: 1, problem: 'three fields expected' },
    { file: 'more', line: 2, problem: 'an included file cannot include another' },
    { file: undefined, line: 3, problem: 'invalid regular expression' },
    { file: 'dir', line: 2, problem: 'three fields expected' },
  ]);
  expect(parseMapFile('@include x').problems).toEqual([
    { file: undefined, line: 1, problem: 'includes are not allowed' },
  ]);
});

test('a regular expression in a map has the usual limits', () => {
  const hostile = parseMapFile('* /^(a+)+$/ x');
  expect(() => answer({ hostile }, `userMap("hostile", "${'a'.repeat(60)}!")`)).toThrow(
    'matchSteps',
  );
});

test('a result of a map that is too long is an error', () => {
  const hostile = parseMapFile(`* /(.*)/ ${'\\1'.repeat(100_000)}`);
  expect(() => findMapping(hostile, '*', 'a'.repeat(60_000))).toThrow('textLength');
});

test("userHome() calls the caller's function", () => {
  const userHome = (name: string): string | undefined =>
    name === 'alice' ? '/home/alice' : undefined;
  const home = (text: string): string =>
    printValue(evaluate(parseExpression(text), { now: 0, userHome }));
  const asked = [
    'userHome("alice")',
    'userHome("bob")',
    'userHome("bob", "/tmp")',
    'userHome(5)',
    'userHome()',
  ];
  expect(asked.map(home)).toEqual(['"/home/alice"', 'undefined', '"/tmp"', 'error', 'error']);
});
