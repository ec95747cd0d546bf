// A path that only root can bend.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { inDirectory } from '../src/safe-directory.ts';

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'credmon-safe-'));
  for (const [name, mode] of [
    ['home', 0o777],
    ['home/tokens', 0o755],
    ['target', 0o755],
    ['ours', 0o755],
  ] as const) {
    mkdirSync(join(root, name));
    chmodSync(join(root, name), mode);
  }
  symlinkSync('../target', join(root, 'home/relative'));
  symlinkSync(join(root, 'target'), join(root, 'home/absolute'));
  symlinkSync('../target', join(root, 'ours/link'));
  symlinkSync('loop', join(root, 'ours/loop'));
});
const write = (directory: string): void =>
  inDirectory(`${root}/${directory}`, (path) => writeFileSync(join(path, 'token'), directory));

describe('a directory that is reached safely', () => {
  it.each(['home/tokens', 'ours/link', 'target', 'home/../target'])('%s is written to', (directory) => {
    write(directory);
    const landed = directory === 'home/tokens' ? directory : 'target';
    expect(readFileSync(join(root, landed, 'token'), 'utf8')).toBe(directory);
  });

  it.each(['home/relative', 'home/absolute', 'home/absolute/.', 'ours/loop'])(
    '%s is refused: somebody else could have made the link',
    (directory) => {
      expect(() => write(directory)).toThrow(/is a link that another user could change|ELOOP/);
      expect(() => readFileSync(join(root, 'target/token'))).toThrow('ENOENT');
    },
  );

  it('is the same one when its name is given to another meanwhile', () => {
    inDirectory(join(root, 'home/tokens'), (path) => {
      renameSync(join(root, 'home/tokens'), join(root, 'home/away'));
      symlinkSync('../target', join(root, 'home/tokens'));
      writeFileSync(join(path, 'token'), 'x');
    });
    expect(readFileSync(join(root, 'home/away/token'), 'utf8')).toBe('x');
  });

  it.each([
    ['nowhere', 'ENOENT'],
    ['target/file', 'ENOTDIR'],
  ])('%s says what the system says', (directory, code) => {
    writeFileSync(join(root, 'target/file'), '');
    expect(() => write(directory)).toThrow(code);
  });
});
