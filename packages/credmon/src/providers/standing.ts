// Standing tokens as a provider: each is one more token of every pass, due by its own `exp`, with spread, backoff and log lines like all others.
import { createHash } from 'node:crypto';
import {
  CodedError,
  isCoded,
  isRecord,
  tokenId,
  type FileState,
  type Instant,
  type RenewalState,
  type TokenSnapshot,
  type TokenTimes,
} from '@credmon/core';
import { issueToken } from '@credmon/scitokens';
import type { LocalKeys } from './local-keys.ts';
import type { LocalPorts } from './local-ports.ts';
import { useOf } from './local-signer.ts';
import type { Outcome, Provider } from './provider.ts';
import type { StandingToken } from './standing-settings.ts';

/** Stands for the user in a standing token's snapshot; no user can be called so. */
export const STANDING = '(standing)';

/** The provider of these tokens. */
export function standingProvider(
  tokens: readonly StandingToken[],
  keys: LocalKeys,
  ports: LocalPorts,
): Provider {
  const byName = new Map(tokens.map((token) => [token.name, token]));
  return {
    name: 'standing',
    renewable: () => ({ ok: true, value: true }),
    basis: ({ stem }) => {
      const token = byName.get(stem);
      const stands = JSON.stringify([token, token && keys.version(token.issuer)]);
      return createHash('sha256').update(stands).digest('base64url').slice(0, 22);
    },
    issuerOf: (token) => `local ${tokenId(token)}`,
    obtain: async (snapshot, _files, { now }) => {
      const token = byName.get(snapshot.stem);
      if (token) return obtain(token, snapshot, keys, ports, now);
      const text = `there is no standing token ${snapshot.stem} any more`;
      return { kind: 'failed', error: new CodedError('TOKEN_NOT_FOUND', text) };
    },
  };
}

function obtain(
  token: StandingToken,
  snapshot: TokenSnapshot,
  keys: LocalKeys,
  ports: LocalPorts,
  now: number,
): Outcome {
  const { issuer, subject, scope, audience, lifetime, format } = token;
  const issuedAt = Math.floor(now);
  const times: TokenTimes = { issuedAt, expiresAt: issuedAt + lifetime };
  try {
    const text = issueToken(
      keys.keyOf(issuer),
      {
        profile: issuer.profile,
        issuer: issuer.issuer,
        subject,
        scope,
        lifetime,
        ...(audience.length === 0
          ? {}
          : { audience: audience.length === 1 ? (audience[0] ?? '') : audience }),
      },
      { now, random: ports.random },
    );
    const write = useOf({ useJson: format === 'json', lifetime }, text, times);
    return { kind: 'issued', writes: [write], times, rotated: false };
  } catch (error) {
    return { kind: 'failed', error: alarm(error, snapshot, now) };
  }
}

/** What is there stays and works until it expires; how long that is decides how much of an alarm this is. */
function alarm(error: unknown, { use, stem }: TokenSnapshot, now: number): CodedError {
  const left = use.kind === 'valid' ? Math.floor(use.value.expiresAt - now) : 0;
  const state = left > 0 ? `the old token works for ${left} s more` : 'there is no working token';
  const text = isCoded(error)
    ? error.message
    : `unexpected ${error instanceof Error ? error.name : typeof error}`;
  return new CodedError(isCoded(error) ? error.code : 'TOKEN_KEY_UNREADY', `${text}; ${state}`, {
    token: stem,
  });
}

/** A standing token as a pass sees it. */
export function standingSnapshot(
  name: string,
  use: FileState<TokenTimes>,
  renewal: RenewalState | undefined,
  seen: Instant,
): TokenSnapshot {
  return {
    user: STANDING,
    stem: name,
    top: { kind: 'missing' },
    use,
    meta: { kind: 'missing' },
    renewal,
    seen,
  };
}

/** Why a token that lies in its place is not the one that the configuration asks for; `undefined` when it is. */
export function differs(
  text: string,
  { issuer, subject, scope, audience, format }: StandingToken,
): string | undefined {
  const parsed = claimsOf(text, format);
  if (!parsed) return `is no token in the format ${format}`;
  const asked: Readonly<Record<string, string>> = {
    iss: issuer.issuer,
    sub: subject,
    scope: scope.join(' '),
    aud: audience.join(' '),
  };
  const name = Object.keys(asked).find((claim) => wordsOf(parsed[claim]) !== asked[claim]);
  return name && `has another ${name} than the configuration asks for`;
}

function wordsOf(claim: unknown): string | undefined {
  if (claim === undefined || typeof claim === 'string') return claim ?? '';
  return Array.isArray(claim) && claim.every((item) => typeof item === 'string')
    ? claim.join(' ')
    : undefined;
}

/** Unverified, and good for comparing only. */
function claimsOf(text: string, format: 'jwt' | 'json'): Record<string, unknown> | undefined {
  try {
    const contents: unknown = format === 'json' ? JSON.parse(text) : { access_token: text };
    const token = isRecord(contents) ? contents['access_token'] : undefined;
    const payload = typeof token === 'string' ? token.split('.')[1] : undefined;
    const claims: unknown = JSON.parse(Buffer.from(payload ?? '', 'base64url').toString('utf8'));
    return isRecord(claims) ? claims : undefined;
  } catch {
    // Whatever lies there is replaced; its text is nobody's business.
    return undefined;
  }
}
