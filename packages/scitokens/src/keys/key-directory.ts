// Signing keys on disk: one private file for each key and an index with their states. All
// changes follow the plan of rotation.ts.
import { chmodSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CodedError, makeDirectory, shellWord, writeFileAtomically } from '@credmon/core/base';
import { isAlgorithm, type Algorithm } from '../token/algorithms.ts';
import { isObject, type JsonObject } from '../token/compact.ts';
import { createKey, keyIdOf, type KeyIdStyle } from './create-key.ts';
import { writeJson, writeJwk, keySetText, publishedFiles } from './jwk.ts';
import { readSigningKey, writeKey } from './keys.ts';
import {
  badDirectory,
  checkPrivateDirectory,
  readPrivateFile,
  underLock,
} from './private-files.ts';
import {
  applyStep,
  DEFAULT_POLICY,
  keysToPublish,
  markPublished,
  planRotation,
  type KeyRecord,
  type PolicyChoice,
  type RotationPolicy,
  type RotationStep,
} from './rotation.ts';
import type { SigningKey } from '../token/sign.ts';

/** The contents of a key directory. */
export interface KeyIndex extends RotationPolicy {
  readonly keys: readonly KeyRecord[];
}

/**
 * Options of a rotation. `begin` starts one. `longestLifetime` (seconds) is that of
 * tokens signed with keys of the directory; it replaces a shorter one in the index. The
 * other options are for a new key.
 */
export interface RotateOptions {
  readonly now: number;
  readonly begin?: boolean;
  readonly longestLifetime?: number;
  readonly algorithm?: Algorithm;
  readonly style?: KeyIdStyle;
}

const INDEX = 'keys.json';
/**
 * The public key set in a key directory. Contains every key that the index marks as
 * published.
 */
export const KEY_SET_FILE = 'jwks.json';
const STATES = ['next', 'active', 'retiring', 'retired'];

/**
 * Creates an empty key directory (0700); does not change an existing one.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`
 */
export function initKeyDirectory(directory: string, policy: PolicyChoice = {}): void {
  const {
    publishLead = DEFAULT_POLICY.publishLead,
    longestLifetime = DEFAULT_POLICY.longestLifetime,
  } = policy;
  makeDirectory(directory, 0o700);
  underLock(directory, () => {
    if (readPrivateFile(join(directory, INDEX)) === undefined)
      writeIndex(directory, { publishLead, longestLifetime, keys: [] });
  });
}

/**
 * Reads the index of a key directory.
 * @throws CodedError `TOKEN_KEY_DIRECTORY` if it is missing, damaged or accessible to
 * others
 */
export function readKeyDirectory(directory: string): KeyIndex {
  checkPrivateDirectory(directory);
  const text = readPrivateFile(join(directory, INDEX));
  if (text === undefined)
    throw badDirectory(
      directory,
      `has no ${INDEX}; fix: scitokens key rotate ${shellWord(directory)}`,
    );
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw badDirectory(directory, `has a damaged ${INDEX}`, error);
  }
  if (!isIndex(value)) throw badDirectory(directory, `has a damaged ${INDEX}`);
  return value;
}

function isIndex(value: unknown): value is KeyIndex {
  if (
    !isObject(value) ||
    typeof value['publishLead'] !== 'number' ||
    typeof value['longestLifetime'] !== 'number'
  )
    return false;
  const { keys } = value;
  return Array.isArray(keys) && keys.every(isRecord);
}

function isRecord(value: unknown): value is KeyRecord {
  if (!isObject(value)) return false;
  const { kid, algorithm, file, state, created } = value;
  const known = isAlgorithm(algorithm) && typeof state === 'string' && STATES.includes(state);
  const named = typeof kid === 'string' && typeof file === 'string' && /^[\w-]+\.pem$/.test(file);
  return known && named && typeof created === 'number';
}

/**
 * Returns the active key. `lifetime` (seconds) is that of the tokens to sign.
 * @throws CodedError `TOKEN_KEY_UNREADY` if no key is active, or tokens would outlive the
 * publication of their key; `TOKEN_KEY_DIRECTORY`, `TOKEN_KEY_INVALID`
 */
export function activeKey(directory: string, lifetime: number): SigningKey {
  const { keys, longestLifetime } = readKeyDirectory(directory);
  const record = keys.find((key) => key.state === 'active' && key.published !== undefined);
  if (record === undefined)
    throw new CodedError(
      'TOKEN_KEY_UNREADY',
      `${directory} has no active key; publish the next one, then rotate`,
    );
  if (lifetime > longestLifetime)
    throw new CodedError(
      'TOKEN_KEY_UNREADY',
      `token lifetime ${lifetime} s exceeds the limit of the key directory ${directory} (${longestLifetime} s)`,
    );
  return readRecord(directory, record);
}

function readRecord(directory: string, { file, kid, algorithm }: KeyRecord): SigningKey {
  const text = readPrivateFile(join(directory, file));
  if (text === undefined) throw badDirectory(directory, `lacks ${file}, which its index lists`);
  return readSigningKey(text, { kid, algorithm });
}

/**
 * Executes all possible steps and returns them; the last one is always a `wait`.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`
 */
export function rotateKeys(directory: string, options: RotateOptions): readonly RotationStep[] {
  return underLock(directory, () => {
    const taken: RotationStep[] = [];
    raiseLifetime(directory, options.longestLifetime ?? 0);
    let { begin = false } = options;
    for (;;) {
      const index = readKeyDirectory(directory);
      const step = planRotation(index.keys, index, options.now, begin);
      taken.push(step);
      if (step.step === 'wait') return taken;
      if (step.step !== 'retire') begin = false;
      const keys =
        step.step === 'create'
          ? withNewKey(directory, index, options)
          : applyStep(index.keys, step, options.now);
      writeIndex(directory, { ...index, keys });
      removeRetired(directory, keys, step);
    }
  });
}

/** Never lowered: tokens with the longer lifetime may exist. */
function raiseLifetime(directory: string, longestLifetime: number): void {
  const index = readKeyDirectory(directory);
  if (longestLifetime > index.longestLifetime) writeIndex(directory, { ...index, longestLifetime });
}

/**
 * The index no longer lists the file, so a crash in between only leaves an unused file.
 */
function removeRetired(directory: string, keys: readonly KeyRecord[], step: RotationStep): void {
  const gone = step.step === 'retire' ? keys.find((key) => key.kid === step.kid) : undefined;
  if (gone) rmSync(join(directory, gone.file), { force: true });
}

function withNewKey(
  directory: string,
  { keys }: KeyIndex,
  options: RotateOptions,
): readonly KeyRecord[] {
  const { algorithm = 'ES256', style = 'python', now } = options;
  // Four digits may collide; an id must be unique in the key set and its history.
  let key = createKey({ algorithm, style });
  while (keys.some(({ kid }) => kid === key.kid)) key = createKey({ algorithm, style });
  const kid = key.kid ?? keyIdOf(key.privateKey, style);
  const file = `${keyIdOf(key.privateKey, 'thumbprint')}.pem`;
  const text = writeKey({ key: key.privateKey, kid, algorithm }, 'pem-private');
  writeFileAtomically(join(directory, file), text, { mode: 0o600, durable: true });
  return [...keys, { kid, algorithm, file, state: 'next', created: now }];
}

/** Returns the public JWKs for the key set, the signing one first. */
export function publicKeys(directory: string): readonly JsonObject[] {
  return keysToPublish(readKeyDirectory(directory).keys).map((record) => {
    const { privateKey, kid, algorithm } = readRecord(directory, record);
    return writeJwk(privateKey, kid, algorithm);
  });
}

/**
 * Writes the metadata and the key set of `issuer` below `webDirectory` and records the
 * time of publication of each key. Returns the written paths.
 * @throws CodedError `ENDPOINT_REFUSED`, `TOKEN_KEY_DIRECTORY`; the system's error if the
 * files cannot be written
 */
export function publishKeys(
  directory: string,
  issuer: string,
  webDirectory: string,
  now: number,
): readonly string[] {
  return underLock(directory, () => {
    const keys = publicKeys(directory);
    const files = publishedFiles(issuer, keys);
    makeDirectory(join(webDirectory, '.well-known'), 0o755);
    for (const { path, text } of files)
      writeFileAtomically(join(webDirectory, path), text, { mode: 0o644, durable: true });
    recordPublished(directory, keys, now);
    return files.map(({ path }) => join(webDirectory, path));
  });
}

/**
 * Writes the key set to the key directory itself, for a server on this machine that
 * serves it from there, and records the time of publication of each key. Other users can
 * then enter the directory but not list it; the private files stay inaccessible. Returns
 * the written path.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`; the system's error if the file cannot be
 * written
 */
export function publishInPlace(directory: string, now: number): string {
  return underLock(directory, () => {
    recordPublished(directory, publicKeys(directory), now);
    chmodSync(directory, (statSync(directory).mode & 0o7777) | 0o011);
    return join(directory, KEY_SET_FILE);
  });
}

/** A key is marked as published only after its file was written. */
function recordPublished(directory: string, keys: readonly JsonObject[], now: number): void {
  const file = join(directory, KEY_SET_FILE);
  writeFileAtomically(file, keySetText(keys), { mode: 0o644, durable: true });
  const index = readKeyDirectory(directory);
  writeIndex(directory, { ...index, keys: markPublished(index.keys, now) });
}

function writeIndex(directory: string, index: KeyIndex): void {
  writeFileAtomically(join(directory, INDEX), writeJson({ ...index }), {
    mode: 0o600,
    durable: true,
  });
}
