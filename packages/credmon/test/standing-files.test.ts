// The users that standing tokens belong to, when the directory service does not answer.
import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { standingFiles } from '../src/standing-files.ts';

const path = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = path;
});

it('R1 a directory service that is silent is waited for two seconds, and then not for each token', () => {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-getent-'));
  writeFileSync(join(folder, 'getent'), '#!/bin/sh\nexec sleep 60\n');
  chmodSync(join(folder, 'getent'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
  const files = standingFiles();
  const began = performance.now();
  expect(files.owner('frontend')).toBe(undefined);
  const asked = performance.now();
  expect(asked - began).toBeLessThan(4000);
  expect(files.owner('frontend')).toBe(undefined);
  expect(performance.now() - asked).toBeLessThan(500);
});

it('a user who is there is found', () => {
  expect(standingFiles().owner('root')).toEqual({ uid: 0, gid: 0 });
});
