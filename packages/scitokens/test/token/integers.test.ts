// Numbers that JavaScript accepts as integers and other languages do not.
import { expect, it } from 'vitest';
import { isPlainInteger } from '../../src/token/compact.ts';

it.each([
  ['{"exp":1}', true],
  ['{"exp":-1}', true],
  ['{"exp":4.1e9}', false],
  ['{"exp":1.0}', false],
  ['{"exp":1E3}', false],
  ['{"a":1.5,"exp":1}', true],
  ['{"a":{"exp":1.5},"exp":1}', true],
  ['{"a":[1.5,{"exp":1e1}],"exp":1}', true],
  ['{"a":"\\"exp\\":1.5","exp":1}', true],
  ['{"exp":1,"a":{"exp":1.5},"b":[{"exp":2.5}]}', true],
  ['{"exp":1,"exp":1.5}', false],
  ['{"exp":1.5,"exp":1}', true],
  ['{"e\\u0078p":1.5}', false],
  ['{ "exp" : 2.5 , "b" : 1 }', false],
])('the time in %s is a plain integer: %s', (json, plain) => {
  expect(isPlainInteger(json, 'exp')).toBe(plain);
});
