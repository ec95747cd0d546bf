// Standing tokens without a login: signed locally, or fetched by client credentials.
import type { FetchedStanding, SignedStanding } from '../../settings/standing.ts';
import { fetchToken, type ClientOptions } from '../client/credentials.ts';
import { accessTokenIn, wordsOf } from '../common/granted-scopes.ts';
import { issuedWith } from '../common/outcomes.ts';
import type { Outcome, ProviderContext } from '../common/provider.ts';
import type { LocalKeys, LocalPorts } from '../local/keys.ts';
import { useOf } from '../local/local.ts';
import { type IssuedStanding, provenanceWrite } from './provenance.ts';
import { CodedError, jwtClaims, jwtHeader } from '@credmon/core/base';
import type { TokenTimes } from '@credmon/core/credential';
import type { MetadataCache } from '@credmon/core/oauth';
import { issueToken } from '@credmon/scitokens';

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

/**
 * Fetches a standing token. Its provenance is written as `.top`, which fetched tokens do
 * not have: the store remembers it.
 * @throws CodedError `ISSUER_ANSWER_INVALID` when the subject differs from the configured
 * one, and the errors of `fetchToken`
 */
export async function fetchStanding(
  token: FetchedStanding,
  metadata: MetadataCache,
  options: ClientOptions,
  context: ProviderContext,
): Promise<Outcome> {
  const { client, audience, resources, format } = token;
  const request = { scope: token.scope.join(' '), audience, resources };
  const asClient = { ...client, json: format === 'json' };
  const { answer, use, noted } = await fetchToken(asClient, request, metadata, options, context);
  checkSubject(token, answer.accessToken);
  const { writes, ...issued } = issuedWith(use, undefined, { durable: false });
  return { ...issued, writes: [provenanceWrite(token, use.times), ...writes], ...noted };
}

/**
 * Compares the subject of a JWT with the configured one, if there is one.
 * @throws CodedError `ISSUER_ANSWER_INVALID`
 */
export function checkSubject(
  { name, subject }: Pick<IssuedStanding, 'name' | 'subject'>,
  accessToken: string,
): void {
  const sub = jwtClaims(accessToken)?.['sub'];
  if (subject === undefined || sub === undefined || sub === subject) return;
  throw new CodedError(
    'ISSUER_ANSWER_INVALID',
    `subject mismatch: CREDMON_STANDING_${name}_SUBJECT is ${subject}, the token has another one; nothing was stored`,
    { token: name },
  );
}
