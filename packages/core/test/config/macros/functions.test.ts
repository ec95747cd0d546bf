// Function macros as condor_config_val 25.14 expands them: arguments, formats and lists.
import { describe, expect, test } from 'vitest';
import { readText } from '../read-text.ts';

const KNOBS = `HOST = wn1234.site
OFF = 2*2
YES = true
SLOTS = 12
BYTES = 6000000000
WORD = pilot
SITES = north south east
PAIR = one two , three
SITE = west
PRICE = $(DOLLAR)99
LATER = $(DOLLAR)(SITE)
BANNER = $(SITE) pool
F = run/report.LOG
EMPTY =
`;

function value(text: string): string | undefined {
  return readText(`${KNOBS}RESULT = ${text}\n`).get('RESULT');
}

/** The value, and the messages of failed macros. */
function failure(text: string): readonly [string, readonly string[]] {
  const config = readText(`${KNOBS}RESULT = [${text}]\n`);
  return [config.get('RESULT') ?? '', config.warnings.map(({ message }) => message)];
}

describe('the index of $SUBSTR is an integer expression or a knob with one', () => {
  test.each([
    ['$SUBSTR(HOST,1+1)', '1234.site'],
    ['$SUBSTR(HOST,OFF)', '34.site'],
    ['$SUBSTR(HOST,YES)', 'n1234.site'],
    ['$SUBSTR(HOST,2,2*2)', '1234'],
    ['$SUBSTR(HOST, 2 , 3 )', '123'],
    ['$SUBSTR(HOST,-2147483648)', 'wn1234.site'],
    ['[$SUBSTR(HOST , 1)]', '[]'],
  ])('%s is %s', (text, wanted) => {
    expect(value(text)).toBe(wanted);
  });

  test.each([
    ['$SUBSTR(HOST,begin)', 'begin is invalid start index!'],
    ['$SUBSTR(HOST,3 4)', '3 4 is invalid start index!'],
    ['$SUBSTR(HOST, OFF)', ' OFF is invalid start index!'],
    ['$SUBSTR(HOST,)', ' is invalid start index!'],
    ['$SUBSTR(HOST,2147483647)', '2147483647 is invalid start index!'],
    ['$SUBSTR(HOST,0,end)', 'end is invalid length !'],
    ['$SUBSTR(HOST,0,)', ' is invalid length !'],
    ['$SUBSTR(HOST,0,1,2)', '1,2 is invalid length !'],
  ])('%s fails and is empty', (text, reason) => {
    expect(failure(text)).toEqual(['[]', [`$SUBSTR() macro: ${reason}`]]);
  });
});

test.each([
  ['$SUBSTR(PRICE,1)', '99'],
  ['$SUBSTR(LATER,0)', 'west'],
  ['$STRING(PRICE)', '$99'],
  ['$(PRICE)', '$99'],
  ['$(DOLLAR)(DOLLAR)(SITE)', '$(SITE)'],
  ['$(DOLLAR)$(DOLLAR)(SITE)', '$$(DOLLAR)(SITE)'],
  ['$$(DOLLAR)(SITE)', '$$(DOLLAR)(SITE)'],
])('$(DOLLAR) in an argument is a dollar before the function sees it: %s', (text, wanted) => {
  expect(value(text)).toBe(wanted);
});

describe('lists', () => {
  test.each([
    ['$CHOICE(0,SITES)', 'north south east'],
    ['[$CHOICE(1,PAIR)]', '[three]'],
    ['$CHOICE( 1 , x , y )', 'y'],
    ['$CHOICE(OFF,a,b,c,d,e)', 'e'],
    ['$RANDOM_CHOICE(red green)', 'red green'],
    ['$RANDOM_CHOICE(,green,)', 'green'],
    ['$RANDOM_CHOICE(PAIR)', 'one'],
    ['$RANDOM_CHOICE(SITES,)', 'north'],
    ['$RANDOM_INTEGER(7)', '7'],
    ['$RANDOM_INTEGER( 3 , 5 )', '3'],
    ['$RANDOM_INTEGER(5x,9y)', '5'],
    ['$RANDOM_INTEGER(,4,9)', '4'],
    ['$RANDOM_INTEGER(9223372036854775807,9223372036854775807)', '9223372036854775807'],
  ])('%s is %s', (text, wanted) => {
    expect(value(text)).toBe(wanted);
  });

  test.each([
    ['$CHOICE(1,SITES)', '[]', '$CHOICE() config macro: index 1 is out of range!'],
    ['$CHOICE(2147483647,a,b)', '[a]', "$CHOICE() error: '2147483647' is invalid index"],
    ['$RANDOM_CHOICE(EMPTY)', '[]', '$RANDOM_CHOICE() macro is empty!'],
    ['$RANDOM_CHOICE(,)', '[]', '$RANDOM_CHOICE() macro is empty!'],
    ['$RANDOM_INTEGER(7)', '[7]', '$RANDOM_INTEGER() config macro: invalid max!'],
    ['$RANDOM_INTEGER(OFF,0)', '[0]', '$RANDOM_INTEGER() config macro: invalid min!'],
  ])('%s gives %s and a message', (text, wanted, message) => {
    expect(failure(text)).toEqual([wanted, [message]]);
  });

  test('every item of a knob can be chosen at random', () => {
    const chosen = [0, 1, 2].map((index) =>
      readText(`${KNOBS}RESULT = $RANDOM_CHOICE(PAIR)\n`, { random: () => index }).get('RESULT'),
    );
    expect(chosen).toEqual(['one', 'two', 'three']);
  });
});

describe('numbers', () => {
  test.each([
    ['$INT(BYTES,%d)', '1705032704'],
    ['$INT(-2,%x)', 'fffffffe'],
    ['$INT(-2,%u)', '4294967294'],
    ['$INT(BYTES,%ld)', '6000000000'],
    ['$INT(-2,%lx)', 'fffffffffffffffe'],
    ['$INT(70000,%hd)', '4464'],
    ['$INT(300,%hhd)', '44'],
    ['$INT(65,%c)', 'A'],
    ['$INT(233,%c)', '\udce9'],
    ['$INT(5,%p)', '0x5'],
    ["$INT(5,%'d)", '5'],
    ['[$INT(0,x%cy)]', '[x]'],
    ['$INT(5,%100d)', ' '.repeat(55)],
    ['$INT(99999999999999999999)', '9223372036854775807'],
    ['$INT(-99999999999999999999)', '-9223372036854775808'],
    ['$INT(1e30)', '-9223372036854775808'],
    ['$INT( 3 )', '3'],
    ['$REAL(0x3)', '3'],
    ['$REAL(0x1.8p3)', '12'],
    ['$REAL(-0x.8)', '-0.5'],
    ['$REAL(inf)', 'INF'],
    ['$REAL(-Infinity,%g)', '-inf.0'],
    ['$REAL(nan)', 'NAN'],
    ['$REAL(2,%a)', '0x1p+1.0'],
    ['$REAL(2,%.0e)', '2e+00.0'],
    ['$REAL(2,a.b %g)', 'a.b 2'],
    ['$STRING(SLOTS )', 'SLOTS '],
    ['$STRING("a b",<%5s>)', '<  a b>'],
  ])('%s is %s', (text, wanted) => {
    expect(value(text)).toBe(wanted);
  });

  test.each([
    ['$INT( SLOTS )', '[]', '$INT() macro:  SLOTS  does not evaluate to an integer!'],
    ['$INT(SLOTS )', '[]', '$INT() macro: SLOTS  does not evaluate to an integer!'],
    ['$REAL( SLOTS)', '[]', '$REAL() macro:  SLOTS does not evaluate to a real!'],
    ['$REAL(0x)', '[]', '$REAL() macro: 0x does not evaluate to a real!'],
  ])('blanks belong to the name: %s is empty', (text, wanted, message) => {
    expect(failure(text)).toEqual([wanted, [message]]);
  });

  test.each([
    ['$INT(WORD,%f)', '[%f]', "$INT() macro: '%f' is not a valid format specifier!"],
    ['$INT(WORD,%%)', '[%%]', "$INT() macro: '%%' is not a valid format specifier!"],
    ['$INT(5,%d %d)', '[%d %d]', "$INT() macro: '%d %d' is not a valid format specifier!"],
    ['$INT(5,%*d)', '[%*d]', "$INT() macro: '%*d' is not a valid format specifier!"],
    ['$REAL(WORD,%d)', '[%d]', "$REAL() macro: '%d' is not a valid format specifier!"],
    ['$REAL(2,%c)', '[%c]', "$REAL() macro: '%c' is not a valid format specifier!"],
  ])('the format is checked first: %s', (text, wanted, message) => {
    expect(failure(text)).toEqual([wanted, [message]]);
  });
});

test.each([
  ['$EVAL(BANNER)', 'west pool'],
  ['$EVAL($(SITE))', 'west'],
  ['[$EVAL(SITES)]', '[]'],
  ['$EVAL(OFF)', '4'],
  ['$EVAL( 1 + 1 )', '2'],
  ['$EVAL(OFF )', 'undefined'],
  ['$EVAL(1 > 0 ? "a" : "b" later)', 'a'],
  ['[$EVAL((1 > 0 ? "a" : "b")]', '[]'],
])('$EVAL keeps the expanded text of a macro that is not an expression: %s', (text, wanted) => {
  expect(value(text)).toBe(wanted);
});
