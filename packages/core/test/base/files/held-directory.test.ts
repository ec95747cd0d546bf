// A directory that is held open is that of its path at each use.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readlinkSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inHeldDirectory } from '@credmon/core/base';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { afterEach, beforeEach, expect, it } from 'vitest';

let root: string;
let path: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'credmon-held-'));
  path = join(root, 'held');
  mkdirSync(path);
  writeFileSync(join(path, 'first'), '');
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const names = (): string[] => inHeldDirectory(path, (here) => readdirSync(here));
/** How many descriptors of this process lead to the directory. */
const open = (): number =>
  readdirSync('/proc/self/fd').filter((fd) => {
    const link = `/proc/self/fd/${fd}`;
    return existsSync(link) && readlinkSync(link).startsWith(path);
  }).length;

it('is opened once, and closed after a second', async () => {
  expect([names(), names(), open()]).toEqual([['first'], ['first'], 1]);
  await waitUntil(() => open() === 0, { what: 'the directory is still open' });
  expect(names()).toEqual(['first']);
});

it('that was replaced is opened again', () => {
  expect(names()).toEqual(['first']);
  renameSync(path, join(root, 'old'));
  mkdirSync(path);
  writeFileSync(join(path, 'second'), '');
  expect([names(), open()]).toEqual([['second'], 1]);
});

it('that was removed is an error, and no descriptor stays', () => {
  names();
  rmSync(path, { recursive: true });
  expect(names).toThrow('ENOENT');
  expect(open()).toBe(0);
});
