// The provider of standing tokens: each is a token of every pass, with times, jitter,
// backoff and log lines.
import { createHash } from 'node:crypto';
import { CodedError, isCoded } from '@credmon/core/base';
import {
  tokenId,
  type FileState,
  type Instant,
  type RenewalState,
  type TokenSnapshot,
  type TokenTimes,
} from '@credmon/core/credential';
import { issuerOrigin, metadataOf, type ClientOptions } from '../client/credentials.ts';
import type { LocalKeys, LocalPorts } from '../local/keys.ts';
import type { Outcome, Provider } from '../common/provider.ts';
import { rejectionOf } from '../common/outcomes.ts';
import { withRemaining, STANDING } from './ports.ts';
import { fetchStanding, signStanding } from './signed.ts';
import { fingerprintInput } from './provenance.ts';
import type { StandingToken } from '../../settings/standing.ts';

/** The provider's options. */
export interface StandingOptions {
  readonly tokens: readonly StandingToken[];
  readonly keys: LocalKeys;
  readonly ports: LocalPorts;
  readonly clients: ClientOptions;
}

/**
 * Creates the provider of tokens that are signed or fetched. They share their issuer's
 * request limit and circuit breaker with the tokens of jobs.
 */
export function standingProvider({ tokens, keys, ports, clients }: StandingOptions): Provider {
  const byName = new Map(tokens.map((token) => [token.name, token]));
  const metadata = metadataOf(clients);
  return {
    name: 'standing',
    renewable: () => ({ ok: true, value: true }),
    basis: ({ stem }) => {
      const token = byName.get(stem);
      const fingerprint = JSON.stringify([token, token && versionOf(token, keys, clients)]);
      return createHash('sha256').update(fingerprint).digest('base64url').slice(0, 22);
    },
    issuerOf: (snapshot) => {
      const token = byName.get(snapshot.stem);
      return token?.kind === 'fetched' ? issuerOrigin(token.client) : `local ${tokenId(snapshot)}`;
    },
    obtain: async (snapshot, _files, context) => {
      const token = byName.get(snapshot.stem);
      try {
        if (token?.kind === 'signed') return signStanding(token, keys, ports, context.now);
        if (token?.kind === 'fetched')
          return await fetchStanding(token, metadata, clients, context);
        const text = `standing token ${snapshot.stem} is no longer configured`;
        return { kind: 'failed', error: new CodedError('TOKEN_NOT_FOUND', text) };
      } catch (error) {
        return failureOutcome(error, snapshot, token?.kind === 'signed', context.now);
      }
    },
  };
}

function versionOf(
  token: StandingToken,
  keys: LocalKeys,
  { secretVersion }: ClientOptions,
): string {
  if (token.kind === 'signed') return keys.version(token.issuer);
  if (token.kind === 'login') return '';
  const { secretFile } = token.client;
  return `${fingerprintInput(token)} ${secretFile === undefined ? '' : secretVersion(secretFile)}`;
}

/**
 * Returns the outcome of a failure. The old token stays valid until it expires; its
 * remaining lifetime is added to the message.
 */
function failureOutcome(
  error: unknown,
  snapshot: TokenSnapshot,
  signed: boolean,
  now: number,
): Outcome {
  const unexpected = `unexpected ${error instanceof Error ? error.name : typeof error}`;
  const coded = signed && !isCoded(error) ? new CodedError('TOKEN_KEY_UNREADY', unexpected) : error;
  const rejection = rejectionOf(snapshot, coded);
  return {
    // A key or a configuration may be fixed at any moment; no user could log in again.
    kind: signed || rejection.kind === 'failed' ? 'failed' : 'denied',
    error: withRemaining(rejection.error, snapshot, now),
  };
}

/**
 * Returns the snapshot of a standing token; `changed`: the configuration asks for another
 * token than the one on disk.
 */
export function standingSnapshot(
  name: string,
  use: FileState<TokenTimes>,
  changed: boolean,
  renewal: RenewalState | undefined,
  seen: Instant,
): TokenSnapshot {
  const written = use.kind === 'valid' ? use.identity.mtime : 0;
  return {
    user: STANDING,
    stem: name,
    top: changed
      ? {
          kind: 'valid',
          value: { opaque: true, refreshToken: 'absent' },
          identity: { ino: 0, size: 0, mtime: written + 1 },
        }
      : { kind: 'missing' },
    use,
    meta: { kind: 'missing' },
    renewal,
    seen,
  };
}
