// Our clock beside the servers'.
import { expect, it } from 'vitest';
import { checkClocks } from '../../src/checks/issuer.ts';

const read = (
  origin: string,
  theirs: number,
  ours = 1000,
): { origin: string; theirs: number; ours: number } => ({
  origin,
  theirs,
  ours,
});

it.each([
  [
    'agrees with all of them',
    [read('https://a', 1000.4), read('https://b', 980)],
    ['ok agrees with https://a, https://b'],
  ],
  [
    'differs from one',
    [read('https://a', 1000), read('https://b', 900)],
    [
      'warning the clock of this host is 100 s ahead of https://b; fix: synchronize it, for example with chronyd',
    ],
  ],
  [
    'is behind',
    [read('https://a', 1031), read('https://a', 1000)],
    [
      'warning the clock of this host is 31 s behind https://a; fix: synchronize it, for example with chronyd',
    ],
  ],
  ['no known server time', [read('https://a', Number.NaN)], []],
])('%s', (_, readings, expected) => {
  expect(checkClocks(readings).map(({ state, text }) => `${state} ${text}`)).toEqual(expected);
});
