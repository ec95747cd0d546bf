// One conversion like C's printf; the expected texts are those of glibc.
import { expect, test } from 'vitest';
import { formatOne } from '../../../src/config/macros/printf.ts';

const INT = 'diouxXcC';
const REAL = 'eEfFgGaA';

test.each<[string, bigint, string | undefined]>([
  ['%d', -5n, '-5'],
  ['%5d|', 42n, '   42|'],
  ['%-5d|', 42n, '42   |'],
  ['%05d', -42n, '-0042'],
  ['%+d', 7n, '+7'],
  ['% d', 7n, ' 7'],
  ['%.4d', 7n, '0007'],
  ['%x', -1n, 'ffffffff'],
  ['%lx', -1n, 'ffffffffffffffff'],
  ['%u', 4294967297n, '1'],
  ['%zu', 4294967297n, '4294967297'],
  ['%hd', 70000n, '4464'],
  ['%hhu', -1n, '255'],
  ['%.0d', 0n, ''],
  ['%05.3d', 5n, '  005'],
  ['%-05d|', 5n, '5    |'],
  ['%#.3o', 8n, '010'],
  ['%#o', 0n, '0'],
  ['%#.0o', 0n, '0'],
  ['%3c|', 65n, '  A|'],
  ['<%C>', 200n, '<'],
  ['<%5lc>', -1n, '<'],
  ['<%lc>', 65n, '<A>'],
  ['<%zc>', 232n, '<'],
  ['%5%%d', 7n, '%7'],
  ['%d %y', 7n, '7 %y'],
  ['%d%', 7n, '7'],
  ['%y %d', 7n, undefined],
  ['%d %n', 7n, undefined],
  ['%#x', 255n, '0xff'],
  ['%#o', 8n, '010'],
  ['%#08X', 255n, '0X0000FF'],
  ['%lld%%', 9n, '9%'],
  ['no conversion', 1n, undefined],
  ['%d %d', 1n, undefined],
  ['%s', 1n, undefined],
  ['%', 1n, undefined],
  ['%99999d', 1n, undefined],
])('%s of %s', (format, value, text) => {
  expect(formatOne(format, INT, value)).toBe(text);
});

test.each<[string, number, string]>([
  ['%f', 3, '3.000000'],
  ['%.0f', 2.5, '2'],
  ['%.0f', 3.5, '4'],
  ['%.1f', 0.25, '0.2'],
  ['%.0e', 2.5, '2e+00'],
  ['%.2f', 1.005, '1.00'],
  ['%.2e', 12345.678, '1.23e+04'],
  ['%g', 0.0001, '0.0001'],
  ['%g', 0.00001, '1e-05'],
  ['%g', 1e6, '1e+06'],
  ['%g', 123456, '123456'],
  ['%#g', 1, '1.00000'],
  ['%.16G', 1 / 3, '0.3333333333333333'],
  ['%.16G', 1e300, '1E+300'],
  ['%8.2f|', -1.5, '   -1.50|'],
  ['%08.2f', -1.5, '-0001.50'],
  ['%+.1f', 1.5, '+1.5'],
  ['%a', 1.5, '0x1.8p+0'],
  ['%a', 0, '0x0p+0'],
  ['%A', 10, '0X1.4P+3'],
  ['%.0a', 1.5, '0x2p+0'],
  ['%.0a', 2.5, '0x1p+1'],
  ['%.3a', 1 / 3, '0x1.555p-2'],
  ['%.3a', 0, '0x0.000p+0'],
  ['%.15a', 1, '0x1.000000000000000p+0'],
  ['%a', 5e-324, '0x0.0000000000001p-1022'],
  ['%f', 1e22, '10000000000000000000000.000000'],
  ['%f', Infinity, 'inf'],
  ['%E', -Infinity, '-INF'],
  ['%06f', Infinity, '   inf'],
  ['%#.0f', 2, '2.'],
  ['%#.0e', 2, '2.e+00'],
])('%s of %s', (format, value, text) => {
  expect(formatOne(format, REAL, value)).toBe(text);
});

test.each([
  ['%s', 'abc'],
  ['<%5s>', '<  abc>'],
  ['<%-5s>', '<abc  >'],
  ['%.2s', 'ab'],
])('%s of a text', (format, text) => {
  expect(formatOne(format, 's', 'abc')).toBe(text);
});
