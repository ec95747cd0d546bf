// Words for a shell: the shell reads back the same word.
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

it('does not change plain names and paths', () => {
  expect(shellWord('/var/lib/condor/oauth_credentials')).toBe('/var/lib/condor/oauth_credentials');
});
