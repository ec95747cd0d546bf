// Standing tokens as a provider: each is one more token of every pass, with times,
// spread, backoff and log lines like all others.
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
import { issuerOrigin, metadataOf, type ClientOptions } from '../client/registration.ts';
import type { LocalKeys } from '../local/keys.ts';
import type { LocalPorts } from '../local/ports.ts';
import type { Outcome, Provider } from '../common/provider.ts';
import { refusal } from '../common/outcomes.ts';
import { fetchStanding, standsOf } from './fetched.ts';
import type { StandingToken } from '../../settings/standing.ts';
import { signStanding } from './signed.ts';

/** Stands for the user in a standing token's snapshot; no user can be called so. */
export const STANDING = '(standing)';

/** What the provider needs: the tokens, and what signing and fetching take. */
export interface StandingOptions {
  readonly tokens: readonly StandingToken[];
  readonly keys: LocalKeys;
  readonly ports: LocalPorts;
  readonly clients: ClientOptions;
}

/**
 * The provider of standing tokens. Those of one issuer share its caps and its bad days
 * with the tokens of jobs.
 */
export function standingProvider({ tokens, keys, ports, clients }: StandingOptions): Provider {
  const byName = new Map(tokens.map((token) => [token.name, token]));
  const metadata = metadataOf(clients);
  return {
    name: 'standing',
    renewable: () => ({ ok: true, value: true }),
    basis: ({ stem }) => {
      const token = byName.get(stem);
      const stands = JSON.stringify([token, token && versionOf(token, keys, clients)]);
      return createHash('sha256').update(stands).digest('base64url').slice(0, 22);
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
        const text = `there is no standing token ${snapshot.stem} any more`;
        return { kind: 'failed', error: new CodedError('TOKEN_NOT_FOUND', text) };
      } catch (error) {
        return alarm(error, snapshot, token?.kind === 'signed', context.now);
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
  const { secretFile } = token.client;
  return `${standsOf(token)} ${secretFile === undefined ? '' : secretVersion(secretFile)}`;
}

/**
 * What is there stays and works until it expires; how long that is decides how much of an
 * alarm this is.
 */
function alarm(error: unknown, snapshot: TokenSnapshot, signed: boolean, now: number): Outcome {
  const { use, stem } = snapshot;
  const left = use.kind === 'valid' ? Math.floor(use.value.expiresAt - now) : 0;
  const state = left > 0 ? `the old token works for ${left} s more` : 'there is no working token';
  const unexpected = `unexpected ${error instanceof Error ? error.name : typeof error}`;
  const mistake =
    signed && !isCoded(error) ? new CodedError('TOKEN_KEY_UNREADY', unexpected) : error;
  const refused = refusal(snapshot, mistake);
  const { code, message, fields } = refused.error;
  return {
    // A key or a configuration may be fixed any moment; there is no user who could log in
    // again.
    kind: signed || refused.kind === 'failed' ? 'failed' : 'denied',
    error: new CodedError(code, `${message}; ${state}`, {
      ...fields,
      // Each token is a service of its own, whatever else fails alike.
      about: undefined,
      token: stem,
    }),
  };
}

/**
 * A standing token as a pass sees it; `news` when another one is asked for than lies
 * there.
 */
export function standingSnapshot(
  name: string,
  use: FileState<TokenTimes>,
  news: boolean,
  renewal: RenewalState | undefined,
  seen: Instant,
): TokenSnapshot {
  const written = use.kind === 'valid' ? use.identity.mtime : 0;
  return {
    user: STANDING,
    stem: name,
    top: news
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
