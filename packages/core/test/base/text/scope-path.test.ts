// A component of a scope's path: decoded once, or refused.
import { describe, expect, it } from 'vitest';
import { decodeComponent } from '../../../src/base/text/scope-path.ts';

describe('a component of a path', () => {
  it.each([
    ['', ''],
    ['bob', 'bob'],
    ['é', 'é'],
    ['.', '.'],
    ['...', '...'],
    ['%62ob', 'bob'],
    ['run%202', 'run 2'],
    ['caf%C3%A9', 'café'],
    ['caf%c3%a9', 'café'],
    ['%7Ebob', '~bob'],
    ['a%2eb', 'a.b'],
    ['%2e%2e%2e', '...'],
    ['a+b', 'a+b'],
    ['%F0%9F%98%80', '\u{1f600}'],
  ])('%j is decoded to %j', (component, text) => {
    expect(decodeComponent(component)).toEqual({ text });
  });

  it.each([
    ['%q1', 'an invalid percent escape'],
    ['50%', 'an invalid percent escape'],
    ['x%4', 'an invalid percent escape'],
    ['%', 'an invalid percent escape'],
    ['%%41', 'an invalid percent escape'],
    ['..', 'a parent directory'],
    ['%2e', 'an encoded dot segment'],
    ['%2E%2e', 'an encoded dot segment'],
    ['.%2e', 'an encoded dot segment'],
    ['%25', 'a double encoding'],
    ['a%2562', 'a double encoding'],
    ['a%2fb', 'an encoded separator'],
    ['a%2Fb', 'an encoded separator'],
    ['a%5cb', 'a backslash'],
    ['scratch\\tmp', 'a backslash'],
    ['a%00', 'a NUL'],
    ['a\0b', 'a NUL'],
    ['caf%E9', 'a percent escape that is not UTF-8'],
    ['%C0%AF', 'a percent escape that is not UTF-8'],
    ['%ED%A0%80', 'a percent escape that is not UTF-8'],
    ['%F4%90%80%80', 'a percent escape that is not UTF-8'],
  ])('%j is refused: %s', (component, problem) => {
    expect(decodeComponent(component)).toEqual({ problem });
  });
});
