// An environment for the commands: a temporary directory, a fixed time, and no network
// unless given.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import { CodedError, type Send } from '@credmon/core/base';
import type { Io } from '../../src/cli/io.ts';
import { NOW, steadyRandom } from '../testing.ts';

/** The output of the commands. */
export interface FakeIo extends Io {
  readonly directory: string;
  readonly stdout: () => string;
  readonly stderr: () => string;
  readonly path: (name: string) => string;
}

/** Creates an environment; `input` is the piped input. */
export function fakeIo(
  options: { input?: string; environment?: Record<string, string>; send?: Send; now?: number } = {},
): FakeIo {
  const directory = mkdtempSync(join(tmpdir(), 'scitokens-cli-'));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  const printed = { out: '', error: '' };
  const readIfThere = (path: string): string | undefined =>
    existsSync(path) ? readFileSync(path, 'utf8') : undefined;
  return {
    directory,
    environment: { HOME: directory, ...options.environment },
    userId: 424242,
    now: () => options.now ?? NOW,
    random: steadyRandom,
    send:
      options.send ??
      (() => Promise.reject(new CodedError('ISSUER_UNREACHABLE', 'no network here'))),
    out: (text) => void (printed.out += text),
    error: (text) => void (printed.error += text),
    isPiped: () => options.input !== undefined,
    readInput: () => options.input ?? '',
    readFile(path) {
      const text = readIfThere(path);
      if (text === undefined) throw new CodedError('TOKEN_UNREADABLE', `${path} does not exist`);
      return text;
    },
    readIfThere,
    listDirectory: (path) => (existsSync(path) ? readdirSync(path) : []),
    exists: existsSync,
    writeFile: (path, text, mode) => writeFileSync(path, text, { mode }),
    stdout: () => printed.out,
    stderr: () => printed.error,
    path: (name) => join(directory, name),
  };
}
