// The administrator's files: one rule for links; no blocking, no large files.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readAtMost, readSafely, rememberFiles } from '../../../src/base/files/safe-file.ts';
import { makeSocket } from '../../../src/base/http/stale-socket.ts';

let directory: string;
const at = (name: string): string => join(directory, name);
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-safe-file-'));
  writeFileSync(at('secret'), 'text', { mode: 0o600 });
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));
const uid = process.getuid?.() ?? 0;
const TEXT = { kind: 'text', text: 'text', uid, mode: 0o600 };

describe('a file that is read safely', () => {
  it('is read with the owner and mode of the opened file', () => {
    expect(readSafely(at('secret'))).toEqual(TEXT);
    expect(readSafely(at('secret'), 4)).toEqual(TEXT);
  });

  it('may be behind links that only root or this process can have created: Kubernetes, /run', () => {
    mkdirSync(at('..2026_08_02'));
    writeFileSync(at('..2026_08_02/key'), 'text', { mode: 0o600 });
    symlinkSync('..2026_08_02', at('..data'));
    symlinkSync('..data/key', at('key'));
    symlinkSync(at('key'), at('absolute'));
    for (const mode of [0o700, 0o755, 0o1777]) {
      chmodSync(directory, mode);
      expect([readSafely(at('key')), readSafely(at('absolute'))]).toEqual([TEXT, TEXT]);
    }
  });

  it.each([
    ['link', /^cannot be used: \S+\/link: link is a symbolic link that another user could change/],
    [
      'below/secret',
      /^cannot be used: \S+\/below\/secret: below is a symbolic link that another user/,
    ],
  ])('is rejected behind the link %s if others can write there', (name, reason) => {
    symlinkSync('secret', at('link'));
    symlinkSync('.', at('below'));
    chmodSync(directory, 0o777);
    expect(readSafely(at(name))).toEqual({
      kind: 'broken',
      reason: expect.stringMatching(reason) as string,
    });
    expect(readSafely(at('secret'))).toEqual(TEXT);
  });

  it.each<[string, () => void, object]>([
    ['nothing', () => rmSync(at('secret')), { kind: 'missing' }],
    [
      'a dangling link',
      () => replace(() => symlinkSync('none', at('secret'))),
      { kind: 'missing' },
    ],
    [
      'a link to itself',
      () => replace(() => symlinkSync('secret', at('secret'))),
      { kind: 'broken', reason: 'is a symbolic link' },
    ],
    [
      'a FIFO',
      () => replace(() => spawnSync('mkfifo', [at('secret')])),
      { kind: 'broken', reason: 'is not a regular file' },
    ],
    [
      'a link to /dev/zero',
      () => replace(() => symlinkSync('/dev/zero', at('secret'))),
      { kind: 'broken', reason: 'is not a regular file' },
    ],
    [
      'a directory',
      () => replace(() => mkdirSync(at('secret'))),
      { kind: 'broken', reason: 'is a directory' },
    ],
    [
      'a giant',
      () => truncateSync(at('secret'), 2 ** 30),
      { kind: 'broken', reason: 'is larger than 4194304 bytes' },
    ],
    ['a second name of the file', () => linkSync(at('secret'), at('other')), TEXT],
  ])('gives the right result for %s', (_, spoil, expected) => {
    spoil();
    expect(readSafely(at('secret'))).toEqual(expected);
  });
});

function replace(by: () => unknown): void {
  rmSync(at('secret'));
  by();
}

describe('a socket', () => {
  it('has its mode from the start, for any umask', () => {
    const before = process.umask(0);
    const server = createServer();
    try {
      makeSocket(0o660, () => server.listen({ path: at('socket') }));
      expect([(statSync(at('socket')).mode & 0o777).toString(8), process.umask()]).toEqual([
        '660',
        0,
      ]);
    } finally {
      process.umask(before);
      server.close();
    }
  });
});

it.each([
  ['/dev/null', 0],
  ['/dev/zero', 100_001],
])('readAtMost: %s gives %i bytes', (path, length) => {
  expect(readAtMost(path, 100_000)).toHaveLength(length);
});

describe('readAtMost of a pipe', () => {
  it('without a writer fails at once instead of waiting', () => {
    spawnSync('mkfifo', [at('fifo')]);
    expect(() => readAtMost(at('fifo'), 100)).toThrow(/nothing comes from the pipe .*\/fifo/);
  });

  it('waits for a writer that is slow', async () => {
    spawnSync('mkfifo', [at('fifo')]);
    const both = openSync(at('fifo'), 'r+');
    const writer = spawn('bash', ['-c', 'exec 3>"$0"; echo; sleep 0.3; echo late >&3', at('fifo')]);
    await once(writer.stdout, 'data');
    closeSync(both);
    expect(readAtMost(at('fifo'), 100).toString()).toBe('late\n');
    await once(writer, 'close');
  });

  it('ends after a silence', () => {
    spawnSync('mkfifo', [at('fifo')]);
    const writer = openSync(at('fifo'), 'r+');
    try {
      expect(() => readAtMost(at('fifo'), 100, 0.1)).toThrow(/has been silent for 0.1 s/);
    } finally {
      closeSync(writer);
    }
  });
});

describe('what was read of files', () => {
  const HOUR = 3_600_000;
  beforeEach(() => {
    vi.useFakeTimers({ now: Date.now() + HOUR, toFake: ['Date', 'setTimeout'] });
  });
  afterEach(() => vi.useRealTimers());
  const stat = (): Stats => statSync(at('secret'));

  it.each([
    ['stays the same', () => undefined, 'read'],
    ['is written again', () => writeFileSync(at('secret'), 'other'), undefined],
    [
      'is replaced by a file of the same size and time',
      () => {
        const { atime, mtime } = stat();
        writeFileSync(at('new'), 'TEXT', { mode: 0o600 });
        utimesSync(at('new'), atime, mtime);
        renameSync(at('new'), at('secret'));
      },
      undefined,
    ],
    ['gets another mode', () => chmodSync(at('secret'), 0o400), undefined],
  ])('is known if the file %s', (_title, change, expected) => {
    const memory = rememberFiles<string>(10);
    memory.keep('secret', stat(), 'read');
    change();
    expect(memory.recall('secret', stat())).toBe(expected);
    expect(memory.recall('another', stat())).toBe(undefined);
  });

  it('is not kept of a file that changed a moment ago, or in the future', () => {
    const memory = rememberFiles<string>(10);
    vi.setSystemTime(stat().ctimeMs + 2000);
    memory.keep('secret', stat(), 'read');
    expect(memory.recall('secret', stat())).toBe(undefined);
    utimesSync(at('secret'), 1, (Date.now() + HOUR) / 1000);
    vi.setSystemTime(Date.now() + HOUR / 2);
    memory.keep('secret', stat(), 'read');
    expect(memory.recall('secret', stat())).toBe(undefined);
  });

  it('is forgotten after a time, and when there are too many', () => {
    const memory = rememberFiles<string>(2, 60);
    for (const name of ['one', 'two']) memory.keep(name, stat(), name);
    expect(memory.recall('one', stat())).toBe('one');
    memory.keep('three', stat(), 'three');
    expect([memory.recall('one', stat()), memory.recall('three', stat())]).toEqual([
      undefined,
      'three',
    ]);
    vi.advanceTimersByTime(60_000);
    expect(memory.recall('three', stat())).toBe(undefined);
  });
});
