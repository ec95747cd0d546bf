// The lines of a source. How physical lines are joined: continuations, empty lines and comments.
import { expect, test } from 'vitest';
import { createLineReader } from '../../../src/config/syntax/statement-reader.ts';
import { readText } from '../read-text.ts';

function joined(text: string, old = false): string[] {
  const lines = createLineReader(text);
  lines.setOldComments(old);
  const found: string[] = [];
  for (let line = lines.next(); line; line = lines.next()) found.push(line.text);
  return found;
}

test.each([
  ['ONE = a \\\n  b\nTWO = c\n', ['ONE = a b', 'TWO = c']],
  ['ONE = first \\\\\n\nTWO = second\n', ['ONE = first TWO = second']],
  ['ONE = first\\\\\\\n\n\nTWO = second\n', ['ONE = firstTWO = second']],
  ['ONE = a\\\\\n \\\nTWO\n', ['ONE = a\\TWO']],
  ['ONE = a\\\\\nb\nTWO\n', ['ONE = a\\b', 'TWO']],
  ['ONE = a \\\n\nTWO = b\n', ['ONE = a ', 'TWO = b']],
  ['\\\n# x \\\nTWO = b\n', ['# x \\', 'TWO = b']],
  ['ONE = a \\\n# x \\\nb\n', ['ONE = a b']],
  ['ONE = a \\\n# xyz\nb\n', ['ONE = a z', 'b']],
  ['ONE = a\\\\\n# xyz\nb\n', ['ONE = a\\z', 'b']],
  ['ONE = a \\', ['ONE = a \\']],
])('%j is %j', (text, wanted) => {
  expect(joined(text)).toEqual(wanted);
});

test('with old comments, a comment line belongs to a continuation', () => {
  expect(joined('ONE = a \\\n# xyz\n# c \\\nd\n', true)).toEqual(['ONE = a # xyz', '# c d']);
});

test.each([
  ['#opt:strict\n', 'rejected'],
  ['#OPT:Strict\\\n', 'rejected'],
  ['if false\n#opt:strict\nendif\n', 'rejected'],
  ['B @=x\n#opt:strict\n@x\n', 'rejected'],
  ['#opt:strictly\n', '1'],
])('after %j an assignment with a colon is %s', (text, wanted) => {
  const warned: string[] = [];
  const config = readText(`${text}A : 1\n`, {
    tolerate: ({ message }) => void warned.push(message),
  });
  expect(
    warned.some((one) => one.includes("obsolete use of ':'")) ? 'rejected' : config.get('A'),
  ).toBe(wanted);
});
