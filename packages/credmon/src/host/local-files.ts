// The local signer's files: keys, map files and key pairs on disk.
import { lstatSync, readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import {
  readSafely,
  shellWord,
  systemCode,
  systemRandom,
  type SafeReading,
} from '@credmon/core/base';
import type { Parsed } from '@credmon/core/credential';
import {
  activeKey,
  initKeyDirectory,
  publishInPlace,
  readKeyDirectory,
  rotateKeys,
} from '@credmon/scitokens';
import { createKeyPair, recoverKeyPair } from './key-pair.ts';
import type { KeyDirectories } from '../keys/rotation.ts';
import type { LocalPorts } from '../providers/local/ports.ts';
import { createLogOnce } from '../report/log-once.ts';

/** Key directories on disk. */
export const keyDirectories: KeyDirectories = {
  init: initKeyDirectory,
  read: readKeyDirectory,
  rotate: rotateKeys,
  publish: publishInPlace,
};

/** Maximum number of remembered warnings. */
const MOST_TEXTS = 1000;

/**
 * Creates the ports of the local signer; warnings go to `warn`, once until the problem
 * has ended.
 */
export function localFiles(warn: (text: string) => void): LocalPorts {
  const logged = createLogOnce(MOST_TEXTS);
  return {
    random: systemRandom,
    version,
    readText,
    readKey,
    readAll,
    activeKey,
    createKeyPair,
    recoverKeyPair,
    warn: (text, about = text) => logged.once(about, text, () => warn(text)),
    recovered: (about) => logged.forget(about),
  };
}

/** Includes the mode, because a chmod that fixes a key does not change its mtime. */
function version(path: string): string {
  const stats = statOf(path);
  if (stats === undefined || typeof stats === 'string') return stats ?? '';
  return `${stats.ino}:${stats.mtimeMs}:${stats.size}:${stats.mode}`;
}

/**
 * Returns a file's stats; `undefined` when it is missing; the error code when it cannot
 * be read or is a dangling link.
 */
function statOf(path: string): Stats | string | undefined {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats ?? (lstatSync(path, { throwIfNoEntry: false }) ? 'ENOENT' : undefined);
  } catch (error) {
    const code = systemCode(error);
    if (code === undefined) throw error;
    return code;
  }
}

/** Follows links, because orchestrators mount files as links. */
function readText(path: string): Parsed<string> {
  const reading = readSafely(path);
  return reading.kind === 'text' ? { ok: true, value: reading.text } : failure(reading);
}

function readKey(path: string): Parsed<string> {
  const reading = readSafely(path);
  if (reading.kind !== 'text') return failure(reading);
  if ((reading.mode & 0o007) === 0) return { ok: true, value: reading.text };
  return {
    ok: false,
    reason: `is open to every user; fix: chmod 600 ${shellWord(path)}, and replace the key`,
  };
}

function failure(reading: Exclude<SafeReading, { kind: 'text' }>): Parsed<string> {
  return { ok: false, reason: reading.kind === 'missing' ? 'is missing' : reading.reason };
}

function readAll(path: string): readonly string[] {
  const stats = statOf(path);
  if (stats === undefined || typeof stats === 'string') return [];
  const files = stats.isDirectory() ? namesIn(path).map((name) => join(path, name)) : [path];
  return files.flatMap((file) => {
    const text = readText(file);
    return text.ok ? [text.value] : [];
  });
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory).sort();
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return [];
  }
}
