// A user's directory that its owner, or the owner of the credential directory, replaces
// by a link: nothing behind the link is read or changed.
import {
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { isCoded } from '../../src/base/errors/errors.ts';
import { openCredentialDirectory } from '../../src/store/directory-store.ts';
import type { CredentialStore } from '../../src/store/store.ts';
import { inUserDirectory } from '../../src/store/directory-names.ts';
import { credentialDirectory, NOW, putToken, TOP } from './directory.ts';

let root: string;
let elsewhere: string;
let store: CredentialStore;
beforeEach(() => {
  root = credentialDirectory();
  elsewhere = mkdtempSync(join(tmpdir(), 'credmon-elsewhere-'));
  putToken(root, 'alice', 'mytok');
  mkdirSync(join(elsewhere, 'alice'));
  putToken(elsewhere, 'alice', 'mytok');
  writeFileSync(join(elsewhere, 'alice/.x.use.4194303.1.credmon-tmp'), 'keep');
  store = openCredentialDirectory(root, { defaultLifetime: 1200, locked: true });
});

const swap = (): void => {
  renameSync(join(root, 'alice'), join(root, '.alice.away'));
  symlinkSync(join(elsewhere, 'alice'), join(root, 'alice'));
};
const untouched = (): void => {
  expect(readdirSync(join(elsewhere, 'alice')).sort()).toEqual(
    ['.x.use.4194303.1.credmon-tmp', 'mytok.meta', 'mytok.top', 'mytok.use'].sort(),
  );
  expect(readFileSync(join(elsewhere, 'alice/mytok.top'), 'utf8')).toBe(TOP);
};

describe('a link in place of a user directory', () => {
  it('is not scanned, and its tokens are not read for a renewal', async () => {
    expect((await store.scan(NOW)).tokens).toHaveLength(1);
    swap();
    const path = join(root, 'alice');
    expect(await store.scan(NOW)).toMatchObject({
      tokens: [],
      problems: [
        expect.stringContaining(`${path} was replaced by a symbolic link: it is not followed`),
      ],
    });
    expect(await store.scan(NOW)).toMatchObject({ tokens: [], problems: [] });
    const missing = { ok: false, reason: 'is missing' };
    expect(store.read('alice', 'mytok')).toEqual({
      top: missing,
      topIdentity: undefined,
      meta: missing,
    });
  });

  it('that is created during a renewal supersedes it, and nothing is written behind it', () => {
    const from = store.read('alice', 'mytok').topIdentity;
    swap();
    const writes = [
      { kind: 'top', text: 'new', durable: true },
      { kind: 'renewal', text: 'state', durable: false },
    ] as const;
    let error: unknown;
    try {
      store.apply({ user: 'alice', stem: 'mytok', from, writes });
    } catch (caught) {
      error = caught;
    }
    expect(isCoded(error, 'CRED_SUPERSEDED')).toBe(true);
    untouched();
  });

  it('is not followed to settle temporary files', () => {
    swap();
    store.settle('alice/.x.use.4194303.1.credmon-tmp');
    store.settle('alice/.x.use.4194303.1.credmon-tmp', 'mytok.top');
    expect(readdirSync(join(elsewhere, 'alice'))).toHaveLength(4);
    untouched();
  });

  it('that is created while the directory is open has no effect: the opened directory is used', () => {
    inUserDirectory(root, 'alice', (home) => {
      swap();
      writeFileSync(join(home, 'new'), '');
    });
    expect(readdirSync(join(root, '.alice.away'))).toContain('new');
    untouched();
  });
});
