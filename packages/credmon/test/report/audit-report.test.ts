// The entries of the audit log: what becomes one, and that none has a secret.
import { CodedError } from '@credmon/core/base';
import type { AuditEntry } from '@credmon/core/log';
import { DEFAULT_POLICY, type ManagedToken } from '@credmon/core/renewal';
import { describe, expect, it } from 'vitest';
import {
  createAuditReport,
  issuedEntry,
  revokedEntry,
  standingLoginEntry,
} from '../../src/report/audit-report.ts';

const missing = { kind: 'missing' } as const;
const managed: ManagedToken = {
  snapshot: {
    user: 'alice',
    stem: 'mytok_h1',
    top: missing,
    use: missing,
    meta: missing,
    renewal: undefined,
    seen: { wall: 1000, steady: 0 },
  },
  provider: 'oauth',
  renewable: { ok: true, value: true },
  basis: () => '',
  policy: DEFAULT_POLICY,
};
const error = new CodedError('GRANT_REVOKED', 'the grant is gone');
const named = { user: 'alice', service: 'mytok', handle: 'h1', provider: 'oauth' };

describe('the audit log', () => {
  it('has an entry for a renewal and for a removal, and none for a failure', async () => {
    const entries: AuditEntry[] = [];
    const report = createAuditReport({ record: (entry) => void entries.push(entry) });
    await report({
      type: 'scanned',
      scan: { tokens: [], keyFiles: [], temporaries: [], problems: [] },
      plan: { renew: [], verdicts: [], nextIn: 1 },
    });
    const times = { issuedAt: 1000.5, expiresAt: Number.POSITIVE_INFINITY };
    report({ type: 'renewed', managed, times, rotated: true });
    report({ type: 'removed', managed, error });
    report({ type: 'problem', text: 'full' });
    report({ type: 'rewritten', id: 'alice/mytok_h1' });
    expect(entries).toEqual([
      {
        event: 'renewed',
        ...named,
        details: { issued_at: 1000, expires_at: null, rotated: true },
      },
      {
        event: 'removed',
        ...named,
        details: { by: 'condor_credmon', code: 'GRANT_REVOKED', reason: 'the grant is gone' },
      },
    ]);
  });

  it('has an entry for a revocation, and none for a token that was kept', () => {
    const secrets = [{ what: 'refresh token', revoked: true, where: 'https://i.example' }] as const;
    const report = { user: 'alice', stem: 'mytok_h1', provider: 'oauth' };
    const result = { kind: 'removed', files: ['mytok_h1.top'], results: secrets } as const;
    expect(revokedEntry({ ...report, result }, 'user id 0')).toEqual({
      event: 'revoked',
      ...named,
      details: { by: 'user id 0', files: ['mytok_h1.top'], secrets },
    });
    const kept = { kind: 'kept', why: 'no provider' } as const;
    expect(revokedEntry({ ...report, result: kept }, 'user id 0')).toBeUndefined();
  });

  it('has an entry for an issued token, without the token', () => {
    const issued = {
      token: 'canary-token',
      source: 'signed',
      provider: 'frontend',
      subject: 'pilot',
      audience: ['ce.example'],
      scopes: ['compute.create'],
      issuedAt: 1000,
      expiresAt: 2200,
      jti: 'j1',
      note: undefined,
    } as const;
    const entry = issuedEntry(issued, '/t', 'user id 7');
    expect(entry).toEqual({
      event: 'issued',
      user: 'pilot',
      service: 'frontend',
      handle: '',
      provider: 'local',
      details: {
        by: 'user id 7',
        to: '/t',
        audience: ['ce.example'],
        scopes: ['compute.create'],
        jti: 'j1',
        issued_at: 1000,
        expires_at: 2200,
      },
    });
    expect(JSON.stringify(entry)).not.toContain('canary');
  });

  it('has an entry for the login of a standing token', () => {
    expect(standingLoginEntry('ce_1', 'lab', 'user id 0')).toEqual({
      event: 'signed-in',
      user: '(standing)',
      service: 'ce_1',
      handle: '',
      provider: 'standing-login',
      details: { by: 'user id 0', client: 'lab' },
    });
  });
});
