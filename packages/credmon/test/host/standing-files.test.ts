// The files of standing tokens, and their users, when the directory service does not
// answer.
import { chmodSync, mkdtempSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { standingFiles } from '../../src/host/standing-files.ts';

const path = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = path;
});

it('R1 a name service that does not answer causes one wait of two seconds, not one per token', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-getent-'));
  const calls = join(folder, 'calls');
  writeFileSync(join(folder, 'getent'), `#!/bin/sh\necho call >> ${calls}\nexec sleep 600\n`);
  chmodSync(join(folder, 'getent'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
  const files = standingFiles();
  // The program sleeps for longer than this test may take.
  expect([files.owner('frontend'), files.owner('frontend')]).toEqual([undefined, undefined]);
  expect(readFileSync(calls, 'utf8')).toBe('call\n');
});

it('an existing user is found', () => {
  expect(standingFiles().owner('root')).toEqual({ uid: 0, gid: 0 });
});

it('what a killed process left beside a token is removed, and nothing else', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-left-'));
  const names = [
    // A process id that Linux never gives.
    '.ce1.99999999.1.credmon-tmp',
    `.ce1.${process.ppid}.1.credmon-tmp`,
    '.ce2.99999999.1.credmon-tmp',
    '.ce1.swp',
  ];
  for (const name of names) writeFileSync(join(folder, name), '');
  standingFiles().write(join(folder, 'ce1'), 'token\n', 0o600, undefined);
  expect(readdirSync(folder).sort()).toEqual([...names.slice(1), 'ce1'].sort());
});
