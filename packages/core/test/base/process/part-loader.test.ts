// The loader in processes of its own, with a small program of three parts.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { crc32, deflateRawSync } from 'node:zlib';
import { beforeEach, describe, expect, it } from 'vitest';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { CACHE_DIRECTORY } from '../../../src/base/process/part-loader.ts';

const loader = fileURLToPath(new URL('../../../dist/base/process/part-loader.js', import.meta.url));
const PARTS = {
  main: `require('./shared');console.log(require('node:path').basename(__partUrl), /a*/.test('aa'));`,
  shared: 'exports.value = 1;',
  unused: 'this is not JavaScript',
};

let directory: string;
let file: string;
let partsFile: string;
let program: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-parts-'));
  file = join(directory, 'program.cjs');
  make(PARTS);
});

/** Writes the files of a program with these parts. */
const make = (texts: Readonly<Record<string, string>>): void => {
  let at = 0;
  const packed = Object.values(texts).map((text) => deflateRawSync(Buffer.from(text, 'latin1')));
  const all = Buffer.concat(packed);
  const parts = Object.keys(texts).map((name, index) => {
    const length = packed[index]?.length ?? 0;
    at += length;
    return [name, [at - length, length]];
  });
  const build = `program.${crc32(all)}`;
  partsFile = join(directory, `${build}.parts`);
  writeFileSync(file, '');
  writeFileSync(partsFile, all);
  const table = { build, length: all.length, main: 'main', parts: Object.fromEntries(parts) };
  program = `import { createRequire } from 'node:module';
import { runParts } from ${JSON.stringify(loader)};
runParts(${[file, table].map((each) => JSON.stringify(each)).join()}, createRequire(import.meta.url));`;
};

const start = (...flags: readonly string[]): { stdout: string; stderr: string } =>
  spawnSync(process.execPath, [...flags, '--input-type=module', '-e', program], {
    encoding: 'utf8',
    timeout: PATIENCE * 1000,
  });
const run = (...flags: readonly string[]): string => start(...flags).stdout;
const cache = (): string => join(directory, CACHE_DIRECTORY);
const kept = (): string[] =>
  existsSync(cache()) ? readdirSync(cache()).map((name) => name.split('-').at(-1) ?? '') : [];
/** The path of the compiled code of a part that was needed on its own. */
const pathOf = (part: string): string =>
  join(cache(), readdirSync(cache()).find((name) => name.endsWith(`-${part}`)) ?? '');
const pathOfMain = (): string => pathOf('main');

/** A main part that overwrites the program's file, and then needs another part. */
const replacesItself = (): Record<string, string> => ({
  main: `const { readdirSync, writeFileSync } = require('node:fs');
for (const name of readdirSync(${JSON.stringify(directory)})) if (/^program/.test(name)) writeFileSync(${JSON.stringify(directory)} + '/' + name, 'another build'.repeat(99));console.log(require('./late').value);`,
  late: 'exports.value = "late";',
});

describe('a program in parts', () => {
  it('reads only the parts that it needs, and keeps their compiled code', () => {
    expect(run()).toBe('program.cjs true\n');
    expect(kept()).toEqual(['main']);
    const text = readFileSync(pathOfMain(), 'latin1');
    expect(text).toContain(PARTS.shared);
    expect(text).not.toContain(PARTS.unused);
  });

  it('keeps what is needed later on its own, and adds to it what another run needs', () => {
    const isSecond = `process.execArgv.includes('--no-deprecation')`;
    make({
      main: `setImmediate(() => { require('./late'); if (${isSecond}) setImmediate(() => require('./more')); });`,
      late: `if (${isSecond}) require('./first');`,
      first: 'exports.first = 1;',
      more: 'exports.more = 1;',
    });
    run();
    expect(kept().sort()).toEqual(['late', 'main']);
    run('--no-deprecation');
    expect(kept().sort()).toEqual(['late', 'main', 'more']);
    const late = readFileSync(pathOf('late'), 'latin1');
    expect(late).toContain(isSecond);
    expect(late).toContain('exports.first = 1;');
  });

  it('does not write again what only its own change of flags rejects', () => {
    make({
      main: `setImmediate(() => { require('v8').setFlagsFromString('--semi-space-growth-factor=1');
require('./late'); process.prependOnceListener('exit', () => require('v8').setFlagsFromString('--semi-space-growth-factor=2')); });`,
      late: 'exports.value = 1;',
    });
    run();
    const before = statSync(pathOf('late')).ino;
    run();
    expect(statSync(pathOf('late')).ino).toBe(before);
    run('--semi-space-growth-factor=3');
    expect(statSync(pathOf('late')).ino).not.toBe(before);
  });

  it('unpacks a part, and does not need it again when its compiled code is kept', () => {
    const text = "exports.value = 'é */';";
    make({ main: `console.log(require('./big').value);`, big: text });
    expect([run(), run()]).toEqual(['é */\n', 'é */\n']);
    expect(kept()).toEqual(['main']);
  });

  it('parses a table when it is first used, and keeps its text without compiled code', () => {
    make({
      main: `const table = require('./t.json'); setImmediate(() => { try { console.log(table.default.a); } catch (error) { console.log(error.name); } });`,
      't.json': '{"a":1}',
    });
    expect([run(), run()]).toEqual(['1\n', '1\n']);
    expect(readFileSync(pathOfMain(), 'latin1')).toContain('["t.json",7,0]');
    make({ main: `require('./t.json'); console.log('not parsed');`, 't.json': '{' });
    expect(run()).toBe('not parsed\n');
  });

  it('loads the larger modules of Node.js at their first use', () => {
    const isLoaded = `process.moduleLoadList.includes('NativeModule tls')`;
    const main = `const tls = require('node:tls'); const before = ${isLoaded};
const later = 'connect' in tls && typeof tls.connect === 'function' && Object.keys(tls).includes('connect');
const { isIP } = require('net');
console.log(before, later, ${isLoaded}, isIP('::1'), { ...tls }.connect === tls.connect);`;
    make({ main });
    expect(run()).toBe('false true true 6 true\n');
  });

  it('uses compiled code that it finds, and ignores damaged code', () => {
    run();
    const path = pathOfMain();
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 97) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(path, damaged);
      expect(run()).toBe('program.cjs true\n');
      if (at > 97 * 8) break;
    }
    const rewritten = readFileSync(path);
    expect(run()).toBe('program.cjs true\n');
    expect(readFileSync(path).equals(rewritten)).toBe(true);
  });

  it('neither reads nor writes where others can write', () => {
    run();
    chmodSync(cache(), 0o777);
    const [name = ''] = readdirSync(cache());
    writeFileSync(join(cache(), name), 'not trusted');
    expect(run()).toBe('program.cjs true\n');
    expect(readFileSync(join(cache(), name), 'utf8')).toBe('not trusted');
  });

  it('keeps nothing below a directory that others can write', () => {
    chmodSync(directory, 0o777);
    expect(run()).toBe('program.cjs true\n');
    expect(kept()).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)('keeps nothing beside a program of another user', () => {
    chownSync(file, 1, 1);
    expect(run()).toBe('program.cjs true\n');
    expect(kept()).toEqual([]);
  });

  it('removes the compiled code of another build', () => {
    run();
    writeFileSync(join(cache(), 'program.0-v1-x64-main'), '');
    writeFileSync(join(cache(), 'other.0-v1-x64-main'), '');
    for (const name of readdirSync(cache()))
      if (name.endsWith('-main')) writeFileSync(join(cache(), name), '');
    run();
    expect(readdirSync(cache()).filter((name) => name.includes('.0-'))).toEqual([
      'other.0-v1-x64-main',
    ]);
  });

  it('continues with its own parts when its file is replaced', () => {
    make(replacesItself());
    expect(run()).toBe('late\n');
  });

  it('keeps no compiled code beside the file of another build', () => {
    run();
    const before = kept().sort();
    make(replacesItself());
    expect(run()).toBe('late\n');
    expect(kept().sort()).toEqual(before);
  });

  it('does not run the parts of another build', () => {
    writeFileSync(partsFile, 'another build');
    expect(start()).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining(`${partsFile}, which belongs to this program, is damaged`),
    });
    rmSync(partsFile);
    expect(start()).toMatchObject({
      stdout: '',
      stderr: expect.stringContaining(`cannot read ${partsFile}, which belongs to this program`),
    });
  });

  it('evaluates a part again whose evaluation failed', () => {
    make({
      main: `try { require('./late'); } catch {} console.log(require('./late').value);`,
      late: 'globalThis.tried ??= 0; if (globalThis.tried++ === 0) throw 1; exports.value = 2;',
    });
    expect(run()).toBe('2\n');
  });

  it('waits for no writer of a FIFO, and uses no directory as compiled code', () => {
    run();
    const path = pathOfMain();
    rmSync(path);
    execFileSync('mkfifo', [path]);
    expect(run()).toBe('program.cjs true\n');
    rmSync(path);
    mkdirSync(path);
    expect(run()).toBe('program.cjs true\n');
  });

  it('leaves no temporary file when compiled code cannot be kept', () => {
    run();
    const path = pathOfMain();
    rmSync(path);
    mkdirSync(join(path, 'not-empty'), { recursive: true });
    run();
    expect(kept()).toEqual(['main']);
  });

  it('removes the temporary file of a killed process', () => {
    run();
    writeFileSync(`${pathOfMain()}.1.new`, '');
    rmSync(pathOfMain());
    run();
    expect(kept()).toEqual(['main']);
  });

  it('does not read below a directory that others can write', () => {
    run();
    const path = pathOfMain();
    writeFileSync(path, 'not trusted');
    chmodSync(directory, 0o777);
    expect(run()).toBe('program.cjs true\n');
    expect(readFileSync(path, 'utf8')).toBe('not trusted');
  });
});
