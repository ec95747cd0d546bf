// Signs one token by the rules of a local provider.
import { CodedError, jwtClaims } from '@credmon/core/base';
import { issueToken } from '@credmon/scitokens';
import { scopesFor } from '../authz/scopes.ts';
import { localGroups } from '../providers/local/groups.ts';
import { localKeys } from '../providers/local/keys.ts';
import type { LocalPorts } from '../providers/local/ports.ts';
import { rulesOf } from '../providers/local/signer.ts';
import type { LocalIssuer, LocalSettings } from '../settings/local.ts';
import { chooseScopes, type IssuedToken, type TokenWish } from './request.ts';

/** What signing needs besides the request. `now` in epoch seconds. */
export interface SigningContext {
  readonly local: LocalSettings;
  readonly issuer: LocalIssuer;
  /** Scopes that root allows besides those of the template. */
  readonly further: readonly string[];
  readonly ports: LocalPorts;
  readonly now: number;
}

/**
 * Signs the token: the subject gets what the template and the group requirement give to a
 * user of this name, for at most the lifetime of the provider's tokens.
 * @throws CodedError `USAGE`, `USER_REFUSED`, and the errors of the key and of `issueToken`
 */
export function signOne(
  wish: TokenWish,
  { local, issuer, further, ports, now }: SigningContext,
): IssuedToken {
  const { provider, subject } = wish;
  if (subject === undefined) throw new CodedError('USAGE', 'name the subject with --subject');
  const lifetime = lifetimeOf(wish, issuer);
  const audience = wish.audience.length > 0 ? wish.audience : issuer.audience;
  if (audience.length === 0 && issuer.profile !== 'scitoken:1.0')
    throw new CodedError('USAGE', `name the audience with --audience: ${provider} has none`);
  // Only the daemon creates or completes the shared key pair.
  const keyPair = { privateKey: '', publicKey: '' };
  const settings = { ...local, issuers: [issuer], keyPair };
  const groups = localGroups(local.userMaps, ports);
  const byRule = scopesFor(rulesOf(issuer), {
    username: subject,
    groups: groups.groupsOf(subject, issuer),
    now,
    userMap: groups.userMap,
  });
  const scopes = chooseScopes(wish.scopes, { provider, subject, byRule, further });
  const token = issueToken(
    localKeys(settings, ports).keyOf({ ...issuer, lifetime }),
    {
      profile: issuer.profile,
      issuer: issuer.issuer,
      subject,
      scope: scopes,
      lifetime,
      ...(audience.length === 0
        ? {}
        : { audience: audience.length === 1 ? (audience[0] ?? '') : audience }),
    },
    { now, random: ports.random },
  );
  const issuedAt = Math.floor(now);
  return {
    token,
    source: 'signed',
    provider,
    subject,
    audience,
    scopes,
    issuedAt,
    expiresAt: issuedAt + lifetime,
    jti: jtiOf(token),
    note: undefined,
  };
}

/** Keys are published long enough for the configured lifetime only. */
function lifetimeOf({ lifetime, provider }: TokenWish, issuer: LocalIssuer): number {
  if (lifetime === undefined) return issuer.lifetime;
  if (lifetime >= 1 && lifetime <= issuer.lifetime) return lifetime;
  throw new CodedError(
    'USAGE',
    `--lifetime is ${lifetime} s; it must be from 1 to ${issuer.lifetime} ` +
      `(LOCAL_CREDMON_${provider}_TOKEN_LIFETIME)`,
  );
}

/** Returns the identifier in a JWT, if it has one. */
export function jtiOf(token: string): string | undefined {
  const jti = jwtClaims(token)?.['jti'];
  return typeof jti === 'string' && /^[!-~]{1,128}$/.test(jti) ? jti : undefined;
}
