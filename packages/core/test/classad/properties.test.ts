// Any bytes: no crash, no hang, and printed texts are read back unchanged.
import fc from 'fast-check';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { expect, test } from 'vitest';
import { isCoded } from '../../src/base/errors/errors.ts';
import { bytesOf, textOf } from '../../src/classad/language/value.ts';
import {
  DEFAULT_LIMITS,
  evaluate,
  makeAd,
  parseAd,
  parseExpression,
  parseMapFile,
  printExpression,
  printLong,
  printValue,
  readAds,
  readMergedAd,
  userMapOf,
  type LexerSyntax,
} from '../../src/classad/index.ts';
import { ALL_FUNCTIONS } from '../../src/classad/functions/table.ts';
import { compile, search } from '../../src/regexp/regexp.ts';

/** Set FUZZ_RUNS for a longer search. */
const RUNS = Number(process.env['FUZZ_RUNS'] ?? 300);
const LIMIT = { timeout: 1000 * PATIENCE + RUNS * 20 };

const bytes = fc
  .array(fc.integer({ min: 0, max: 255 }), { maxLength: 80 })
  .map((codes) => textOf(String.fromCharCode(...codes)));
const OPERATORS = '|| && | ^ & == != =?= =!= is isnt < <= > >= << >> >>> + - * / %'.split(' ');
const WORDS = [
  ...OPERATORS,
  ...'! ~ ? ?: : ( ) [ ] { } , ; = a b a.b MY TARGET parent true undefined error'.split(' '),
  ...'0 1 2.5 1e3 010 "x" "\\n" \'q r\' " \' // /* */ # \\ \0 \n absTime("2020-01-02T03:04:05Z") strcat( regexp('.split(
    ' ',
  ),
];
const soup = fc.array(fc.constantFrom(...WORDS), { maxLength: 25 }).map((words) => words.join(' '));

const name = fc.constantFrom('a', 'b', 'C', 'i', "'odd name'", "'true'", '_x');
const leaf = fc.oneof(
  name,
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential()),
  bytes.map((text) => printValue({ type: 'string', value: bytesOf(text).replaceAll('\0', '') })),
  fc.constantFrom(
    'true',
    'FALSE',
    'undefined',
    'error',
    'relTime("1+02:03:04")',
    'MY.a',
    'TARGET.b',
    '.c',
  ),
);
const functions = fc.constantFrom(
  ...[...ALL_FUNCTIONS.keys()].filter((key) => !/^(?:abs|rel)time$/.test(key)),
);
/** Texts that are expressions. */
const { expression } = fc.letrec<{ expression: string }>((tie) => {
  const part = tie('expression');
  const several = fc.array(part, { maxLength: 3 });
  return {
    expression: fc.oneof(
      { maxDepth: 4, depthSize: 'small' },
      leaf,
      fc
        .tuple(part, fc.constantFrom(...OPERATORS), part)
        .map(([a, operator, b]) => `${a} ${operator} ${b}`),
      fc
        .tuple(fc.constantFrom('!', '~', '-', '+'), part)
        .map(([operator, a]) => `${operator} ${a}`),
      fc.tuple(part, part, part).map(([a, b, c]) => `(${a}) ? ${b} : ${c}`),
      fc.tuple(part, part).map(([a, b]) => `(${a}) ?: ${b}`),
      part.map((a) => `(${a})`),
      fc.tuple(part, part).map(([a, b]) => `(${a})[${b}]`),
      fc.tuple(part, fc.constantFrom('a', 'i', '_x')).map(([a, key]) => `(${a}).${key}`),
      several.map((items) => `{${items.join(',')}}`),
      fc
        .array(fc.tuple(name, part), { maxLength: 3 })
        .map((entries) => `[${entries.map(([key, a]) => `${key} = ${a}`).join('; ')}]`),
      fc.tuple(functions, several).map(([key, args]) => `${key}(${args.join(',')})`),
    ),
  };
});

/** Returns the result of `run`; a CodedError is a result, too. */
function answered<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (isCoded(error)) return error.code;
    throw error;
  }
}

const my = parseAd('[ a = 1; b = { 1, "x", [ c = a ] }; C = "text"; i = b[0] + C; _x = i ]');
const small = { steps: 20_000, matchSteps: 20_000, textLength: 1 << 16 };

/**
 * Prints after reading `text` repeatedly; the first round may merge a sign into a number.
 * @returns CLASSAD_SYNTAX if it is not an expression
 */
function rounds(text: string, style: LexerSyntax, count: number): string {
  let printed = text;
  for (let round = 0; round < count; round += 1) {
    const lexer = round === 0 ? 'new' : style;
    printed = answered(() => printExpression(parseExpression(printed, { lexer }), { style }));
  }
  return printed;
}

test('an expression printed in new style is read back as the same text', LIMIT, () => {
  fc.assert(
    fc.property(fc.oneof(expression, soup), (text) => {
      const printed = rounds(text, 'new', 1);
      // A conditional without a middle is printed as `?:`, which takes no sign.
      fc.pre(!/\?(?!:)/.test(text) || !/\?: +[-+!~]/.test(printed));
      const again = rounds(text, 'new', 2);
      expect(again === 'CLASSAD_SYNTAX').toBe(printed === 'CLASSAD_SYNTAX');
      expect(rounds(text, 'new', 3)).toBe(again);
    }),
    { numRuns: RUNS },
  );
});

test('an expression printed in old style is read back as the same text', LIMIT, () => {
  fc.assert(
    fc.property(expression, (text) => {
      expect(rounds(text, 'old', 3)).toBe(rounds(text, 'old', 2));
    }),
    { numRuns: RUNS },
  );
});

test('evaluation ends with a value or CLASSAD_LIMIT, and the value is printed', LIMIT, () => {
  fc.assert(
    fc.property(fc.oneof(expression, soup, bytes), fc.constantFrom('new', 'old'), (text, lexer) => {
      const printed = answered(() => {
        const expr = parseExpression(text, { lexer });
        return printValue(
          evaluate(expr, { my, target: my, now: 1_700_000_000, random: () => 0.5, limits: small }),
        );
      });
      expect(typeof printed).toBe('string');
    }),
    { numRuns: RUNS },
  );
});

test('bytes and words in any order are ads, lines, maps or coded errors', LIMIT, () => {
  const text = fc.oneof(
    bytes,
    soup,
    fc.array(soup).map((lines) => lines.join('\n')),
  );
  fc.assert(
    fc.property(text, (source) => {
      for (const form of ['auto', 'lines', 'new'] as const) {
        const read = answered(() => [...readAds(source, { form })]);
        const printed =
          typeof read === 'string' ? [read] : read.map((ad) => printLong(ad) + printExpression(ad));
        expect(printed).not.toContain('');
      }
      const budget = { left: 1e5, limits: DEFAULT_LIMITS };
      const map = answered(() =>
        userMapOf(new Map([['m', parseMapFile(source)]]))('m', 'name', budget),
      );
      expect(['string', 'undefined']).toContain(typeof map);
    }),
    { numRuns: RUNS },
  );
});

test('strings in Name = value lines are read back unchanged, for any bytes', LIMIT, () => {
  const value = bytes
    .map((text) => bytesOf(text).replace(/[\0\n\r]/g, ''))
    .filter((text) => !/\\"/.test(text));
  fc.assert(
    fc.property(
      fc.dictionary(fc.stringMatching(/^[A-Z][a-z]{0,5}$/), value, { minKeys: 1 }),
      (attributes) => {
        const entries = Object.entries(attributes).map(([key, text]) => {
          const string = { type: 'string', value: text } as const;
          return {
            name: key,
            expr: { kind: 'literal', value: string, shown: string, depth: 1 } as const,
          };
        });
        const ad = makeAd(entries);
        expect(printLong(readMergedAd(printLong(ad), { form: 'lines' }))).toBe(printLong(ad));
      },
    ),
    { numRuns: RUNS },
  );
});

test('any pattern on any subject is rejected, matched, or ends at the limit', LIMIT, () => {
  const PARTS =
    'a b . \\d \\w \\b \\1 \\K \\Q \\E ^ $ [ab] [^a] [[:alpha:]] ( (?: (?> (?= (?! (?<= (?<! (?| (?<n> (?i) ) | * + ? *? ++ {2,3} {,2} [ ] \\ - x'.split(
      ' ',
    );
  const pattern = fc.oneof(
    bytes,
    fc.array(fc.constantFrom(...PARTS), { maxLength: 12 }).map((parts) => parts.join('')),
  );
  fc.assert(
    fc.property(
      pattern,
      fc.stringMatching(/^[abAB 1\n]{0,40}$/),
      fc.constantFrom('', 'i', 'mx', 's', 'U'),
      (source, subject, options) => {
        const regexp = compile(bytesOf(source), options, DEFAULT_LIMITS);
        if (regexp === undefined) return;
        const match = answered(() =>
          search(regexp, subject, 0, { left: 20_000, limits: DEFAULT_LIMITS }),
        );
        if (match === undefined || typeof match === 'string') return;
        for (const place of match) expect(place >= -1 && place <= subject.length).toBe(true);
      },
    ),
    { numRuns: RUNS },
  );
});
