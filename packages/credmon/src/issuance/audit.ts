// The log line of a token that was issued. Pure.
import type { IssuedToken } from './request.ts';

/** Returns the line; `to` is where the token goes, `who` the user who asked. */
export function auditText(issued: IssuedToken, to: string, who: string): string {
  const { provider, source, subject, audience, scopes, issuedAt, expiresAt, jti } = issued;
  const seconds = expiresAt - issuedAt;
  const lifetime = Number.isFinite(seconds) ? `${seconds} s` : 'without end';
  return (
    `${source} a token of ${provider} as ${who} asked: subject ${subject ?? 'unknown'}, ` +
    `audience ${audience.join(' ') || 'none'}, scopes "${scopes.join(' ')}", ` +
    `lifetime ${lifetime}, jti ${jti ?? 'none'}; to ${to}`
  );
}
