// The credential directory as the portal sees it: key files in, three files per token
// out.
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  mkdirSync,
  openSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  KEY_FILE_NAME,
  MAX_KEY_FILE_BYTES,
  classifyUserEntry,
  tokenFileName,
  type TokenFileKind,
} from '@credmon/core/credential';
import { readCredentialFile, type FileReading } from '@credmon/core/store';
import {
  CodedError,
  createYielder,
  inDirectory,
  inSubdirectory,
  messageOf,
  readSafely,
  stageFile,
  syncDirectory,
  systemCode,
  type StagedFile,
} from '@credmon/core/base';
import type { CredentialFiles, StoredToken, TokenInStore, TokenTexts } from '../flow/ports.ts';

/** Commit order: CredD judges by `.top` alone, so it comes last. */
const COMMIT_ORDER = ['meta', 'use', 'top'] as const satisfies readonly TokenFileKind[];

/**
 * The credential directory at `directory`, a path without links. Nothing in it is reached
 * through a link, whoever made that.
 */
export function openCredentialFiles(directory: string): CredentialFiles {
  const inside = <T>(what: string, act: (here: string) => T): T =>
    guard(what, () => inDirectory(directory, act));
  return {
    readKey: (key) => inside('read the key file', (here) => readKey(keyPath(here, key))),
    removeKey: (key) =>
      inside('remove the key file', (here) => rmSync(keyPath(here, key), { force: true })),
    hasToken(user, stem) {
      const look = (home: string): boolean =>
        lstatSync(join(home, tokenFileName(stem, 'top')), { throwIfNoEntry: false }) !== undefined;
      return inside(`look for ${stem} of ${user}`, (here) => inHome(here, user, look)) ?? false;
    },
    readToken(user, stem) {
      const look = (home: string): StoredToken => readToken(home, stem);
      return inside(`look for ${stem} of ${user}`, (here) => inHome(here, user, look)) ?? NO_TOKEN;
    },
    writeToken(user, stem, texts, expected) {
      const check = (home: string) => (): void => {
        if (expected !== undefined && topVersion(readTop(home, stem)) !== expected)
          throw superseded(user, stem);
      };
      inside(`write the token ${stem} of ${user}`, (here) => {
        makeUserDirectory(join(here, user), user);
        inSubdirectory(here, user, (home) => writeThree(home, stem, texts, check(home)));
      });
    },
    async someToken(test) {
      const yieldIfDue = createYielder();
      for (const user of inside('list the credential directory', usersIn)) {
        const look = (home: string): boolean => tokensIn(home).some(test);
        if (inside(`look at the tokens of ${user}`, (here) => inHome(here, user, look)) === true)
          return true;
        await yieldIfDue();
      }
      return false;
    },
  };
}

const usersIn = (here: string): string[] =>
  readdirSync(here, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);

/** The tokens whose `.top` is in a user's directory. */
function tokensIn(home: string): TokenInStore[] {
  return readdirSync(home)
    .map(classifyUserEntry)
    .flatMap((entry) => (entry.kind === 'top' ? [entry.stem] : []))
    .map((stem) => ({
      stem,
      read: (kind) => textOf(readCredentialFile(join(home, tokenFileName(stem, kind)))),
    }));
}

const NO_TOKEN: StoredToken = { version: 'missing' };

/**
 * What `act` finds in a user's directory; nothing when there is none.
 * @throws CodedError `CRED_DIR_INVALID` for a link or file in its place
 */
function inHome<T>(here: string, user: string, act: (home: string) => T): T | undefined {
  try {
    return inSubdirectory(here, user, act);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') return undefined;
    throw code === 'ENOTDIR' ? notADirectory(user) : error;
  }
}

function keyPath(directory: string, key: string): string {
  if (!KEY_FILE_NAME.test(key))
    throw new CodedError('KEY_FILE_MISSING', 'that is not the name of a key file');
  return join(directory, key);
}

/**
 * Opens first and looks then, so that nobody can swap the file between; a FIFO does not
 * hold the server up.
 */
function readKey(path: string): { bytes: Uint8Array; modifiedAt: number } {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT')
      throw new CodedError('KEY_FILE_MISSING', 'there is no key file of that name');
    if (code === 'ELOOP')
      throw new CodedError('KEY_FILE_INVALID', 'invalid key file: it is a link');
    throw unusable('read the key file', error);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile())
      throw new CodedError('KEY_FILE_INVALID', 'invalid key file: it is not a regular file');
    if (status.size > MAX_KEY_FILE_BYTES)
      throw new CodedError('KEY_FILE_INVALID', 'invalid key file: it is too large');
    return {
      bytes: guard('read the key file', () => readFileSync(descriptor)),
      modifiedAt: status.mtimeMs / 1000,
    };
  } finally {
    closeSync(descriptor);
  }
}

function makeUserDirectory(home: string, user: string): void {
  try {
    mkdirSync(home, { mode: 0o700 });
    // Else a power failure could take the directory away, with the refresh token in it.
    syncDirectory(dirname(home));
    return;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST')
      throw unusable(`make the credential directory of ${user}`, error);
  }
  if (lstatSync(home, { throwIfNoEntry: false })?.isDirectory() !== true) throw notADirectory(user);
}

function notADirectory(user: string): CodedError {
  return new CodedError(
    'CRED_DIR_INVALID',
    `the credential directory of ${user} is not a directory`,
    {
      user,
    },
  );
}

const readTop = (home: string, stem: string): FileReading =>
  readCredentialFile(join(home, tokenFileName(stem, 'top')));

function readToken(home: string, stem: string): StoredToken {
  const top = readTop(home, stem);
  const [use, meta, renewal] = (['use', 'meta', 'renewal'] as const).map((kind) =>
    textOf(readCredentialFile(join(home, tokenFileName(stem, kind)))),
  );
  const text = textOf(top);
  return {
    version: topVersion(top),
    ...(text === undefined ? {} : { top: text }),
    ...(top.kind === 'text' ? { topModifiedAt: top.identity.mtime } : {}),
    ...(use === undefined ? {} : { use }),
    ...(meta === undefined ? {} : { meta }),
    ...(renewal === undefined ? {} : { renewal }),
  };
}

const textOf = (reading: FileReading): string | undefined =>
  reading.kind === 'text' ? reading.text : undefined;

function topVersion(top: FileReading): string {
  if (top.kind === 'missing' || top.identity === undefined) return top.kind;
  const { ino, mtime, size } = top.identity;
  return [ino, mtime, size].join();
}

function superseded(user: string, stem: string): CodedError {
  return new CodedError(
    'CRED_SUPERSEDED',
    `${stem} of ${user} was not written: .top has just changed`,
    {
      user,
      token: stem,
    },
  );
}

/**
 * `.top` is written first and renamed last: it becomes visible last, and is never newer
 * than `.use`. `check` has the last word.
 */
function writeThree(home: string, stem: string, texts: TokenTexts, check: () => void): void {
  const staged = new Map<TokenFileKind, StagedFile>();
  try {
    for (const kind of COMMIT_ORDER.toReversed()) {
      const text = texts[kind];
      if (text === undefined) continue;
      const path = join(home, tokenFileName(stem, kind));
      staged.set(kind, stageFile(path, text, { mode: 0o400, durable: true }));
    }
    check();
    for (const kind of COMMIT_ORDER) staged.get(kind)?.commit();
    syncDirectory(home);
  } catch (error) {
    for (const file of staged.values()) file.discard();
    throw error;
  }
}

function guard<T>(what: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw error instanceof CodedError ? error : unusable(what, error);
  }
}

function unusable(what: string, error: unknown): CodedError {
  return new CodedError(
    'CRED_FILE_IO',
    `cannot ${what}: ${systemCode(error) ?? messageOf(error)}`,
    {},
    error,
  );
}

/** The text of a file that `what` (a knob) names. @throws CodedError `CRED_FILE_IO` */
export function readTextFile(path: string, what: string): string {
  const reading = readSafely(path);
  if (reading.kind === 'text') return reading.text;
  const why = reading.kind === 'missing' ? 'ENOENT' : reading.reason;
  throw new CodedError('CRED_FILE_IO', `cannot read ${path} (${what}): ${why}`, { path });
}
