// Which references to the knob being set are expanded at once: the raw text afterwards.
import { expect, test } from 'vitest';
import { readText } from '../read-text.ts';

test.each([
  ['SEARCH = extra:$(MORE:$(SEARCH))', 'SEARCH', 'extra:$(MORE:$(SEARCH))'],
  ['HOMEDIR = /h\nHOMEDIR = $ENV(NOHOME:$(HOMEDIR)/x)', 'HOMEDIR', '$ENV(NOHOME:$(HOMEDIR)/x)'],
  ['COUNT = 3\nCOUNT = $INT($(COUNT))', 'COUNT', '$INT($(COUNT))'],
  ['U = 9\nU = $(U:x) $(X:$(U))', 'U', '9 $(X:$(U))'],
  ['U = 9\nU = $(X:$(U)) $(U)', 'U', '$(X:$(U)) 9'],
  ['U = 9\nU = $(X:(a)$(U)) $(X;$(U))', 'U', '$(X:(a)$(U)) $(X;9)'],
  ['U = 9\nU = $EVAL($(U)+$(U))', 'U', '$EVAL($(U)+9)'],
  ['U = $(X:$(U))\nU = a $(U)', 'U', 'a $(X:$(U))'],
  ['U = $\nU = $(U)(X)', 'U', '$(X)'],
  ['U = $\nU = $(U)(U)', 'U', '$'],
  ['U = Y\nU = $(X$(U)) $(U)', 'U', '$(XY) Y'],
  ['U = a/b.c\nU = $Fn(U)$BASENAME(U)', 'U', 'b$BASENAME(U)'],
  ['U = a\nU = $Fn(U:x)', 'U', 'U:x'],
])('%j: the raw text of %s is %s', (text, name, raw) => {
  expect(readText(`${text}\n`).raw(name)).toBe(raw);
});

test('a self reference that is kept inside a macro does not end, and has an error', () => {
  const config = readText('SEARCH = extra:$(MORE:$(SEARCH))\n');
  expect(() => config.get('SEARCH')).toThrow(
    /^\/c, line 1: SEARCH cannot be expanded: circular references/,
  );
});
