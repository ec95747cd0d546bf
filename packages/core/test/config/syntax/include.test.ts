// The forms of include: what is passed over, what is an error, and which words a command
// gets.
import { describe, expect, test } from 'vitest';
import { isCoded } from '../../../src/base/errors/errors.ts';
import type { SourceHost } from '../../../src/config/syntax/reader-state.ts';
import { memoryHost, readText } from '../read-text.ts';

const FILES = { '/i': 'B = file\n', '/cache': 'B = cached\n', '/a|b': 'B = pipe\n' };

/** Commands answer with their words; `false` fails; `/no/...` cannot be written. */
function host(text: string, files: Record<string, string> = {}): SourceHost {
  const all = { ...FILES, '/c': text, ...files };
  const memory = memoryHost(all);
  return {
    ...memory,
    run: ([program = '', ...words]) =>
      program === 'say' || program === 'false'
        ? {
            kind: 'done',
            output: Buffer.from(`B = ${[program, ...words].join('|')}\n`),
            status: program === 'say' ? 0 : 1,
          }
        : { kind: 'missing', reason: 'ENOENT' },
    writeFile: (path, bytes) => {
      if (path.startsWith('/no/')) throw Object.assign(new Error('open'), { code: 'ENOENT' });
      memory.writeFile(path, bytes);
    },
  };
}

/** The value of B, or the code and message of the error. */
function outcome(statement: string): unknown {
  try {
    return readText('', { host: host(`B = none\n${statement}\n`) }).get('B');
  } catch (error) {
    return isCoded(error) ? `${error.code} ${error.message}` : error;
  }
}

describe('ifexist passes over a source that is empty, missing or fails', () => {
  test.each([
    'include ifexist : /nope',
    'include ifexist : $(SITE_FILE)',
    'include ifexist :',
    'include ifexist command : $(SITE_COMMAND)',
    'include ifexist output :',
    'include ifexist command : nosuch',
    'include ifexist command into /kept : false',
    'include ifexist output into /kept : false',
    'include ifexist command into /kept : nosuch',
    'include ifexist command into /kept : $(SITE_COMMAND)',
    'include ifexist command into /no/kept : say',
    'include ifexist : say a|b',
    'include ifexist command : "say',
  ])('%s', (statement) => {
    expect(outcome(statement)).toBe('none');
  });

  test('and a failing command leaves no file', () => {
    const files: Record<string, string> = { '/c': 'include ifexist command into /kept : false\n' };
    const memory = memoryHost(files);
    const failing: SourceHost = {
      ...memory,
      run: () => ({ kind: 'done', output: Buffer.from('B = 1\n'), status: 1 }),
    };
    readText('', { host: failing });
    expect(Object.keys(files)).toEqual(['/c']);
  });
});

test.each([
  ['include : $(SITE_FILE)', 'CONFIG_SYNTAX /c:2: include without a source'],
  ['include command : $(NO)', 'CONFIG_SYNTAX /c:2: include without a source'],
  ['include command into /kept : false', 'CONFIG_READ /c:2: false: exited with status 1'],
  ['include command into /no/kept : say', 'CONFIG_READ /c:2: /no/kept: ENOENT'],
  ['include : /a|b', 'CONFIG_READ /c:2: /a|b: not a valid command: | must be at the end'],
  [
    'include command : "say',
    'CONFIG_READ /c:2: "say: not a valid command: the quotes around it are not closed',
  ],
  // A search that tries all pairs of the quotes would not end.
  [
    `include command : "say ${"'".repeat(101)}"`,
    `CONFIG_READ /c:2: "say ${"'".repeat(101)}": not a valid command: the quotes around it are not closed`,
  ],
  ['include command into : say', "CONFIG_SYNTAX /c:2: expected filename after keyword 'into'"],
  [
    'include command into $(NO) : say',
    "CONFIG_SYNTAX /c:2: destination for 'include into' expanded to ''",
  ],
  [
    'include command into x| : say',
    "CONFIG_SYNTAX /c:2: destination for 'include into' may not be a script",
  ],
  ['include word : /i', "CONFIG_SYNTAX /c:2: unexpected keyword(s) 'word' after include"],
  [
    'KW = command\ninclude $(KW) : say',
    "CONFIG_SYNTAX /c:3: unexpected keyword(s) '$(KW)' after include",
  ],
])('%s is an error', (statement, message) => {
  expect(outcome(statement)).toBe(message);
});

test.each([
  ['include : /i', 'file'],
  ['@Include ifexists : /i', 'file'],
  ['include command : false x', 'false|x'],
  ['include : say x |', 'say|x'],
  ['include command : say x ||', 'say|x'],
  ['include command word : say', 'say'],
  ['include command into /cache : $(NO)', 'cached'],
  ['include command into /kept more : say y', 'say|y'],
  ['include command into /kept : say a | b', 'say|a|||b'],
  ['NAME = ca\ninclude command into /$(NAME)che : false', 'cached'],
  ["include command : say 'a b' c", "say|'a|b'|c"],
  [`include command : "say 'a b' c"`, 'say|a b|c'],
  [`include command : "say a""b 'it''s'"`, `say|a"b|it's`],
])('%s gives %s', (statement, value) => {
  expect(outcome(statement)).toBe(value);
});
