// The log file: its lines, its one old file, and a path that cannot be.
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLog } from '../src/logger.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-log-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('the log', () => {
  it("has HTCondor's lines, and nobody can forge one", () => {
    const file = join(directory, 'log');
    const log = openLog({ file, maxBytes: 0, debug: false });
    log.info('one');
    log.warn('two\n11/23/26 10:00:00 forged');
    log.error('three');
    log.debug('not asked for');
    log.close();
    const lines = readFileSync(file, 'utf8').split('\n');
    expect(lines.map((line) => line.replace(/^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d /, ''))).toEqual([
      'one',
      'WARN: two 11/23/26 10:00:00 forged',
      'ERROR: three',
      '',
    ]);
  });

  it('keeps one old file when it is full, and loses no line', () => {
    const file = join(directory, 'log');
    const log = openLog({ file, maxBytes: 100, debug: true });
    for (const text of ['a', 'b', 'c']) log.debug(text.repeat(60));
    log.close();
    const all = readFileSync(`${file}.old`, 'utf8') + readFileSync(file, 'utf8');
    expect(all.match(/[abc]{60}/g)).toEqual(['a', 'b', 'c'].map((text) => text.repeat(60)));
  });

  it('goes on in a new file after the old one was moved away', () => {
    const file = join(directory, 'log');
    const log = openLog({ file, maxBytes: 0, debug: false });
    log.info('before');
    renameSync(file, `${file}.1`);
    log.reopen();
    log.info('after');
    log.close();
    expect([readFileSync(`${file}.1`, 'utf8'), readFileSync(file, 'utf8')]).toEqual([
      expect.stringMatching(/ before\n$/),
      expect.stringMatching(/ after\n$/),
    ]);
  });

  it('R13 goes on in the full file when it cannot be put aside', () => {
    const file = join(directory, 'log');
    mkdirSync(join(directory, 'log.old', 'in the way'), { recursive: true });
    const log = openLog({ file, maxBytes: 1, debug: false });
    for (const text of ['one', 'two']) log.info(text);
    log.close();
    expect(readFileSync(file, 'utf8')).toMatch(/ one\n.* two\n$/);
  });

  it('refuses a path that cannot be opened', () => {
    expect(() => openLog({ file: join(directory, 'no/log'), maxBytes: 0, debug: false })).toThrow(
      'CREDMON_WEB_LOG',
    );
  });
});
