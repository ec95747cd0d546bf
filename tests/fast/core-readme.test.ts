// The examples of packages/core/README.md, run as they stand, on a credential directory
// and a configuration made for them.
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

const root = fileURLToPath(new URL('../..', import.meta.url));
const examples = [
  ...readFileSync(join(root, 'packages/core/README.md'), 'utf8').matchAll(/```ts\n(.*?)```/gs),
].map((match) => match[1] ?? '');
let folder: string;

beforeAll(() => {
  // Inside the workspace, so that the package's name resolves.
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  folder = mkdtempSync(join(root, 'node_modules/.cache/readme-'));
  const user = join(folder, 'creds/alice');
  mkdirSync(user, { recursive: true });
  const now = Math.floor(Date.now() / 1000);
  writeFileSync(join(user, 'mytok.top'), '{"refresh_token":"r"}');
  writeFileSync(
    join(user, 'mytok.use'),
    JSON.stringify({ access_token: 'a', issued_at: now, expires_at: now + 1000 }),
  );
  writeFileSync(join(user, 'lost.top'), '{"refresh_token":"r"}');
  writeFileSync(join(folder, 'condor_config'), 'use feature : OAUTH\nMAX_DEFAULT_LOG = 2 Mb\n');
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs an example with its paths replaced, and gives what it printed. */
async function run(index: number): Promise<string[]> {
  const code = (examples[index] ?? '')
    .replaceAll('/var/lib/condor/oauth_credentials', join(folder, 'creds'))
    .replaceAll('/etc/condor/condor_config', join(folder, 'condor_config'));
  const file = join(folder, `example-${index}.ts`);
  writeFileSync(file, code);
  const printed: string[] = [];
  const log = vi
    .spyOn(console, 'log')
    .mockImplementation((line: string) => void printed.push(line));
  try {
    await import(file);
  } finally {
    log.mockRestore();
  }
  return printed;
}

describe('the examples of the core README', () => {
  it('are three', () => expect(examples).toHaveLength(3));

  it('lists tokens and the life that they have left', async () => {
    expect((await run(0)).sort()).toEqual([
      'alice/lost: 0 s left',
      expect.stringMatching(/^alice\/mytok: 9\d\d s left$/),
    ]);
  });

  it('plans renewals', async () => {
    expect(await run(1)).toEqual([
      'alice/lost is due: use-missing',
      'the next look is due in 60 s',
    ]);
  });

  it('reads knobs with their origin', async () => {
    const file = join(folder, 'condor_config');
    expect(await run(2)).toEqual([
      `/var/lib/condor/oauth_credentials (${file}, line 1, use FEATURE:OAUTH+1)`,
      '2097152 bytes',
    ]);
  });
});
