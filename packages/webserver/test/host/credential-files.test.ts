// The credential directory of the portal: reading key files and tokens, and writing three
// files.
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isCoded, messageOf } from '@credmon/core/base';
import { openCredentialFiles } from '../../src/host/credential-files.ts';

const KEY = 'ab'.repeat(32);
const texts = { meta: 'm', use: 'u', top: 't' };
let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-creds-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function codeOf(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    return isCoded(error) ? error.code : String(error);
  }
  return 'none';
}

describe('a key file', () => {
  it('is read with its modification time', () => {
    writeFileSync(join(directory, KEY), 'text');
    const { bytes, modifiedAt } = openCredentialFiles(directory).readKey(KEY);
    expect([Buffer.from(bytes).toString(), modifiedAt]).toEqual([
      'text',
      statSync(join(directory, KEY)).mtimeMs / 1000,
    ]);
  });

  it.each([
    ['that is missing', () => undefined, 'KEY_FILE_MISSING'],
    ['that is a directory', (path: string) => mkdirSync(path), 'KEY_FILE_INVALID'],
    ['that is a link', (path: string) => symlinkSync('/etc/hostname', path), 'KEY_FILE_INVALID'],
    ['that is a FIFO', (path: string) => execFileSync('mkfifo', [path]), 'KEY_FILE_INVALID'],
    [
      'that is too large',
      (path: string) => writeFileSync(path, Buffer.alloc(300_000)),
      'KEY_FILE_INVALID',
    ],
  ])('R37 %s is rejected', (_title, make, code) => {
    make(join(directory, KEY));
    expect(codeOf(() => openCredentialFiles(directory).readKey(KEY))).toBe(code);
  });

  it.runIf(process.getuid?.() === 0).each([
    ['that root owns, of the group of the portal', 0o640, 'text'],
    ['that only root may read', 0o600, 'chgrp condor and chmod 640'],
  ])('R37 %s, is read or refused with the fix', (_title, mode, expected) => {
    const [user, group] = [64_001, 64_002];
    chownSync(directory, user, group);
    writeFileSync(join(directory, KEY), 'text');
    chownSync(join(directory, KEY), 0, group);
    chmodSync(join(directory, KEY), mode);
    const files = openCredentialFiles(directory);
    let found: string;
    process.setegid?.(group);
    process.seteuid?.(user);
    try {
      found = Buffer.from(files.readKey(KEY).bytes).toString();
    } catch (error) {
      found = messageOf(error);
    } finally {
      process.seteuid?.(0);
      process.setegid?.(0);
    }
    expect(found).toContain(expected);
  });

  it.each(['pid', '../x', '', 'AB'.repeat(32)])(
    'R37 the name "%s" is rejected without a file access',
    (name) => {
      const files = openCredentialFiles(directory);
      expect([codeOf(() => files.readKey(name)), codeOf(() => files.removeKey(name))]).toEqual([
        'KEY_FILE_MISSING',
        'KEY_FILE_MISSING',
      ]);
    },
  );

  it('R37 is not read again before it changes, and its name without a file is known by a look', () => {
    vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] });
    try {
      const files = openCredentialFiles(directory);
      expect(files.whyMissing(KEY)?.code).toBe('KEY_FILE_MISSING');
      expect(files.whyMissing('pid')?.message).toBe('this is not the name of a key file');
      writeFileSync(join(directory, KEY), 'text');
      expect(files.whyMissing(KEY)).toBe(undefined);
      const first = files.readKey(KEY);
      expect(files.readKey(KEY)).toBe(first);
      writeFileSync(join(directory, KEY), 'TEXT');
      expect(Buffer.from(files.readKey(KEY).bytes).toString()).toBe('TEXT');
      files.removeKey(KEY);
      expect(codeOf(() => files.readKey(KEY))).toBe('KEY_FILE_MISSING');
      rmSync(directory, { recursive: true });
      expect(codeOf(() => files.whyMissing('cd'.repeat(32)))).toBe('CRED_FILE_IO');
    } finally {
      vi.useRealTimers();
    }
  });

  it('can be removed, also if it does not exist', () => {
    writeFileSync(join(directory, KEY), '');
    const files = openCredentialFiles(directory);
    files.removeKey(KEY);
    files.removeKey(KEY);
    expect(existsSync(join(directory, KEY))).toBe(false);
  });
});

describe('a token', () => {
  it('is in three private files in a private directory', () => {
    const files = openCredentialFiles(directory);
    expect(files.tokensOf('alice')('mytok')).toBe(false);
    files.writeToken('alice', 'mytok', texts);
    const home = join(directory, 'alice');
    const found = readdirSync(home).map((name) => [
      name,
      readFileSync(join(home, name), 'utf8'),
      (statSync(join(home, name)).mode & 0o7777).toString(8),
    ]);
    expect(found).toEqual([
      ['mytok.meta', 'm', '400'],
      ['mytok.top', 't', '400'],
      ['mytok.use', 'u', '400'],
    ]);
    expect((statSync(home).mode & 0o777).toString(8)).toBe('700');
    expect(files.tokensOf('alice')('mytok')).toBe(true);
  });

  it('is found at once when it is stored, removed or stored again', () => {
    vi.useFakeTimers({ now: Date.now() + 3_600_000, toFake: ['Date'] });
    try {
      const files = openCredentialFiles(directory);
      const found = (): boolean[] =>
        ['mytok', 'other'].map((stem) => files.tokensOf('alice')(stem));
      expect(found()).toEqual([false, false]);
      files.writeToken('alice', 'other', texts);
      expect([found(), found()]).toEqual([
        [false, true],
        [false, true],
      ]);
      rmSync(join(directory, 'alice', 'other.top'));
      expect([found(), found()]).toEqual([
        [false, false],
        [false, false],
      ]);
      files.writeToken('alice', 'mytok', texts);
      expect(found()).toEqual([true, false]);
      rmSync(join(directory, 'alice'), { recursive: true });
      expect(found()).toEqual([false, false]);
      symlinkSync('bob', join(directory, 'alice'));
      expect(codeOf(found)).toBe('CRED_DIR_INVALID');
    } finally {
      vi.useRealTimers();
    }
  });

  it('has a .top that is never newer than its .use, even if writing takes long', () => {
    const long = 'x'.repeat(8_000_000);
    openCredentialFiles(directory).writeToken('alice', 'mytok', {
      meta: long,
      use: long,
      top: long,
    });
    const [top, use] = ['top', 'use'].map(
      (kind) => statSync(join(directory, `alice/mytok.${kind}`)).mtimeMs,
    );
    expect(top).toBeLessThan(use ?? 0);
  });

  it('replaces an older one', () => {
    const files = openCredentialFiles(directory);
    files.writeToken('alice', 'mytok', texts);
    files.writeToken('alice', 'mytok', { ...texts, use: 'new' });
    expect(readFileSync(join(directory, 'alice/mytok.use'), 'utf8')).toBe('new');
  });

  it.each([
    ['meta', []],
    ['use', ['mytok.meta']],
    ['top', ['mytok.meta', 'mytok.use']],
  ] as const)(
    'R13 if .%s cannot be renamed, .top does not appear and no temporary file is left',
    (kind, left) => {
      const home = join(directory, 'alice');
      mkdirSync(join(home, `mytok.${kind}`, 'in the way'), { recursive: true });
      expect(codeOf(() => openCredentialFiles(directory).writeToken('alice', 'mytok', texts))).toBe(
        'CRED_FILE_IO',
      );
      expect(readdirSync(home).filter((name) => name !== `mytok.${kind}`)).toEqual(left);
    },
  );

  it.each([
    ['a link', (path: string) => symlinkSync(tmpdir(), path)],
    ['a file', (path: string) => writeFileSync(path, '')],
  ])("is not written when the user's directory is %s", (_title, make) => {
    make(join(directory, 'alice'));
    expect(codeOf(() => openCredentialFiles(directory).writeToken('alice', 'mytok', texts))).toBe(
      'CRED_DIR_INVALID',
    );
  });

  it('is not written if the credential directory does not exist', () => {
    chmodSync(directory, 0o700);
    rmSync(directory, { recursive: true });
    expect(codeOf(() => openCredentialFiles(directory).writeToken('alice', 'mytok', texts))).toBe(
      'CRED_FILE_IO',
    );
  });
});

describe('a search in the tokens of all users', () => {
  it('finds every .top and its other files, follows no link, and ends at the first match', async () => {
    const files = openCredentialFiles(directory);
    files.writeToken('alice', 'a', { meta: 'm', use: 'use-a', top: 'top-a' });
    files.writeToken('bob', 'b_handle', { meta: 'm', use: 'use-b', top: 'top-b' });
    writeFileSync(join(directory, 'bob', 'no-top.use'), 'x');
    writeFileSync(join(directory, KEY), 'key');
    symlinkSync(join(directory, 'bob'), join(directory, 'carol'));
    const seen: string[] = [];
    expect(
      await files.someToken((token) => {
        seen.push(`${token.stem} ${token.read('top')} ${token.read('use')}`);
        return false;
      }),
    ).toBe(false);
    expect(new Set(seen)).toEqual(new Set(['a top-a use-a', 'b_handle top-b use-b']));
    let looks = 0;
    expect(await files.someToken(() => (looks += 1) > 0)).toBe(true);
    expect(looks).toBe(1);
  });
});
