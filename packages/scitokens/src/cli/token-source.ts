// The token of a command (the argument, a file, standard input, or WLCG discovery) and
// its keys (a file in any form, a key directory, or what the issuer publishes).
import { type KeyIdStyle, keyIdOf } from '../keys/create-key.ts';
import { readKeySet, writeJwk } from '../keys/jwk.ts';
import { activeKey } from '../keys/key-directory.ts';
import { type ReadKey, readKey, readSigningKey } from '../keys/keys.ts';
import {
  type FoundToken,
  discoverBearerToken,
  tokenIn,
  trimToken,
} from '../token/bearer-discovery.ts';
import { type JsonObject, readCompact } from '../token/compact.ts';
import type { SigningKey } from '../token/sign.ts';
import { createIssuerKeys } from '../verify/issuer-keys.ts';
import { createKeyCache, keyCacheDirectory } from '../verify/key-files.ts';
import { fixedKeys, type KeyFinder } from '../verify/verify.ts';
import { type Io, localTime, misuse, shownValue } from './io.ts';
import { CodedError, durationText, printableLine, tableText } from '@credmon/core/base';

/** The lifetime of a token that is issued without `--lifetime`, in seconds. */
export const DEFAULT_LIFETIME = 1200;

/**
 * Returns the token of `argument`: `@FILE`, `-` for standard input, or the token itself.
 * Without an argument: from the variables of discovery, else from piped input, else from
 * the other places of discovery. Each of them contains the bare token, or the JSON of
 * HTCondor's `.use` files: a note on standard error then says that other programs need the
 * bare token.
 * @throws CodedError `TOKEN_NOT_FOUND`, `TOKEN_UNREADABLE`, `TOKEN_MALFORMED`
 */
export function readTokenArgument(argument: string | undefined, io: Io): string {
  const { token, source, form } = findToken(argument, io);
  if (form === 'json') io.error(jsonNote(source));
  return token;
}

function findToken(argument: string | undefined, io: Io): FoundToken {
  if (argument === undefined || argument === '') return discover(io);
  if (argument === '-') return nonEmpty(io.readInput(), STANDARD_INPUT);
  if (argument.startsWith('@')) return nonEmpty(io.readFile(argument.slice(1)), argument.slice(1));
  return nonEmpty(argument, 'the argument');
}

const STANDARD_INPUT = 'standard input';

function nonEmpty(text: string, source: string): FoundToken {
  const found = tokenIn(text, source);
  if (found !== undefined) return found;
  throw new CodedError('TOKEN_NOT_FOUND', `no token in ${source}`, { source });
}

function discover(io: Io): FoundToken {
  const { environment, userId, listDirectory } = io;
  const readFile = (path: string, named: boolean): string | undefined =>
    io.readIfThere(path, !named);
  // Variables come before a pipe: a pipe that is never closed would block a script for
  // ever.
  const named =
    trimToken(environment['BEARER_TOKEN'] ?? '') !== '' ||
    Boolean(environment['BEARER_TOKEN_FILE']);
  const piped = !named && io.isPiped() ? tokenIn(io.readInput(), STANDARD_INPUT) : undefined;
  return piped ?? discoverBearerToken({ environment, userId, readFile, listDirectory });
}

/** The line for standard error: what other programs need, and the knobs. */
function jsonNote(source: string): string {
  return (
    `note: ${printableLine(source)} is JSON, but most other programs read only the bare token; ` +
    'fix: the administrator sets LOCAL_CREDMON_TOKEN_USE_JSON = false ' +
    '(for a login provider: CREDMON_<PROVIDER>_TOKEN_USE_JSON = false)\n'
  );
}

// `token inspect`: shows the contents of a token without verification.

const TIMES = ['iat', 'nbf', 'exp'];

/**
 * Prints header, claims, dates in local time and the remaining lifetime, as a table or as
 * JSON. Verifies nothing.
 */
export function tokenInspect(
  argument: string | undefined,
  { json = false }: { readonly json?: boolean | undefined },
  io: Io,
): void {
  const { header, claims } = readCompact(readTokenArgument(argument, io));
  const { exp } = claims;
  const left = typeof exp === 'number' ? Math.floor(exp - io.now()) : undefined;
  if (json)
    return io.out(`${JSON.stringify({ verified: false, header, claims, secondsLeft: left })}\n`);
  const life =
    left === undefined
      ? 'no expiry'
      : left > 0
        ? `${durationText(left)} left`
        : `expired ${durationText(-left)} ago`;
  io.out(
    `${tableText([
      ...Object.entries(header).map(([name, value]) => [
        `header ${shownValue(name)}`,
        shownValue(value),
      ]),
      ...Object.entries(claims).map(([name, value]) => [shownValue(name), shown(name, value)]),
      ['lifetime', life],
      ['signature', 'not verified'],
    ])}\n`,
  );
}

function shown(name: string, value: unknown): string {
  return TIMES.includes(name) && typeof value === 'number'
    ? `${value}  ${localTime(value)}`
    : shownValue(value);
}

/** Options with the keys of a command. */
export interface KeyOptions {
  readonly key?: string | undefined;
  readonly keys?: string | undefined;
  readonly kid?: string | undefined;
  readonly kidStyle?: KeyIdStyle | undefined;
  readonly algorithm?: string | undefined;
}

/** Returns the key for signing tokens of `lifetime` seconds. */
export function signingKeyFrom(options: KeyOptions, lifetime: number, io: Io): SigningKey {
  const { key, keys, kid, algorithm, kidStyle: style = 'python' } = options;
  if ((key === undefined) === (keys === undefined))
    throw misuse('exactly one of --key FILE and --keys DIRECTORY is required');
  if (keys !== undefined) return activeKey(keys, lifetime);
  return readSigningKey(readText(key ?? '-', io), { kid, algorithm, style });
}

/** Reads a key of any form and gives it a key id. `-` is standard input. */
export function namedKeyFrom(path: string, options: KeyOptions, io: Io): ReadKey {
  const key = readKey(readText(path, io), options);
  return { ...key, kid: key.kid ?? keyIdOf(key.key, options.kidStyle ?? 'python') };
}

/** Returns the public JWKs of files. */
export function publicJwksFrom(
  paths: readonly string[],
  options: KeyOptions,
  io: Io,
): JsonObject[] {
  return paths.map((path) => {
    const { key, kid, algorithm } = namedKeyFrom(path, options, io);
    return writeJwk(key, kid, algorithm);
  });
}

/** Options with the issuer's keys: from a file, or fetched. */
export interface KeySource {
  readonly jwks?: string | undefined;
  readonly key?: string | undefined;
  readonly insecure?: boolean | undefined;
  readonly cache?: boolean | undefined;
}

/** Returns the keys in the options, else those that the issuer publishes. */
export function keysFor(
  token: string,
  { jwks, key, insecure = false, cache = true }: KeySource,
  io: Io,
): KeyFinder {
  if (jwks !== undefined) {
    const issuer = String(readCompact(token).claims['iss']);
    return fixedKeys(new Map([[issuer, readKeySet(parseJsonText(readText(jwks, io), jwks))]]));
  }
  if (key !== undefined) {
    const { kid } = readCompact(token).header;
    const read = namedKeyFrom(key, { kid }, io);
    return {
      find: () => readKeySet({ keys: [writeJwk(read.key, read.kid, read.algorithm)] }).select(kid),
    };
  }
  const store = cache ? createKeyCache(keyCacheDirectory(io.environment)) : undefined;
  // A cache that cannot be written costs a request, not the result.
  return createIssuerKeys({ send: io.send, insecure, store });
}

/** Returns a file's text, or standard input for `-`. */
export function readText(path: string, io: Io): string {
  return path === '-' ? io.readInput() : io.readFile(path);
}

/** Parses JSON; the error names `path`. */
export function parseJsonText(text: string, path: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw misuse(`${path} is not JSON`);
  }
}
