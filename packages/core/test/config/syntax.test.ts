// Syntax errors are reported with file, line and reason.
import { expect, test } from 'vitest';
import { isCoded } from '../../src/base/errors/errors.ts';
import { memoryHost, readText } from './read-text.ts';

function message(text: string, files: Record<string, string> = {}): unknown {
  try {
    readText('', { host: memoryHost({ '/c': text, ...files }) });
    return 'read';
  } catch (error) {
    return isCoded(error) ? `${error.code} ${error.message}` : error;
  }
}

test.each([
  ['a name with a dash', 'A = 1\nA-B = 1\n', 'CONFIG_SYNTAX /c:2: Illegal Identifier: <A-B>'],
  ['no operator', '\n\nA B C\n', 'CONFIG_SYNTAX /c:3: not a valid configuration statement'],
  ['a stray else', 'else\n', 'CONFIG_SYNTAX /c:1: else without matching if'],
  [
    'an elif after else',
    'if true\nelse\nelif true\nendif\n',
    'CONFIG_SYNTAX /c:3: elif after else',
  ],
  ['a missing endif', 'if true\nA = 1\n', 'CONFIG_SYNTAX /c:2: if without endif'],
  [
    'an invalid condition',
    'if a b\nendif\n',
    'CONFIG_SYNTAX /c:1: a b is not a valid if condition because complex conditionals are not supported',
  ],
  [
    'an unknown category of templates',
    'use FEATURES : OAUTH\n',
    'CONFIG_SYNTAX /c:1: use FEATURES: does not recognise OAUTH; did you mean FEATURE:OAUTH?',
  ],
  [
    'a category that is not similar to any other',
    'use NOTHING : Nope\n',
    'CONFIG_SYNTAX /c:1: use NOTHING: does not recognise Nope',
  ],
  [
    'a missing end tag',
    'A @=x\n1\n',
    'CONFIG_SYNTAX /c:1: value of A not terminated: line @x missing',
  ],
  [
    'an include of a missing file',
    'include : /no\n',
    "CONFIG_READ /c:1: can't open file /no: no such file",
  ],
  ['an error statement', 'error : stop $(DOLLAR)here\n', 'CONFIG_SYNTAX /c:1: stop $here'],
  ['an error statement after @', '@Error 5 : stop here\n', 'CONFIG_SYNTAX /c:1: stop here'],
  [
    '@warning without a colon',
    '@warning x\n',
    'CONFIG_SYNTAX /c:1: not a valid configuration statement',
  ],
  ['@if', '@if true\n', 'CONFIG_SYNTAX /c:1: not a valid configuration statement'],
  [
    'an assignment to @warning',
    '@warning = x\n',
    'CONFIG_SYNTAX /c:1: Illegal Identifier: <@warning>',
  ],
  [
    'the value that must be changed',
    'A = YOU_MUST_CHANGE_THIS_INVALID_CONDOR_CONFIGURATION_VALUE\n',
    'CONFIG_SYNTAX /c:1: A still has the value that must be changed',
  ],
  [
    'a colon under opt:strict',
    '#opt:strict\nA : 1\n',
    "CONFIG_SYNTAX /c:2: obsolete use of ':' for parameter assignment at A : 1",
  ],
])('%s', (_title, text, wanted) => {
  expect(message(text)).toBe(wanted);
});

test('an error in an included file has the name of that file', () => {
  expect(message('include : /i\n', { '/i': 'A = 1\nbad\n' })).toBe(
    'CONFIG_SYNTAX /i:2: not a valid configuration statement',
  );
});

test.each(['warning', 'Warning', '@warning', '@WARNING 2'])(
  '%s is a warning with file and line',
  (keyword) => {
    const { warnings } = readText(`A = 1\n${keyword} : mind $(A)\n`);
    expect(warnings).toEqual([{ message: 'mind 1', file: '/c', line: 2 }]);
  },
);
