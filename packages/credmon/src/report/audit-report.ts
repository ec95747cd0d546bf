// The audit log as a function of what happens to tokens: entries without secrets. Pure.
import { type TokenSnapshot, splitStem } from '@credmon/core/credential';
import type { AuditEntry, Log } from '@credmon/core/log';
import type { IssuedToken } from '../issuance/issue.ts';
import { STANDING } from '../providers/standing/ports.ts';
import { type RevocationReport, rowOf } from '../revocation/report.ts';
import { type Renewal, type Report, type TokenEvent, reportOf } from './events.ts';

/** Returns a report that records what passes do to tokens. */
export function createAuditReport(log: Pick<Log, 'record'>): Report {
  return reportOf(
    async () => undefined,
    (event) => {
      const entry = entryOf(event);
      if (entry) log.record?.(entry);
    },
  );
}

/** Returns the entry of an event of a pass, if it has one. */
export function entryOf(event: TokenEvent): AuditEntry | undefined {
  switch (event.type) {
    case 'renewed':
      return renewedEntry(event);
    case 'rewritten':
      return event.renewal && renewedEntry(event.renewal);
    case 'removed': {
      const { managed, error } = event;
      const details = { by: 'condor_credmon', code: error.code, reason: error.message };
      return { event: 'removed', ...named(managed.snapshot), provider: managed.provider, details };
    }
    case 'failed':
    case 'postponed':
    case 'noted':
    case 'settled':
    case 'unwritten':
    case 'superseded':
    case 'problem':
      return undefined;
  }
}

function renewedEntry({ managed, times, rotated }: Renewal): AuditEntry {
  const details = { ...timesOf(times), rotated };
  return { event: 'renewed', ...named(managed.snapshot), provider: managed.provider, details };
}

/** Returns the entry of a revocation that `by` asked for; `undefined` for a kept token. */
export function revokedEntry(report: RevocationReport, by: string): AuditEntry | undefined {
  if (report.result.kind === 'kept') return undefined;
  const { user, service, handle, provider, files, secrets } = rowOf(report);
  return { event: 'revoked', user, service, handle, provider, details: { by, files, secrets } };
}

/** Returns the entry of an issued token. `to` is where it goes, `by` who asked. */
export function issuedEntry(issued: IssuedToken, to: string, by: string): AuditEntry {
  const { provider, source, subject, audience, scopes, jti } = issued;
  return {
    event: 'issued',
    user: subject ?? null,
    service: provider,
    handle: '',
    provider: source === 'signed' ? 'local' : 'client',
    details: { by, to, audience, scopes, jti: jti ?? null, ...timesOf(issued) },
  };
}

/** Returns the entry of a login for a standing token. */
export function standingLoginEntry(name: string, provider: string, by: string): AuditEntry {
  const token = { user: STANDING, service: name, handle: '', provider: 'standing-login' };
  return { event: 'signed-in', ...token, details: { by, client: provider } };
}

/** `null` for a token that does not expire. */
function timesOf(times: { readonly issuedAt: number; readonly expiresAt: number }): {
  readonly issued_at: number;
  readonly expires_at: number | null;
} {
  const { issuedAt, expiresAt } = times;
  return {
    issued_at: Math.floor(issuedAt),
    expires_at: Number.isFinite(expiresAt) ? Math.floor(expiresAt) : null,
  };
}

function named({
  user,
  stem,
}: Pick<TokenSnapshot, 'user' | 'stem'>): Pick<AuditEntry, 'user' | 'service' | 'handle'> {
  return { user, ...(splitStem(stem, false) ?? { service: stem, handle: '' }) };
}
