// The key pair of the local signer after a kill: whatever was left, both halves fit
// again, and nothing else is left.
import { spawnSync } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeyPair, recoverKeyPair } from '../../src/host/local-files.ts';

let directory: string;
let priv: string;
let pub: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-pair-'));
  [priv, pub] = [join(directory, 'priv.pem'), join(directory, 'pub.pem')];
  createKeyPair(priv, pub);
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const DEAD = spawnSync('true').pid;
const temporary = (target: string, pid = DEAD): string =>
  join(directory, `.${target}.${pid}.2.credmon-tmp`);
const fits = (): boolean =>
  createPublicKey(readFileSync(priv)).equals(createPublicKey(readFileSync(pub))) &&
  (statSync(priv).mode & 0o777) === 0o600 &&
  (statSync(pub).mode & 0o777) === 0o644;

describe('R20 a key pair', () => {
  it('that is complete is unchanged', () => {
    const before = readFileSync(priv, 'utf8');
    expect([recoverKeyPair(priv, pub), readdirSync(directory)]).toEqual([
      [],
      ['priv.pem', 'pub.pem'],
    ]);
    expect([readFileSync(priv, 'utf8'), fits()]).toEqual([before, true]);
  });

  it('without its public half gets a new one from the private key', () => {
    renameSync(pub, temporary('pub.pem'));
    truncateSync(temporary('pub.pem'), 20);
    expect([recoverKeyPair(priv, pub), fits()]).toEqual([['public'], true]);
    expect(readdirSync(directory)).toEqual(['priv.pem', 'pub.pem']);
  });

  it.each([
    ['of a process that is gone', DEAD, 0],
    ['with our own process id, of an earlier process', process.pid, 0],
    ['with the process id of a living process, but too old to be its own', process.ppid, 100],
  ])('whose private key is whole in a temporary file %s gets it from there', (_, pid, age) => {
    const left = temporary('priv.pem', pid);
    renameSync(priv, left);
    const then = Date.now() / 1000 - age;
    utimesSync(left, then, then);
    expect([recoverKeyPair(priv, pub), fits()]).toEqual([['private'], true]);
    expect(readdirSync(directory)).toEqual(['priv.pem', 'pub.pem']);
  });

  it('keeps the temporary file of a living process', () => {
    renameSync(priv, temporary('priv.pem', process.ppid));
    expect([recoverKeyPair(priv, pub), existsSync(priv)]).toEqual([[], false]);
    expect(existsSync(temporary('priv.pem', process.ppid))).toBe(true);
  });

  it.each<[string, () => void]>([
    ['that is cut short', () => truncateSync(temporary('priv.pem'), 60)],
    ['that is empty', () => truncateSync(temporary('priv.pem'), 0)],
    ['that others can read', () => chmodSync(temporary('priv.pem'), 0o644)],
    [
      'of another pair',
      () => {
        const other = mkdtempSync(join(directory, 'other-'));
        createKeyPair(join(other, 'a'), join(other, 'b'));
        renameSync(join(other, 'a'), temporary('priv.pem'));
        rmSync(other, { recursive: true });
      },
    ],
    [
      'that is a link',
      () => {
        renameSync(temporary('priv.pem'), join(directory, 'elsewhere'));
        symlinkSync('elsewhere', temporary('priv.pem'));
      },
    ],
  ])('takes no private key from a file %s, and removes that', (_, spoil) => {
    renameSync(priv, temporary('priv.pem'));
    spoil();
    expect([recoverKeyPair(priv, pub), existsSync(priv)]).toEqual([[], false]);
    expect(readdirSync(directory).filter((name) => name.startsWith('.'))).toEqual([]);
  });

  it('with only temporary files is not recovered: it was never used', () => {
    renameSync(priv, temporary('priv.pem'));
    renameSync(pub, temporary('pub.pem'));
    expect([recoverKeyPair(priv, pub), readdirSync(directory)]).toEqual([[], []]);
  });

  it('with a public half that cannot be written is not created', () => {
    rmSync(priv);
    expect(() => createKeyPair(priv, join(directory, 'none/pub.pem'))).toThrow(/ENOENT/);
    expect(readdirSync(directory)).toEqual(['pub.pem']);
  });
});
