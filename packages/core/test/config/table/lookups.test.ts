// Which of the knobs with prefixes a lookup finds, as condor_config_val 25.14 with
// -subsystem and -local-name.
import { describe, expect, test } from 'vitest';
import defaults from '../../../src/config/table/defaults.json' with { type: 'json' };
import {
  dumpText,
  indexDefaults,
  queryKnob,
  verboseText,
} from '../../../src/config/table/config.ts';
import { readText } from '../read-text.ts';

const KNOBS = `CREDD.SITE1.LIMIT = 40
CREDD.PORT = 11
CREDD.SITE1.PORT = 12
PLAIN = x
CREDD.SITE1.PLAIN = y
SITE1.ROOM = a
CREDD.SITE1.ROOM = b
INSIDE = <$(ROOM)>
CREDD.P = 4
CREDD.CREDD.P = 5
`;
const LOCAL = { subsystem: 'CREDD', localName: 'SITE1' };

describe('the name that is found is looked up once more, for the value only', () => {
  test.each([
    ['LIMIT', undefined, undefined],
    ['PORT', '11', '11'],
    ['PLAIN', 'x', 'x'],
    ['ROOM', 'b', 'a'],
    ['INSIDE', '<a>', '<$(ROOM)>'],
    ['SITE1.ROOM', 'b', 'b'],
    ['credd.p', '5', '5'],
  ])('with a local name: %s', (name, value, raw) => {
    expect(queryKnob(readText(KNOBS, LOCAL), name)).toEqual({ value, raw });
  });

  test.each([
    ['P', '5', '4'],
    ['ROOM', undefined, undefined],
  ])('without a local name: %s', (name, value, raw) => {
    expect(queryKnob(readText(KNOBS, { subsystem: 'CREDD' }), name)).toEqual({ value, raw });
  });
});

test('the verbose text and a raw dump have the name that is found', () => {
  const config = readText('A = 1\nCredd.A = $(B)\nB = 2\n', LOCAL);
  expect(verboseText(config, 'a')).toBe('Credd.A = 2\n # at: /c, line 2\n # raw: Credd.A = $(B)');
  const dumped = (expanded: boolean): string =>
    dumpText(config, { pattern: /^(?:credd\.)?a$/i, expanded });
  expect(dumped(false)).toMatch(/\nCredd\.A = \$\(B\)\nCredd\.A = \$\(B\)\n#/);
  expect(dumped(true)).toMatch(/\nA = 2\nCredd\.A = 2\n#/);
});

test('a default with the prefix of the program comes before the plain knob', () => {
  const config = readText('IsMaster = plain\n', {
    subsystem: 'MASTER',
    defaults: indexDefaults({ ...defaults, IsMaster: 'false', 'MASTER.IsMaster': 'true' }),
  });
  expect([config.get('IsMaster'), config.get('MASTER.ismaster')]).toEqual(['true', 'true']);
});

test.each([
  ['CREDD.CREDD_OAUTH_MODE = TRUE', 'CREDD.CREDD_OAUTH_MODE', 'true'],
  ['FOO.CREDD_OAUTH_MODE = TRUE', 'FOO.CREDD_OAUTH_MODE', 'true'],
  ['FOO.BAR.CREDD_OAUTH_MODE = TRUE', 'FOO.BAR.CREDD_OAUTH_MODE', 'TRUE'],
  ['CREDD_OAUTH_MODE = TRUE', 'CREDD_OAUTH_MODE', 'true'],
  ['CREDD.CREDD_OAUTH_MODE = FALSE', 'CREDD.CREDD_OAUTH_MODE', 'FALSE'],
])('%s: a value equal to the default is written as the default: %s', (text, name, raw) => {
  expect(readText(`${text}\n`).raw(name)).toBe(raw);
});
