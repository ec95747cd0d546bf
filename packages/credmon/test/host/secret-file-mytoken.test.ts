// The file of a mytoken: who may read it, one process at a time, and nothing is lost.
import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { openMytokenFile, writeMytokenFile } from '../../src/host/secret-file.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-mytoken-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const at = (name: string): string => join(directory, name);
const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const jwt = (claims: object): string => `${part({ alg: 'ES512' })}.${part(claims)}.AA`;
const PLAIN = jwt({ capabilities: ['AT'] });
const ROTATING = jwt({ rotation: { on_AT: true } });

function put(name: string, text: string, mode = 0o600): string {
  writeFileSync(at(name), text, { mode });
  return at(name);
}

describe('a mytoken file', () => {
  it.each([PLAIN, ROTATING, 'opaque'])('is read up to its first line end', (mytoken) => {
    expect(openMytokenFile(put('mt', `${mytoken}\nmore`)).mytoken).toBe(mytoken);
  });

  it('is not locked, and needs no place beside it, if its mytoken is not replaced', () => {
    put('mt', PLAIN);
    openMytokenFile(at('mt'));
    expect(readdirSync(directory)).toEqual(['mt']);
  });

  it('R16 is replaced durably by a new mytoken, with mode 0600', () => {
    const file = openMytokenFile(put('mt', `${ROTATING}\n`, 0o400));
    file.store('next');
    expect(readFileSync(at('mt'), 'utf8')).toBe('next\n');
    expect(statSync(at('mt')).mode & 0o777).toBe(0o600);
    expect(readdirSync(directory).filter((name) => name !== 'mt.lock')).toEqual(['mt']);
  });

  it('may be a link: its target is replaced', () => {
    mkdirSync(at('real'), { mode: 0o700 });
    put('real/mt', ROTATING);
    symlinkSync('real/mt', at('mt'));
    openMytokenFile(at('mt')).store('next');
    expect(lstatSync(at('mt')).isSymbolicLink()).toBe(true);
    expect(readFileSync(at('real/mt'), 'utf8')).toBe('next\n');
  });

  it('is created with mode 0600', () => {
    writeMytokenFile(at('new'), 'mt');
    expect(readFileSync(at('new'), 'utf8')).toBe('mt\n');
    expect(statSync(at('new')).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['that others can read', () => put('mt', PLAIN, 0o644), /can be read by others; fix: chmod/],
    ['that is missing', () => at('no'), /is missing/],
    ['that is empty', () => put('mt', ''), /is empty/],
    ['that is a directory', () => directory, /is a directory/],
  ])('%s is rejected', (_title, make, message) => {
    expect(() => openMytokenFile(make())).toThrow(
      expect.objectContaining({
        code: 'SECRET_UNREADABLE',
        message: expect.stringMatching(message),
      }),
    );
  });

  it('is not used if a new mytoken could not be stored beside it', () => {
    put('mt', ROTATING);
    // A directory in place of the lock file cannot be opened for writing, even by root.
    mkdirSync(at('mt.lock'));
    expect(() => openMytokenFile(at('mt'))).toThrow(
      expect.objectContaining({
        code: 'CRED_FILE_IO',
        message: expect.stringMatching(/^a new mytoken could not be stored beside .*\(EISDIR\)$/),
      }),
    );
  });

  it.runIf(process.geteuid?.() !== 0)('is not used in a directory that is read-only', () => {
    put('mt', ROTATING);
    chmodSync(directory, 0o500);
    try {
      expect(() => openMytokenFile(at('mt'))).toThrow(
        expect.objectContaining({ code: 'CRED_FILE_IO' }),
      );
    } finally {
      chmodSync(directory, 0o700);
    }
  });
});

describe('a mytoken that another process uses', () => {
  it('is read after that process has replaced it', async () => {
    put('mt', ROTATING);
    const script = `touch ${at('held')}; while [ ! -e ${at('go')} ]; do sleep 0.05; done; printf next > ${at('mt')}`;
    const holder = spawn('flock', [at('mt.lock'), 'sh', '-c', script], { stdio: 'ignore' });
    const ended = new Promise((resolve) => holder.once('exit', resolve));
    await waitUntil(() => existsSync(at('held')), { what: 'the lock' });
    // Opening blocks this process, so the other one is told to end before.
    spawn('sh', ['-c', `sleep 0.3; touch ${at('go')}`], { stdio: 'ignore' });
    expect(openMytokenFile(at('mt')).mytoken).toBe('next');
    await ended;
  });

  it('for too long is not used', async () => {
    put('mt', ROTATING);
    const holder = spawn('flock', [at('mt.lock'), 'sh', '-c', `touch ${at('held')}; sleep 60`], {
      stdio: 'ignore',
      detached: true,
    });
    try {
      await waitUntil(() => existsSync(at('held')), { what: 'the lock' });
      expect(() => openMytokenFile(at('mt'), 1)).toThrow(
        expect.objectContaining({ code: 'ISSUER_BUSY' }),
      );
    } finally {
      if (holder.pid !== undefined) process.kill(-holder.pid, 'SIGKILL');
    }
  });
});
