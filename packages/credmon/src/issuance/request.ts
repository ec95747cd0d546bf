// One token for an entry that is not configured: what is asked for, and which scopes the
// rules of the provider allow. Pure.
import { CodedError } from '@credmon/core/base';
import { isCredName } from '@credmon/core/credential';
import { containsScope } from '@credmon/core/profiles';

/** A request. Empty lists and `undefined`: as for a configured entry. */
export interface TokenWish {
  readonly provider: string;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  /** In seconds. */
  readonly lifetime: number | undefined;
}

/** A token that was issued. `jti` is missing if the token is opaque or has none. */
export interface IssuedToken {
  /** A secret. */
  readonly token: string;
  readonly source: 'signed' | 'fetched';
  readonly provider: string;
  readonly subject: string | undefined;
  readonly audience: readonly string[];
  readonly scopes: readonly string[];
  /** Issue and expiry in epoch seconds; infinite for a token that does not expire. */
  readonly issuedAt: number;
  readonly expiresAt: number;
  readonly jti: string | undefined;
  /** What the issuer granted otherwise than requested; a clause. */
  readonly note: string | undefined;
}

/** @see RFC 6749, section 3.3 (scope-token) */
const SCOPE = /^[!#-[\]-~]+$/;
/** Printable ASCII: an audience is shown in the log. */
const AUDIENCE = /^[!-~]+$/;

/**
 * Checks what the log and a template will show of a request.
 * @throws CodedError `USAGE`
 */
export function checkWish({ subject, audience, scopes }: TokenWish): void {
  const wrong = (what: string, value: string): CodedError =>
    new CodedError('USAGE', `${JSON.stringify(value)} is not a valid ${what}`);
  if (subject !== undefined && !isCredName(subject))
    throw new CodedError(
      'USAGE',
      `${JSON.stringify(subject)} is not a valid subject: use letters, digits and "+=_.-"`,
    );
  for (const one of audience) if (!AUDIENCE.test(one)) throw wrong('audience', one);
  for (const one of scopes) if (!SCOPE.test(one)) throw wrong('scope', one);
}

/** The scopes of a provider: what its rules give to a subject, and what root added. */
export interface AllowedScopes {
  readonly provider: string;
  readonly subject: string | undefined;
  readonly byRule: readonly string[];
  /** CREDMON_TOKEN_ALLOW, or that of the provider. */
  readonly further: readonly string[];
}

/**
 * Returns the scopes of a token: the requested ones if all of them are allowed, or lie
 * below an allowed path; without a request, those of the rules.
 * @throws CodedError `USER_REFUSED`
 */
export function chooseScopes(
  asked: readonly string[],
  { provider, subject, byRule, further }: AllowedScopes,
): readonly string[] {
  const allowed = [...byRule, ...further];
  const refused = asked.filter(
    (scope) => !allowed.some((wide) => wide === scope || containsScope(wide, scope)),
  );
  const who = subject === undefined ? '' : ` for ${subject}`;
  if (refused.length > 0) {
    const line = `CREDMON_${provider}_TOKEN_ALLOW = ${[...further, ...refused].join(' ')}`;
    throw new CodedError(
      'USER_REFUSED',
      `the rules of ${provider} do not give the scopes ${refused.join(' ')}${who}; to allow them, set ${line}`,
      { provider },
    );
  }
  if (asked.length > 0) return [...new Set(asked)];
  if (byRule.length > 0) return byRule;
  throw new CodedError(
    'USER_REFUSED',
    `the rules of ${provider} give no scopes${who}; name them with --scope`,
    { provider },
  );
}
