// Typed reads as htcondor2.param of HTCondor 25.14 gives them.
import { expect, test } from 'vitest';
import { parameter } from '../../../src/config/typed/parameter.ts';
import { readInteger, readReal, readSize } from '../../../src/config/typed/typed.ts';
import { readText } from '../read-text.ts';

const valueOf = (name: string, text: string): unknown =>
  parameter(readText(`${name} = ${text}\n`), name)?.value;

test.each([
  ['0x2', false],
  ['020', false],
  ['00', false],
  ['0x', false],
  ['false7', false],
  ['0 > 1 later', false],
  ['1x', true],
  ['true false', true],
  ['TRUE # c', true],
  ['10', true],
  ['1 - 1', false],
  ['0.5', true],
  ['0 == 0', true],
  ['6 > 2 ? false : true later', false],
])('a boolean: the front decides if the text is not an expression: %s is %s', (text, value) => {
  expect(valueOf('USE_SHARED_PORT', text)).toBe(value);
});

test.each(['yes', 'no', 't', '2 > 3 later', '"false"', 'not false', '{false}', 'x'])(
  'another text gives the default: %s',
  (text) => {
    expect(valueOf('USE_SHARED_PORT', text)).toBe(true);
  },
);

test.each([
  ['SEC_CREDENTIAL_SWEEP_DELAY', '6 > 2 ? 30 : 40 seconds', 30],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '(6 > 2 ? 30 : 40) seconds', 3600],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '5 seconds', 3600],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '7e401', -2_147_483_648],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '1e10', 2_147_483_647],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '99999999999999999999', 2_147_483_647],
  ['SEC_CREDENTIAL_SWEEP_DELAY', '-99999999999999999999', -2_147_483_648],
  ['PRIORITY_HALFLIFE', '7e401', Number.MAX_VALUE],
  ['PRIORITY_HALFLIFE', '-inf', -Number.MAX_VALUE],
  ['PRIORITY_HALFLIFE', '0x10', 16],
  ['PRIORITY_HALFLIFE', '6 > 2 ? 1.5 : 4 z', 1.5],
  ['PRIORITY_HALFLIFE', '1.5 z', 86_400],
])('a number: %s = %s is %s', (name, text, value) => {
  expect(valueOf(name, text)).toBe(value);
});

test("the readers of credmon's own knobs ignore a text after a conditional, too", () => {
  const config = readText('X = 6 > 2 ? 30 : 40 seconds\nY = 4 KiB\n');
  expect([readInteger(config, 'X', 0), readReal(config, 'X', 0), readSize(config, 'Y', 0)]).toEqual(
    [30, 30, 4096].map((value) => ({ ok: true, value })),
  );
});
