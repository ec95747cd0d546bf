// When a daemon of condor_master ends with it, and when it must not.
import { expect, it } from 'vitest';
import { masterIn, masterWatch, type SeenProcess } from '../../src/daemon/master-watch.ts';

it.each<[string | undefined, number | undefined]>([
  ['4711 <127.0.0.1:9618?addrs=127.0.0.1-9618> 0 1 0', 4711],
  [' 4711', 4711],
  ['4711', 4711],
  [undefined, undefined],
  ['', undefined],
  ['<127.0.0.1:9618> 4711', undefined],
  ['4711x', undefined],
  ['-4711 <sinful>', undefined],
  ['1 <sinful>', undefined],
  ['0 <sinful>', undefined],
  ['99999999999999999999 <sinful>', undefined],
])('R46 CONDOR_INHERIT = %j names process %j', (inherit, pid) => {
  expect(masterIn(inherit)).toBe(pid);
});

interface Moment {
  readonly process: SeenProcess | undefined;
  readonly parent: number;
}
const alive: SeenProcess = { pid: 500, started: '10' };
const unknown: SeenProcess = { pid: 500 };
const reused: SeenProcess = { pid: 500, started: '99' };

it.each<[string, Moment, readonly (readonly [Moment, boolean])[]]>([
  [
    'its parent, which ends later',
    { process: alive, parent: 500 },
    [
      [{ process: alive, parent: 500 }, false],
      [{ process: unknown, parent: 500 }, false],
      [{ process: undefined, parent: 1 }, true],
    ],
  ],
  [
    'its parent, whose process id is reused',
    { process: alive, parent: 500 },
    [[{ process: reused, parent: 500 }, true]],
  ],
  [
    'its parent, which is a zombie',
    { process: alive, parent: 500 },
    [[{ process: alive, parent: 1 }, true]],
  ],
  [
    'a process behind a wrapper: only its end counts',
    { process: alive, parent: 700 },
    [
      [{ process: alive, parent: 700 }, false],
      [{ process: alive, parent: 1 }, false],
      [{ process: reused, parent: 1 }, true],
    ],
  ],
])('R46 watches %s', (_, start, moments) => {
  let now = start;
  const watch = masterWatch('500 <sinful>', { look: () => now.process, parent: () => now.parent });
  const answers = moments.map(([moment]) => {
    now = moment;
    return watch?.gone();
  });
  expect(answers).toEqual(moments.map(([, gone]) => gone));
});

it.each<[string, string | undefined, SeenProcess | undefined]>([
  ['started without condor_master', undefined, alive],
  ['with a master that cannot be seen', '500 <sinful>', undefined],
])('R46 watches nothing %s', (_, inherit, process) => {
  expect(masterWatch(inherit, { look: () => process, parent: () => 500 })).toBeUndefined();
});
