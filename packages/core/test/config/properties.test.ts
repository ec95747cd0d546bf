// Any bytes: no crash, no hang, and texts are read back unchanged.
import fc from 'fast-check';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { expect, test } from 'vitest';
import { isCoded } from '../../src/base/errors/errors.ts';
import { createLineReader } from '../../src/config/syntax/statement-reader.ts';
import { assignmentText } from '../../src/config/table/config.ts';
import { decodeText, encodeText } from '../../src/config/macros/text.ts';
import { readText } from './read-text.ts';

const WORDS = [
  ...'A B SCHEDD.A $(A) $(B:x) $(A $$(A) $(DOLLAR) $ENV(HOME:z) $INT(A) $CHOICE(1,A) $Fqnx(B) $SUBSTR(A,1)'.split(
    ' ',
  ),
  ...'$RANDOM_CHOICE(A) $EVAL(B) = += +,= @=end @end : \\ # if elif else endif true defined version >= 8.9'.split(
    ' ',
  ),
  ...'use FEATURE OAUTH include /c error warning 1 %d " ( ) , [ ]'.split(' '),
  '\n',
  '\n',
  '\n',
  ' \t',
  '\0',
  '\r',
  "\uFEFF'",
];
/** Set FUZZ_RUNS for a longer search. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const LIMIT = { timeout: 1000 * PATIENCE + RUNS * 5 };
const value = fc.array(fc.constantFrom(...WORDS.filter((word) => !/[\n\0]/.test(word))), {
  maxLength: 8,
});
const statement = fc.oneof(
  fc
    .tuple(
      fc.constantFrom('A', 'B', 'AB', 'SCHEDD.A', 'TOOL.B'),
      fc.constantFrom('=', ' +=', ' +,=', ':'),
      value,
    )
    .map(([name, operator, words]) => `${name}${operator} ${words.join('')}`),
  fc.constantFrom(
    'if $(A)',
    'if defined A',
    'if ! true',
    'elif 0',
    'else',
    'endif',
    'use FEATURE : OAUTH, KRB',
    'A @=x',
    '@x',
    'use POLICY : PREEMPT_IF(A)',
    'include ifexist : $(B)',
  ),
);
const scripts = fc.array(statement, { maxLength: 25 }).map((lines) => lines.join('\n'));
const programs = fc
  .array(fc.constantFrom(...WORDS), { maxLength: 60 })
  .map((words) => words.join(' '));

/**
 * Returns the smallest input that violates a property, and how; `undefined` if none was
 * found.
 */
function counterexample<Inputs>(
  property: fc.IPropertyWithHooks<Inputs>,
  parameters: fc.Parameters<Inputs> = {},
): unknown {
  const result = fc.check(property, parameters);
  return result.failed ? [result.counterexample, result.errorInstance] : undefined;
}

/** Reads a configuration and queries everything; only coded errors may be thrown. */
function survive(text: string): boolean {
  try {
    const config = readText(text);
    for (const name of config.names().filter((knob) => knob.length < 12))
      ask(() => config.get(name));
  } catch (error) {
    if (!isCoded(error)) throw error;
  }
  return true;
}

function ask(action: () => unknown): void {
  try {
    action();
  } catch (error) {
    if (!isCoded(error, 'CONFIG_LIMIT')) throw error;
  }
}

test('statements in any order give a configuration or a coded error', LIMIT, () => {
  expect(
    counterexample(fc.property(fc.oneof(programs, scripts), survive), { numRuns: RUNS }),
  ).toBeUndefined();
});

test('any bytes give a configuration or a coded error', LIMIT, () => {
  const bytes = fc.uint8Array({ maxLength: 300 });
  expect(
    counterexample(
      fc.property(bytes, (some) => survive(decodeText(some))),
      { numRuns: RUNS },
    ),
  ).toBeUndefined();
});

test('decoding and encoding preserve bytes', () => {
  expect(
    counterexample(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        return Buffer.compare(encodeText(decodeText(bytes)), bytes) === 0;
      }),
    ),
  ).toBeUndefined();
});

test('lines without a backslash at the end are the trimmed lines of the text', () => {
  const line = fc.stringMatching(/^[a-z#= ]{0,12}$/);
  expect(
    counterexample(
      fc.property(fc.array(line, { maxLength: 12 }), (lines) => {
        const reader = createLineReader(lines.map((text) => `${text}\n`).join(''));
        const read = lines.map(() => reader.next()?.text);
        return read.join('\n') === lines.map((text) => text.trim()).join('\n');
      }),
    ),
  ).toBeUndefined();
});

test('a value printed as an assignment is read back unchanged', () => {
  const value = fc.stringMatching(/^[a-z$(){}#"'=]([a-z$(){}#"'=, ]{0,20}[a-z$(){}#"'=])?$/);
  const plain = value.filter((text) => !/\$\(x|\$f/i.test(text));
  expect(
    counterexample(
      fc.property(plain, (text) => {
        return readText(`${assignmentText('XX', text)}\n`).raw('XX') === text;
      }),
    ),
  ).toBeUndefined();
});

test('a value of several lines is printed as a block and read back unchanged', () => {
  const line = fc
    .stringMatching(/^[a-z$()]([a-z$() ]{0,10}[a-z])?$/)
    .filter((text) => !/\$f?\(x/i.test(text));
  expect(
    counterexample(
      fc.property(fc.array(line, { minLength: 2, maxLength: 5 }), (lines) => {
        const text = lines.join('\n');
        return readText(`${assignmentText('QQ', text)}\n`).raw('QQ') === text;
      }),
    ),
  ).toBeUndefined();
});
