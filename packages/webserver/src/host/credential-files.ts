// The credential directory for the portal: reads key files, and writes the files of each
// token.
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
  type Stats,
  statSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import {
  KEY_FILE_NAME,
  MAX_KEY_FILE_BYTES,
  STATE_KINDS,
  classifyUserEntry,
  tokenFileName,
  type TokenFileKind,
} from '@credmon/core/credential';
import { readCredentialFile, type FileReading } from '@credmon/core/store';
import {
  CodedError,
  createYielder,
  inHeldDirectory,
  inSubdirectory,
  messageOf,
  readSafely,
  rememberFiles,
  stageFile,
  syncDirectory,
  systemCode,
  type StagedFile,
} from '@credmon/core/base';
import type {
  CredentialFiles,
  KeyReading,
  StoredToken,
  TokenInStore,
  TokenTexts,
} from '../flow/ports.ts';

/** Commit order: CredD checks only `.top`, so it is committed last. */
const COMMIT_ORDER = ['meta', 'issued', 'use', 'top'] as const satisfies readonly TokenFileKind[];

/**
 * Opens the credential directory `directory`, a path without links. Links inside it are
 * never followed.
 */
export function openCredentialFiles(directory: string): CredentialFiles {
  const inside = <T>(what: string, act: (here: string) => T): T =>
    guard(what, () => inHeldDirectory(directory, act));
  const keys = rememberFiles<KeyReading>(MOST_KEYS, KEY_SECONDS);
  const homes = rememberFiles<Map<string, boolean>>(MOST_HOMES);
  return {
    readKey(key) {
      const found = lookAt(keyPath(directory, key));
      const known = found !== 'missing' && found && keys.recall(key, found);
      if (known) return known;
      const { status, reading } = inside('read the key file', (here) => {
        // An error of the system is much dearer than a look.
        if (found === 'missing') throw noKey();
        return readKey(keyPath(here, key));
      });
      if (status.size <= MOST_KEY_BYTES) keys.keep(key, status, reading);
      return reading;
    },
    whyMissing(key) {
      if (!KEY_FILE_NAME.test(key)) return noKeyName();
      if (keys.has(key) || lookAt(`${directory}/${key}`) !== 'missing') return undefined;
      // The file may be missing because the directory is.
      inside('read the key file', () => undefined);
      return NO_KEY;
    },
    removeKey: (key) =>
      inside('remove the key file', (here) => rmSync(keyPath(here, key), { force: true })),
    tokensOf(user) {
      const found = lookAt(`${directory}/${user}`);
      const known = found !== 'missing' && found && homes.recall(user, found);
      const look = (home: string, stem: string): boolean => {
        // The stat comes first: what is seen is of this state or a later one.
        const status = statSync(`${home}/.`);
        const path = join(home, tokenFileName(stem, 'top'));
        const isThere = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
        const seen = homes.recall(user, status) ?? new Map<string, boolean>();
        homes.keep(user, status, seen.set(stem, isThere));
        return isThere;
      };
      return (stem) =>
        (known && known.get(stem)) ??
        inside(`check ${stem} of ${user}`, (here) =>
          inHome(here, user, (home) => look(home, stem)),
        ) ??
        false;
    },
    readToken(user, stem) {
      const look = (home: string): StoredToken => readToken(home, stem);
      return inside(`check ${stem} of ${user}`, (here) => inHome(here, user, look)) ?? NO_TOKEN;
    },
    writeToken(user, stem, texts, expected) {
      const check = (home: string) => (): void => {
        if (expected !== undefined && topVersion(readTop(home, stem)) !== expected)
          throw superseded(user, stem);
      };
      inside(`write the token ${stem} of ${user}`, (here) => {
        makeUserDirectory(join(here, user), user);
        inSubdirectory(here, user, (home) => writeFiles(home, stem, texts, check(home)));
      });
    },
    async someToken(test) {
      const yieldIfDue = createYielder();
      for (const user of inside('list the credential directory', usersIn)) {
        const look = (home: string): boolean => tokensIn(home).some(test);
        if (inside(`read the tokens of ${user}`, (here) => inHome(here, user, look)) === true)
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

/** Returns the tokens with a `.top` in the directory of a user. */
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
 * Runs `act` in the directory of a user; `undefined` if there is no such directory.
 * @throws CodedError `CRED_DIR_INVALID` if it is a link or a file
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
  if (!KEY_FILE_NAME.test(key)) throw noKeyName();
  return `${directory}/${key}`;
}

const noKey = (): CodedError => new CodedError('KEY_FILE_MISSING', 'key file not found');
const noKeyName = (): CodedError =>
  new CodedError('KEY_FILE_MISSING', 'this is not the name of a key file');

/** Made once, for the many requests of a scanner: the stack is most of the work. */
const NO_KEY = noKey();

/** How many key files are remembered, up to which size in bytes. */
const MOST_KEYS = 200;
const MOST_KEY_BYTES = 16_384;
/** How long, in seconds: they contain client secrets. */
const KEY_SECONDS = 60;
/** Of the directories of so many users it is remembered which tokens they have. */
const MOST_HOMES = 200;

/**
 * Returns the stat of a path, to compare it with what was opened safely before; `undefined`
 * if that fails: to open it gives the reason.
 */
function lookAt(path: string): Stats | 'missing' | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false }) ?? 'missing';
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Opens the file before checking it, so that it cannot be swapped in between. A FIFO does
 * not block the server.
 */
function readKey(path: string): { readonly reading: KeyReading; readonly status: Stats } {
  let descriptor: number;
  try {
    descriptor = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    const code = systemCode(error);
    if (code === 'ENOENT') throw noKey();
    if (code === 'ELOOP')
      throw new CodedError('KEY_FILE_INVALID', 'invalid key file: it is a link');
    if (code === 'EACCES') throw unreadableKey(error);
    throw unusable('read the key file', error);
  }
  try {
    const status = fstatSync(descriptor);
    if (!status.isFile())
      throw new CodedError('KEY_FILE_INVALID', 'invalid key file: it is not a regular file');
    if (status.size > MAX_KEY_FILE_BYTES)
      throw new CodedError('KEY_FILE_INVALID', 'invalid key file: it is too large');
    const bytes = guard('read the key file', () => readFileSync(descriptor));
    return { reading: { bytes, modifiedAt: status.mtimeMs / 1000 }, status };
  } finally {
    closeSync(descriptor);
  }
}

function makeUserDirectory(home: string, user: string): void {
  try {
    mkdirSync(home, { mode: 0o700 });
    // Otherwise a power failure could remove the directory and the refresh token in it.
    syncDirectory(dirname(home));
    return;
  } catch (error) {
    if (systemCode(error) !== 'EEXIST')
      throw unusable(`create the credential directory of ${user}`, error);
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
  return {
    version: topVersion(top),
    top: textOf(top),
    topModifiedAt: top.kind === 'text' ? top.identity.mtime : undefined,
    use,
    meta,
    renewal,
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
    `${stem} of ${user} was not written: .top has changed meanwhile`,
    {
      user,
      token: stem,
    },
  );
}

/**
 * Writes the files of a token. `.top` is written first and renamed last: it becomes
 * visible last and is never newer than `.use`. `check` runs just before the renames.
 */
function writeFiles(home: string, stem: string, texts: TokenTexts, check: () => void): void {
  const staged = new Map<TokenFileKind, StagedFile>();
  try {
    for (const kind of COMMIT_ORDER.toReversed()) {
      const text = texts[kind];
      if (text === undefined) continue;
      const path = join(home, tokenFileName(stem, kind));
      const mode = STATE_KINDS.has(kind) ? 0o600 : 0o400;
      staged.set(kind, stageFile(path, text, { mode, durable: true }));
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

/** CredD writes key files as condor; an older one wrote them as root. */
function unreadableKey(error: unknown): CodedError {
  return new CodedError(
    'CRED_FILE_IO',
    'cannot read the key file: permission denied (EACCES); fix: run the portal as the user ' +
      'condor; if root owns the key file: chgrp condor and chmod 640 it',
    {},
    error,
  );
}

function unusable(what: string, error: unknown): CodedError {
  return new CodedError(
    'CRED_FILE_IO',
    `cannot ${what}: ${systemCode(error) ?? messageOf(error)}`,
    {},
    error,
  );
}

/**
 * Reads a text file that the knob `what` names.
 * @throws CodedError `CRED_FILE_IO`
 */
export function readTextFile(path: string, what: string): string {
  const reading = readSafely(path);
  if (reading.kind === 'text') return reading.text;
  const why = reading.kind === 'missing' ? 'ENOENT' : reading.reason;
  throw new CodedError('CRED_FILE_IO', `cannot read ${path} (${what}): ${why}`, { path });
}
