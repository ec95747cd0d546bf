// The log file on disk: rotation by HTCondor's knobs without losing a line.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_STYLE } from '../../src/log/line-format.ts';
import { type LogOptions } from '../../src/log/settings.ts';
import { openLog } from '../../src/log/logger.ts';

let path: string;
beforeEach(() => {
  path = join(mkdtempSync(join(tmpdir(), 'credmon-log-')), 'Log');
});

const options = (change: Partial<LogOptions> = {}): LogOptions => ({
  path,
  stderr: false,
  debug: false,
  maxBytes: 0,
  maxSeconds: 0,
  maxSaved: 1,
  truncate: false,
  mode: 0o640,
  style: DEFAULT_STYLE,
  ...change,
});

describe('the log file', () => {
  it('contains debug messages only on request', async () => {
    const log = await openLog(options());
    log.debug('hidden');
    log.info('shown');
    log.reopen(options({ debug: true }));
    log.debug('now shown');
    log.close();
    expect(readFileSync(path, 'utf8')).toMatch(/^\S+ \S+ shown\n\S+ \S+ now shown\n$/);
  });

  it('says of an audit line whether it was written', async () => {
    const log = await openLog(options());
    expect(log.audit('one')).toBe(true);
    log.close();
    expect(log.audit('two')).toBe(false);
    const full = await openLog(options({ path: '/dev/full' }));
    expect(full.audit('three')).toBe(false);
    full.close();
    expect(readFileSync(path, 'utf8')).toMatch(/^\S+ \S+ WARN: Audit: one\n$/);
  });

  it('without a destination no audit line is written', async () => {
    expect((await openLog(options({ path: undefined }))).audit('one')).toBe(false);
  });

  it('R45 is created again after it was moved away or removed, also without new options', async () => {
    const log = await openLog(options());
    log.info('first');
    renameSync(path, `${path}.1`);
    log.info('to the moved file');
    log.reopen();
    log.info('second');
    rmSync(path);
    log.reopen(options());
    log.info('third');
    log.close();
    expect([readFileSync(`${path}.1`, 'utf8'), readFileSync(path, 'utf8')]).toEqual([
      expect.stringMatching(/first\n.*to the moved file\n$/),
      expect.stringMatching(/^\S+ \S+ third\n$/),
    ]);
  });

  it('R45 stays in the moved file when no new one can be created', async () => {
    const log = await openLog(options());
    renameSync(join(path, '..'), `${join(path, '..')}.away`);
    expect(() => log.reopen()).toThrow(/cannot be opened \(ENOENT\)/);
    log.info('kept');
    log.close();
    expect(readFileSync(join(`${join(path, '..')}.away`, 'Log'), 'utf8')).toContain('kept');
  });

  it('is rotated by age although it is reopened repeatedly', async () => {
    const log = await openLog(options({ maxSeconds: 0.05 }));
    const end = Date.now() + 10_000;
    while (Date.now() < end && !readdirSync(join(path, '..')).includes('Log.old')) {
      log.reopen();
      log.info('line');
    }
    log.close();
    expect(readdirSync(join(path, '..'))).toContain('Log.old');
  });

  it('saves a full log as .old and loses no line of 3,000', async () => {
    const log = await openLog(options({ maxBytes: 100_000 }));
    for (let index = 0; index < 3000; index += 1) log.info(`line ${index} ${'x'.repeat(30)}`);
    log.close();
    const text = readFileSync(`${path}.old`, 'utf8') + readFileSync(path, 'utf8');
    expect([...text.matchAll(/line (\d+) /g)].map((match) => Number(match[1]))).toEqual(
      Array.from({ length: 3000 }, (_, index) => index),
    );
    expect(text).toMatch(/MaxLog = 100000 bytes, length = \d+/);
    expect(text).toContain(`Saving log file to "${path}.old"`);
    expect(readFileSync(path, 'utf8')).toContain(`Now in new log file ${path}`);
  });

  it('keeps as many saved logs as MAX_NUM says', async () => {
    const log = await openLog(options({ maxBytes: 10, maxSaved: 2 }));
    for (let index = 0; index < 20; index += 1) log.info('x'.repeat(20));
    log.close();
    expect(
      readdirSync(join(path, '..')).filter((name) => /^Log\.\d{8}T\d{6}$/.test(name)).length,
    ).toBeLessThanOrEqual(2);
  });

  it('continues in the same file when a full log cannot be rotated', async () => {
    mkdirSync(join(`${path}.old`, 'occupied'), { recursive: true });
    const log = await openLog(options({ maxBytes: 200 }));
    for (let index = 0; index < 30; index += 1) log.info(`line ${index}`);
    log.close();
    const text = readFileSync(path, 'utf8');
    expect([...text.matchAll(/line (\d+)$/gm)].map((match) => Number(match[1]))).toEqual(
      Array.from({ length: 30 }, (_, index) => index),
    );
    expect(text).toContain(`Cannot save log file to "${path}.old"`);
  });

  it('is truncated at start with TRUNC_..._ON_OPEN, not when it is reopened', async () => {
    const first = await openLog(options());
    first.info('before');
    first.close();
    const second = await openLog(options({ truncate: true }));
    second.info('one');
    second.reopen(options({ truncate: true }));
    second.info('two');
    second.close();
    expect(readFileSync(path, 'utf8')).toMatch(/^\S+ \S+ one\n\S+ \S+ two\n$/);
  });

  it('rejects a file that cannot be opened with LOG_UNWRITABLE', async () => {
    await expect(openLog(options({ path: '/proc/no/such/log' }))).rejects.toThrow(
      expect.objectContaining({ code: 'LOG_UNWRITABLE' }),
    );
  });
});
