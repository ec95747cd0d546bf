// The shell examples of the pages about tokens run as they stand.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { blocks, readPage, runBlocks } from './pages.ts';

it.each([
  ['scitokens.md', 16, /next +\d{4}-.*\n|accepted: scitoken:2\.0/],
  ['scitokens.md', 16, /^accepted: read \/vo\/home\/alice\/f as alice$/m],
  [
    'htcondor-ce.md',
    6,
    /^accepted: wlcg:1\.0, ES256, issuer https:\/\/frontend\.example\.org\/vo/m,
  ],
  ['htcondor-ce.md', 6, /^user +ok +glidein \(50-frontend\.conf:1\)$/m],
])('the commands of docs/%s run', async (name, commands, output) => {
  const texts = blocks(readPage(name), 'sh run');
  expect(texts.join('').match(/^scitokens/gm)?.length).toBeGreaterThanOrEqual(commands);
  const directory = mkdtempSync(join(tmpdir(), 'pages-'));
  try {
    expect(await runBlocks(texts, directory)).toMatch(output);
  } finally {
    rmSync(directory, { recursive: true });
  }
});
