// The `.top` of a standing token that is renewed from a login: the refresh token, and the
// configuration that the login was made for. Pure.
import { isRecord } from '@credmon/core/base';
import { parseTop, scopeText, type Parsed } from '@credmon/core/credential';
import type { LoginStanding } from '../../settings/standing.ts';
import { sameWords } from './provenance.ts';

/** Who logged in, and when (epoch seconds). */
export interface LoginFacts {
  readonly refreshToken: string;
  /** The `sub` of the verified ID token, if there was one. */
  readonly subject: string | undefined;
  readonly at: number;
}

/** The member of `.top` with the configuration of the login. */
const MEMBER = 'standing';

/** Returns the text of `.top` after a login. It contains a secret. */
export function topOfLogin(
  { provider, client, scope, audience }: LoginStanding,
  { refreshToken, subject, at }: LoginFacts,
): string {
  const top = {
    refresh_token: refreshToken,
    ...(scope.length === 0 ? {} : { scopes: scope.join(' ') }),
    ...(audience.length === 0 ? {} : { audience: audience.join(' ') }),
    [MEMBER]: {
      provider,
      client_id: client.clientId,
      issuer: client.policy.issuer,
      subject,
      signed_in_at: Math.floor(at),
    },
  };
  return `${JSON.stringify(top)}\n`;
}

/**
 * Returns why the login cannot be used for the token as it is configured now, as a clause;
 * `undefined` if it can. A refresh token of one provider is never sent to another.
 */
export function loginProblem(token: LoginStanding, top: Parsed<string>): string | undefined {
  const contents = top.ok ? parseTop(top.value) : top;
  if (!contents.ok) return `its refresh token ${contents.reason}`;
  const { provider, client, scope, audience } = token;
  const login = contents.value[MEMBER];
  if (!isRecord(login)) return 'its .top is not from "condor_credmon standing login"';
  const { issuer } = client.policy;
  const changes: readonly (readonly [boolean, string])[] = [
    [login['provider'] !== provider, 'another provider'],
    [login['client_id'] !== client.clientId, 'another client'],
    [issuer !== undefined && (login['issuer'] ?? issuer) !== issuer, 'another issuer'],
    [!sameWords(scopeText(contents.value.scopes ?? '') ?? '', scope), 'other scopes'],
    [!sameWords(scopeText(contents.value.audience ?? '') ?? '', audience), 'another audience'],
  ];
  const changed = changes.flatMap(([isChanged, what]) => (isChanged ? [what] : []));
  return changed.length === 0
    ? undefined
    : `the login was made with ${changed.join(' and ')} than configured`;
}

/** Returns the subject of the login, if it is known. */
export function subjectOfLogin(top: Parsed<string>): string | undefined {
  const contents = top.ok ? parseTop(top.value) : top;
  const login = contents.ok ? contents.value[MEMBER] : undefined;
  const subject = isRecord(login) ? login['subject'] : undefined;
  return typeof subject === 'string' ? subject : undefined;
}
