// Standing tokens that are signed locally.
import { jwtClaims, jwtHeader } from '@credmon/core/base';
import type { TokenTimes } from '@credmon/core/credential';
import { issueToken } from '@credmon/scitokens';
import type { LocalKeys } from '../local/keys.ts';
import type { LocalPorts } from '../local/ports.ts';
import { useOf } from '../local/signer.ts';
import type { Outcome } from '../common/provider.ts';
import { accessTokenIn, wordsOf } from '../common/granted-scopes.ts';
import type { SignedStanding } from '../../settings/standing.ts';

/**
 * Signs a standing token. `now` in epoch seconds.
 * @throws CodedError when the key may not sign, or not such a token
 */
export function signStanding(
  token: SignedStanding,
  keys: LocalKeys,
  { random }: LocalPorts,
  now: number,
): Outcome {
  const { issuer, subject, scope, audience, lifetime, format } = token;
  const issuedAt = Math.floor(now);
  const times: TokenTimes = { issuedAt, expiresAt: issuedAt + lifetime };
  const text = issueToken(
    keys.keyOf({ ...issuer, lifetime }),
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
    { now, random },
  );
  const write = useOf({ useJson: format === 'json', lifetime }, text, times);
  return { kind: 'issued', writes: [write], times, rotated: false };
}

/**
 * Returns how a token on disk differs from the configuration; `undefined` when it
 * matches.
 */
export function differs(
  text: string,
  { issuer, subject, scope, audience, format, lifetime }: SignedStanding,
): string | undefined {
  const token = accessTokenIn(text, format) ?? '';
  const claims = jwtClaims(token);
  if (!claims) return `is not a token in the format ${format}`;
  const asked: Readonly<Record<string, string>> = {
    iss: issuer.issuer,
    sub: subject,
    scope: scope.join(' '),
    aud: audience.join(' '),
  };
  const name = Object.keys(asked).find((claim) => wordsOf(claims[claim]) !== asked[claim]);
  const life = Number(claims['exp']) - Number(claims['iat']);
  // A key directory publishes an old key while its tokens are valid; a single key file
  // has only one key.
  const sameKey = issuer.key.kind === 'directory' || jwtHeader(token)?.['kid'] === issuer.key.keyId;
  const other =
    name ?? (life === lifetime ? undefined : 'lifetime') ?? (sameKey ? undefined : 'key');
  return other && `has a different ${other} than configured`;
}
