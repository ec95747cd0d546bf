// What is remembered of standing tokens that an issuer gave: the configuration that each
// was requested with, the version of its file, and its lifetime.
import { isRecord, jwtClaims, systemCode } from '@credmon/core/base';
import {
  parseObject,
  sameIdentity,
  splitScopes,
  type FileIdentity,
  type TokenTimes,
} from '@credmon/core/credential';
import type { TokenWrite } from '@credmon/core/store';
import { accessTokenIn, wordsOf } from '../common/granted-scopes.ts';
import type { FetchedStanding, LoginStanding } from '../../settings/standing.ts';
import type { StandingFiles, StandingReading } from './ports.ts';

/** A lifetime in seconds; `unlimited` for a token that does not expire. */
export type IssuedLifetime = number | 'unlimited';

/**
 * What is remembered of a token: the configuration that it was requested with (the JSON
 * field `stands`), and its lifetime.
 */
export interface Provenance {
  readonly stands: string;
  readonly lifetime: IssuedLifetime;
}

/** A standing token that an issuer gives. */
export type IssuedStanding = FetchedStanding | LoginStanding;

/**
 * Returns everything in the configuration that makes it a different token, without a
 * secret.
 */
export function fingerprintInput(token: IssuedStanding): string {
  const { scope, audience, subject } = token;
  if (token.kind === 'login') {
    const { provider, client } = token;
    const { clientId, tokenUrl, policy } = client;
    const source = ['login', provider, clientId, tokenUrl, policy.issuer];
    return JSON.stringify([...source, scope, audience, subject]);
  }
  const { clientId, tokenUrl, issuers } = token.client;
  return JSON.stringify([clientId, tokenUrl, issuers, scope, audience, token.resources, subject]);
}

/**
 * Returns the provenance as a write of a kind that this token has no file of: the store
 * remembers it.
 */
export function provenanceWrite(
  token: IssuedStanding,
  { issuedAt, expiresAt }: TokenTimes,
): TokenWrite {
  const seconds = expiresAt - issuedAt;
  const provenance: Provenance = {
    stands: fingerprintInput(token),
    lifetime: Number.isFinite(seconds) ? seconds : 'unlimited',
  };
  return { kind: provenanceKind(token), text: JSON.stringify(provenance), durable: false };
}

/** A login has a `.top`, a fetched token has not; neither has a `.meta`. */
export function provenanceKind({ kind }: Pick<IssuedStanding, 'kind'>): 'top' | 'meta' {
  return kind === 'login' ? 'meta' : 'top';
}

/** Reads the text of {@link provenanceWrite}. */
export function provenanceIn(text: string): Provenance | undefined {
  const object = parseObject(text);
  const { stands, lifetime } = object.ok && isRecord(object.value) ? object.value : {};
  return typeof stands === 'string' && isLifetime(lifetime) ? { stands, lifetime } : undefined;
}

/** True for what {@link Provenance} has as the lifetime. */
function isLifetime(value: unknown): value is IssuedLifetime {
  return typeof value === 'number' || value === 'unlimited';
}

/**
 * True when the claims of a token of unknown provenance contradict the configuration.
 * Issuers may write less or differently, so this only causes a fetch; an opaque token
 * never contradicts.
 */
function contradicts(text: string, token: FetchedStanding): boolean {
  const claims = jwtClaims(accessTokenIn(text, token.format) ?? '');
  if (!claims) return false;
  const { client, subject, scope, audience, resources } = token;
  const differs = (claim: string, asked: readonly string[]): boolean => {
    const claimed = wordsOf(claims[claim]) ?? '';
    return claimed !== '' && asked.length > 0 && !sameWords(claimed, asked);
  };
  return (
    differs('iss', client.issuers) ||
    differs('sub', subject === undefined ? [] : [subject]) ||
    differs('scope', scope) ||
    differs('aud', [...audience, ...resources])
  );
}

/** True when a text has exactly these words, in any order. */
export function sameWords(claimed: string, asked: readonly string[]): boolean {
  const words = new Set(splitScopes(claimed));
  return words.size === new Set(asked).size && asked.every((word) => words.has(word));
}

// What is known is stored in the credential directory for restarts and
// `condor_credmon status`.

/**
 * A known token: the version of its file, the configuration that it was requested with,
 * its lifetime, and the version of the `.top` that it came from, if it has one.
 */
export interface Known {
  readonly identity: FileIdentity;
  readonly stands: string;
  readonly lifetime?: IssuedLifetime;
  readonly top?: FileIdentity | undefined;
}

/** Records a token that was just written to the file with this `reading`. */
export function remember(
  known: Map<string, Known>,
  name: string,
  provenance: Provenance | undefined,
  reading: StandingReading,
  top?: FileIdentity,
): void {
  if (provenance && reading.kind === 'text')
    known.set(name, { ...provenance, identity: reading.identity, top });
  else known.delete(name);
}

/**
 * For a file that we did not write, the claims are compared with the configuration once;
 * later only the configuration is compared.
 */
export function knownFor(
  token: FetchedStanding,
  reading: StandingReading,
  fetched: Map<string, Known>,
): Known | undefined {
  if (reading.kind !== 'text') return undefined;
  const { identity, text } = reading;
  const known = fetched.get(token.name);
  if (known && sameIdentity(known.identity, identity)) return known;
  const found = { identity, stands: contradicts(text, token) ? '' : fingerprintInput(token) };
  fetched.set(token.name, found);
  return found;
}

/** Returns the stored knowledge by token name; unreadable entries are left out. */
export function recall(files: StandingFiles): Map<string, Known> {
  const object = parseObject(files.recall() ?? '');
  const entries = object.ok && isRecord(object.value) ? Object.entries(object.value) : [];
  return new Map(
    entries.flatMap(([name, value]) => {
      const known = knownOf(value);
      return known ? [[name, known] as const] : [];
    }),
  );
}

/**
 * Stores the knowledge, without tokens that are no longer configured. Without this file
 * the next start renews once more; a directory that cannot be written is reported
 * elsewhere.
 */
export function tryStoreKnown(
  files: StandingFiles,
  known: ReadonlyMap<string, Known>,
  names: readonly string[],
): void {
  const kept = Object.fromEntries([...known].filter(([name]) => names.includes(name)));
  try {
    files.keep(`${JSON.stringify(kept)}\n`);
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
  }
}

function knownOf(value: unknown): Known | undefined {
  if (!isRecord(value)) return undefined;
  const { stands, lifetime } = value;
  const identity = fileIdentity(value['identity']);
  if (typeof stands !== 'string' || !identity) return undefined;
  const top = fileIdentity(value['top']);
  return {
    identity,
    stands,
    ...(isLifetime(lifetime) ? { lifetime } : {}),
    ...(top ? { top } : {}),
  };
}

function fileIdentity(value: unknown): FileIdentity | undefined {
  if (!isRecord(value)) return undefined;
  const { ino, mtime, size } = value;
  return typeof ino === 'number' && typeof mtime === 'number' && typeof size === 'number'
    ? { ino, mtime, size }
    : undefined;
}
