// What SIGHUP says of the configuration, and how often.
import { expect, it } from 'vitest';
import { createReload } from '../src/reload.ts';
import type { Settings } from '../src/settings.ts';
import { settingsWith } from './support/access-point.ts';

const first = settingsWith({});
const second = settingsWith({ CREDMON_RENEWALS_PER_ISSUER: '3' });

it('R45 a refusal, another refusal and the end of refusals are said once each', () => {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  let found: Settings | string = first;
  let taken: Settings | undefined;
  let unusable = false;
  const reload = createReload(
    () => {
      if (typeof found === 'string') throw new Error(found);
      return found;
    },
    (next) => {
      if (unusable) throw new Error('the log cannot be opened');
      taken = next;
    },
    { error: say, warn: say, info: say, debug: say },
  );
  const steps: readonly (readonly [Settings | string, Settings | undefined, string | undefined])[] = [
    [settingsWith({}), undefined, undefined],
    ['line 3', undefined, 'The new configuration is refused and the old one stays: line 3'],
    ['line 3', undefined, undefined],
    ['line 4', undefined, 'The new configuration is refused and the old one stays: line 4'],
    [settingsWith({}), undefined, 'The configuration is valid again, and as it was'],
    [settingsWith({}), undefined, undefined],
    ['line 4', undefined, 'The new configuration is refused and the old one stays: line 4'],
    [second, second, undefined],
    [settingsWith({}), undefined, undefined],
  ];
  for (const [what, expected, line] of steps) {
    found = what;
    lines.length = 0;
    taken = undefined;
    reload(first);
    expect([taken, lines]).toEqual([expected, line === undefined ? [] : [line]]);
  }
  [found, taken, unusable] = [second, undefined, true];
  for (const expected of [
    ['The new configuration is refused and the old one stays: the log cannot be opened'],
    [],
  ]) {
    lines.length = 0;
    reload(first);
    expect([taken, lines]).toEqual([undefined, expected]);
  }
  unusable = false;
  reload(first);
  expect(taken).toBe(second);
});
