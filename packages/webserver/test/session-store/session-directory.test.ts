// The cookie key as `--check` reads it, possibly as root.
import { mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemTrust } from '@credmon/core/base';
import { expect, it } from 'vitest';
import { readCookieSecret } from '../../src/session-store/session-directory.ts';
import { settingsFor } from '../support/portal.ts';

it('is read from a regular file only', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-key-'));
  const settings = { ...settingsFor(directory), sessionDirectory: directory };
  const read = (): Promise<string | undefined> => readCookieSecret(settings, systemTrust());
  expect(await read()).toBeUndefined();
  writeFileSync(join(directory, 'other'), 'secret');
  symlinkSync('other', join(directory, 'cookie.key'));
  await expect(read()).rejects.toMatchObject({
    code: 'SECRET_UNREADABLE',
    message: `${directory}/cookie.key is a symbolic link`,
  });
});
