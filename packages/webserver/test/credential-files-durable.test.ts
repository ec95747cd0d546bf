// The refresh token of a login exists nowhere else, so its files are synced to disk
// before they are visible.
import type * as fs from 'node:fs';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { openCredentialFiles } from '../src/host/credential-files.ts';

const steps = vi.hoisted((): string[] => []);
vi.mock('node:fs', async (load) => {
  const real = await load<typeof fs>();
  return {
    ...real,
    fsyncSync: (descriptor: number) => {
      steps.push(`fsync ${real.readlinkSync(`/proc/self/fd/${descriptor}`)}`);
      real.fsyncSync(descriptor);
    },
    renameSync: (from: string, to: string) => {
      steps.push(`rename ${to}`);
      real.renameSync(from, to);
    },
  };
});

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-durable-'));
  steps.length = 0;
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

/** The system calls, with temporary names replaced by their purpose. */
const seen = (): string[] =>
  steps.map((step) => {
    const [what = '', path = ''] = step.split(' ');
    return `${what} ${basename(path).replace(/^\.(.+?)\.d?\d+\..*$/, '$1 before it is visible')}`;
  });

it("R13 a new user's directory is synced, then all three files before the first becomes visible, and the directory after the last", () => {
  openCredentialFiles(directory).writeToken('alice', 'mytok', { meta: 'm', use: 'u', top: 't' });
  expect(seen()).toEqual([
    `fsync ${basename(directory)}`,
    'fsync mytok.top before it is visible',
    'fsync mytok.use before it is visible',
    'fsync mytok.meta before it is visible',
    'rename mytok.meta',
    'rename mytok.use',
    'rename mytok.top',
    'fsync alice',
  ]);
});

it('R13 an unchanged .top is not written, and the other two files are synced', () => {
  mkdirSync(join(directory, 'alice'));
  openCredentialFiles(directory).writeToken('alice', 'mytok', { meta: 'm', use: 'u' });
  expect(seen()).toEqual([
    'fsync mytok.use before it is visible',
    'fsync mytok.meta before it is visible',
    'rename mytok.meta',
    'rename mytok.use',
    'fsync alice',
  ]);
});
