// Paths that only root can redirect.
import {
  chmodSync,
  chownSync,
  lchownSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { inDirectory, inSubdirectory, openBelow } from '../../../src/base/files/safe-directory.ts';

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

describe('a link in a sticky directory, as in volumes of container orchestrators', () => {
  const volume = (): string => {
    const path = join(root, 'volume');
    mkdirSync(join(path, '..2026_08_02'), { recursive: true });
    chmodSync(path, 0o1777);
    symlinkSync('..2026_08_02', join(path, '..data'));
    return path;
  };
  it('is followed when it is ours', () => {
    const path = volume();
    inDirectory(join(path, '..data'), (here) => writeFileSync(join(here, 'token'), 'x'));
    expect(readFileSync(join(path, '..2026_08_02/token'), 'utf8')).toBe('x');
  });

  it.runIf(process.getuid?.() === 0)(
    'is rejected when another user owns it or the directory',
    () => {
      const path = volume();
      lchownSync(join(path, '..data'), 64_001, 0);
      expect(() => inDirectory(join(path, '..data'), () => undefined)).toThrow(
        'another user could change',
      );
      lchownSync(join(path, '..data'), 0, 0);
      chownSync(path, 64_001, 0);
      expect(() => inDirectory(join(path, '..data'), () => undefined)).toThrow(
        'another user could change',
      );
    },
  );

  it('is rejected when it has a second name: another user could have put it there', () => {
    const path = volume();
    linkSync(join(path, '..data'), join(root, 'second'));
    expect(() => inDirectory(join(path, '..data'), () => undefined)).toThrow(
      'another user could change',
    );
  });
});

describe('a subdirectory', () => {
  it('is opened, but never through a link, whoever created it', () => {
    expect(inSubdirectory(root, 'ours', (path) => readdirSync(path))).toEqual(['link', 'loop']);
    expect(() => inSubdirectory(join(root, 'ours'), 'link', () => undefined)).toThrow('ENOTDIR');
  });
});

describe('a directory below another one', () => {
  it('is opened in one call, or name by name, but never through a link as its own name', () => {
    for (const parent of ['home', 'home/../home', 'ours/link/../home']) {
      const directory = openBelow(`${root}/${parent}`, 'tokens');
      expect(readlinkSync(directory.path)).toBe(join(root, 'home/tokens'));
      directory.close();
    }
    expect(() => openBelow(join(root, 'ours'), 'link')).toThrow('ENOTDIR');
    expect(() => openBelow(join(root, 'home/absolute'), 'x')).toThrow('another user could change');
    expect(() => openBelow(root, 'nowhere')).toThrow('ENOENT');
  });
});

describe('a directory with a safe path', () => {
  it.each(['home/tokens', 'ours/link', 'target', 'home/../target'])(
    '%s can be written to',
    (directory) => {
      write(directory);
      const landed = directory === 'home/tokens' ? directory : 'target';
      expect(readFileSync(join(root, landed, 'token'), 'utf8')).toBe(directory);
    },
  );

  it.each(['home/relative', 'home/absolute', 'home/absolute/.', 'ours/loop'])(
    '%s is rejected: another user could have created the link',
    (directory) => {
      expect(() => write(directory)).toThrow(
        /is a symbolic link that another user could change|ELOOP/,
      );
      expect(() => readFileSync(join(root, 'target/token'))).toThrow('ENOENT');
    },
  );

  it('is the same one after its name is given to another directory', () => {
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
  ])('%s gives the error of the system', (directory, code) => {
    writeFileSync(join(root, 'target/file'), '');
    expect(() => write(directory)).toThrow(code);
  });
});
