// The loader in processes of its own, with a small program of three parts.
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { CACHE_DIRECTORY, COMMENT_END } from '../../../src/base/process/part-loader.ts';

const loader = fileURLToPath(new URL('../../../dist/base/process/part-loader.js', import.meta.url));
const PARTS = {
  main: `require('./shared');console.log(require('node:path').basename(__partUrl), /a*@/.test('aa'));`,
  shared: 'exports.value = 1;',
  unused: 'this is not JavaScript',
};

let directory: string;
let file: string;
let program: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-parts-'));
  file = join(directory, 'program.parts');
  let at = 0;
  const parts = Object.entries(PARTS).map(([name, text]) => {
    at += text.length;
    return [name, [at - text.length, text.length]];
  });
  writeFileSync(file, Object.values(PARTS).join(''));
  const table = { build: 'program.1', main: 'main', parts: Object.fromEntries(parts) };
  program = `import { runParts } from ${JSON.stringify(loader)}; runParts(${JSON.stringify(file)}, ${JSON.stringify(table)});`;
});

const run = (): string =>
  spawnSync(process.execPath, ['--input-type=module', '-e', program], { encoding: 'utf8' }).stdout;
const cache = (): string => join(directory, CACHE_DIRECTORY);
const kept = (): string[] =>
  existsSync(cache()) ? readdirSync(cache()).map((name) => name.split('-').at(-1) ?? '') : [];

describe('a program in parts', () => {
  it('reads only the parts that it needs, and keeps their compiled code', () => {
    expect(COMMENT_END).toBe('*@/');
    expect(run()).toBe('program.parts true\n');
    expect(kept().sort()).toEqual(['main', 'shared']);
  });

  it('uses compiled code that it finds, and ignores damaged code', () => {
    run();
    const path = join(cache(), readdirSync(cache()).find((name) => name.endsWith('-main')) ?? '');
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at += 97) {
      const damaged = Buffer.from(whole);
      damaged[at] = (damaged[at] ?? 0) ^ 0x10;
      writeFileSync(path, damaged);
      expect(run()).toBe('program.parts true\n');
      if (at > 97 * 8) break;
    }
    const rewritten = readFileSync(path);
    expect(run()).toBe('program.parts true\n');
    expect(readFileSync(path).equals(rewritten)).toBe(true);
  });

  it('neither reads nor writes where others can write', () => {
    run();
    chmodSync(cache(), 0o777);
    const [name = ''] = readdirSync(cache());
    writeFileSync(join(cache(), name), 'not trusted');
    expect(run()).toBe('program.parts true\n');
    expect(readFileSync(join(cache(), name), 'utf8')).toBe('not trusted');
  });

  it('keeps nothing below a directory that others can write', () => {
    chmodSync(directory, 0o777);
    expect(run()).toBe('program.parts true\n');
    expect(kept()).toEqual([]);
  });

  it.skipIf(process.getuid?.() !== 0)('keeps nothing beside a program of another user', () => {
    chownSync(file, 1, 1);
    expect(run()).toBe('program.parts true\n');
    expect(kept()).toEqual([]);
  });

  it('removes the compiled code of another build', () => {
    run();
    writeFileSync(join(cache(), 'program.0-v1-x64-main'), '');
    writeFileSync(join(cache(), 'other.0-v1-x64-main'), '');
    for (const name of readdirSync(cache()))
      if (name.endsWith('-shared')) writeFileSync(join(cache(), name), '');
    run();
    expect(readdirSync(cache()).filter((name) => name.includes('.0-'))).toEqual([
      'other.0-v1-x64-main',
    ]);
  });
});
