// Which files are removed from the credential directory, and which are completed.
import type { Scan, TemporaryFile } from '@credmon/core/store';
import type { TokenSnapshot } from '@credmon/core/credential';
import { describe, expect, it } from 'vitest';
import { recoveries } from '../../src/daemon/cleanup.ts';

const KEY = 'a'.repeat(64);
const NOW = 1_000_000;
const KEY_FILE_LIFETIME = 43_200;

function token(topTime: number): TokenSnapshot {
  return {
    user: 'alice',
    stem: 'mytok',
    top: {
      kind: 'valid',
      value: { opaque: false, refreshToken: 'present' },
      identity: { ino: 1, mtime: topTime, size: 1 },
    },
    use: { kind: 'missing' },
    meta: { kind: 'missing' },
    renewal: undefined,
    seen: { wall: NOW, steady: 0 },
  };
}

function temporary(change: Partial<TemporaryFile>): TemporaryFile {
  const path = 'alice/.mytok.top.99.1.credmon-tmp';
  return {
    path,
    target: 'mytok.top',
    mtime: NOW - 5,
    orphaned: true,
    refreshToken: true,
    ...change,
  };
}

const scan = (change: Partial<Scan>): Scan => ({
  tokens: [],
  keyFiles: [],
  temporaries: [],
  problems: [],
  ...change,
});
const summary = async (found: Scan) =>
  (await recoveries(found, NOW)).map(({ path, target }) => ({ path, target }));

describe('recovery of leftovers', () => {
  it('removes a key file after twelve hours, not before', async () => {
    const old = { path: KEY, mtime: NOW - KEY_FILE_LIFETIME - 1 };
    expect(
      await summary(
        scan({ keyFiles: [old, { path: 'b'.repeat(64), mtime: NOW - KEY_FILE_LIFETIME }] }),
      ),
    ).toEqual([{ path: KEY, target: undefined }]);
  });

  const path = temporary({}).path;
  it.each([
    [
      'R12 completes the rename of a rotated refresh token after a crash',
      temporary({}),
      token(NOW - 10),
      [{ path, target: 'mytok.top' }],
    ],
    ['removes it when .top is newer', temporary({}), token(NOW - 1), [{ path, target: undefined }]],
    [
      'removes it when there is no .top: the login was never completed',
      temporary({}),
      undefined,
      [{ path, target: undefined }],
    ],
    [
      'removes an incomplete file',
      temporary({ refreshToken: false }),
      token(NOW - 10),
      [{ path, target: undefined }],
    ],
    ['keeps the file of a living process', temporary({ orphaned: false }), token(NOW - 10), []],
    [
      'removes an hour-old file even if its process id is in use (reused)',
      temporary({ orphaned: false, mtime: NOW - 3601 }),
      token(NOW - 5000),
      [{ path, target: 'mytok.top' }],
    ],
  ])('%s', async (_, file, current, expected) => {
    expect(await summary(scan({ temporaries: [file], tokens: current ? [current] : [] }))).toEqual(
      expected,
    );
  });
});
