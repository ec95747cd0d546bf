// Words for a shell: what a shell makes of them is what went in.
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { shellWord } from '../../../src/base/process/shell-word.ts';

it.each([
  '/etc/condor/key.pem',
  'alice@example.org',
  'two words',
  "it's",
  '$(id) `id` "x" \\ ; & | * ?',
  '',
  'a\nb',
])('%j is one word', (text) => {
  expect(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' })).toBe(
    text,
  );
});

it('leaves plain names and paths as they are', () => {
  expect(shellWord('/var/lib/condor/oauth_credentials')).toBe('/var/lib/condor/oauth_credentials');
});
