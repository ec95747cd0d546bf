// What the log says, what it does not say twice, and what it forgets.
import { CodedError } from '@credmon/core/base';
import { DEFAULT_POLICY, type ManagedToken } from '@credmon/core/renewal';
import type { RenewalState } from '@credmon/core/credential';
import type { Scan } from '@credmon/core/store';
import { describe, expect, it } from 'vitest';
import { createReport } from '../../src/report/log-report.ts';
import { statusRow } from '../../src/status/rows.ts';
import { attentionTexts } from '../../src/status/summary.ts';
import { createLogOnce } from '../../src/report/log-once.ts';

const NOW = 1_000_000;

function token(user: string): ManagedToken {
  const missing = { kind: 'missing' } as const;
  const seen = { wall: NOW, steady: 0 };
  return {
    snapshot: {
      user,
      stem: 'mytok',
      top: missing,
      use: missing,
      meta: missing,
      renewal: undefined,
      seen,
    },
    provider: 'oauth',
    renewable: { ok: true, value: true },
    basis: () => '',
    policy: DEFAULT_POLICY,
  };
}

const state = (change: Partial<RenewalState> = {}): RenewalState => ({
  attempts: 1,
  last_attempt: NOW,
  not_before: NOW + 10,
  stopped: false,
  code: 'ISSUER_UNREACHABLE',
  message: 'no answer',
  basis: '',
  ...change,
});

const scanOf = (users: readonly string[], change: Partial<Scan> = {}): Scan => ({
  tokens: users.map((user) => token(user).snapshot),
  keyFiles: [],
  temporaries: [],
  problems: [],
  ...change,
});

function reporting() {
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  const log = { error: say, warn: say, info: say, debug: () => undefined };
  const report = createReport(log, () => ({ floor: 0, starterRefresh: 0 }));
  const scanned = (scan: Scan): Promise<void> =>
    report({ type: 'scanned', scan, plan: { renew: [], verdicts: [], nextIn: 60 } });
  const failed = (user: string): void =>
    report({
      type: 'failed',
      managed: token(user),
      kind: 'failed',
      error: new CodedError('ISSUER_UNREACHABLE', 'no answer'),
      state: state(),
    });
  const renewed = (user: string, life: number): void => {
    const times = { issuedAt: NOW, expiresAt: NOW + life };
    report({ type: 'renewed', managed: token(user), times, rotated: false });
  };
  return { lines, report, scanned, failed, renewed };
}

describe('R44 the advice agrees with the state', () => {
  const login = 'fix: alice runs this and submits again: condor_store_cred delete-oauth -s mytok';
  it.each([
    ['revoked', true, `not tried again: ${login}`],
    [
      'denied',
      true,
      'not tried again until the client, its secret or the configuration changes: the administrator must act',
    ],
    ['failed', true, 'not tried again until its files or the configuration change'],
    ['revoked', false, `tried again in 10 s: ${login}`],
    ['denied', false, 'tried again in 10 s: the administrator must act'],
    ['failed', false, 'tried again in 10 s'],
  ] as const)('%s, stopped %s', (kind, stopped, advice) => {
    const { lines, report } = reporting();
    report({
      type: 'failed',
      managed: token('alice'),
      kind,
      error: new CodedError('GRANT_REVOKED', 'alice/mytok: unreadable'),
      state: state({ stopped }),
    });
    expect(lines).toEqual([`alice/mytok: unreadable; ${advice}`]);
  });

  it.each([
    ['USER_REFUSED', ''],
    ['MAP_UNREADABLE', ': the administrator must act'],
  ] as const)('of the local signer, %s', (code, actor) => {
    const { lines, report } = reporting();
    report({
      type: 'failed',
      managed: { ...token('alice'), provider: 'local' },
      kind: 'denied',
      error: new CodedError(code, 'said no'),
      state: state({ stopped: true, code }),
    });
    expect(lines).toEqual([
      'alice/mytok: said no; not tried again until the rules, the map file or the request change' +
        actor,
    ]);
  });

  it.each([
    [
      'oauth',
      'fix: the administrator corrects mytok_CLIENT_ID or the secret in the file that mytok_CLIENT_SECRET_FILE names (open sign-in links keep the old secret: users submit again); after a correction of the registration at the issuer, touch the secret file',
    ],
    [
      'client',
      'fix: the administrator corrects CLIENT_CREDMON_mytok_CLIENT_ID or the secret in the file that CLIENT_CREDMON_mytok_CLIENT_SECRET_FILE names (or the same knobs without mytok_); after a correction of the registration at the issuer, touch the secret file',
    ],
  ] as const)('a client of %s that is rejected: the log names the knobs', (provider, step) => {
    const { lines, report } = reporting();
    const stopped = state({ stopped: true, code: 'CLIENT_REFUSED' });
    const error = new CodedError('CLIENT_REFUSED', 'said no');
    const managed = { ...token('alice'), provider };
    report({ type: 'failed', managed, kind: 'denied', error, state: stopped });
    expect(lines).toEqual([
      `alice/mytok: said no; not tried again until the client, its secret or the configuration changes: the administrator must act; ${step}`,
    ]);
  });

  it.each([
    [
      'exchange',
      'GRANT_REVOKED',
      'fix: alice stores another token (for a Pelican name: condor_credential_storer --force): condor_store_cred add-oauth -s mytok -H h1 -i FILE',
    ],
    [
      'exchange',
      'SUBJECT_REFUSED',
      'fix: alice stores a token of a configured issuer: condor_store_cred add-oauth -s mytok -H h1 -i FILE',
    ],
    [
      'vault',
      'GRANT_REVOKED',
      'fix: alice runs this, which starts htgettoken: condor_credential_storer --force mytok',
    ],
    ['client', 'GRANT_REVOKED', 'fix: ask the issuer why it rejects the client'],
    ['oauth', 'PROGRAM_FAILED', 'see PROGRAM_FAILED in docs/errors.md'],
  ] as const)('%s, %s', (provider, code, advice) => {
    const { lines, report } = reporting();
    const { snapshot, ...rest } = token('alice');
    const managed = { ...rest, provider, snapshot: { ...snapshot, stem: 'mytok_h1' } };
    const error = new CodedError(code, 'said no');
    const stopped = state({ stopped: true, code });
    report({ type: 'failed', managed, kind: 'revoked', error, state: stopped });
    expect(lines).toEqual([`alice/mytok_h1: said no; not tried again: ${advice}`]);
    // The status says the same.
    const failure = { code, message: 'said no', at: NOW };
    const row = statusRow(managed.snapshot, undefined, { wall: NOW, steady: 0 });
    expect(attentionTexts([{ ...row, provider, state: 'stopped', last_error: failure }])).toEqual([
      `alice/mytok_h1 is stopped (${code}): said no; ${advice}`,
    ]);
  });
});

describe('R44 a failure is logged once', () => {
  it('while the token exists, and again for a new one of the same name', async () => {
    const { lines, scanned, failed } = reporting();
    failed('alice');
    await scanned(scanOf(['alice']));
    failed('alice');
    expect(lines).toHaveLength(1);
    await scanned(scanOf(['bob'], { partial: true }));
    await scanned(scanOf(['bob'], { problems: ['/creds/alice cannot be read (EACCES)'] }));
    failed('alice');
    expect(lines).toHaveLength(2);
    await scanned(scanOf(['bob']));
    failed('alice');
    expect(lines).toHaveLength(3);
  });

  it('for all tokens that wait for one issuer, until one of them is renewed', () => {
    const { lines, report, renewed } = reporting();
    const waiting = new CodedError('ISSUER_BUSY', 'not tried', {
      about: 'waiting for https://x.example',
    });
    const postponed = (user: string): void =>
      report({ type: 'postponed', managed: token(user), error: waiting, state: state() });
    for (const user of ['a', 'b', 'c']) postponed(user);
    expect(lines).toEqual(['a/mytok: not tried; tried again in 10 s']);
    renewed('b', 100);
    postponed('c');
    expect(lines).toHaveLength(3);
  });

  it('of a directory that cannot be read, until it can', async () => {
    const { lines, scanned } = reporting();
    const problem = '/creds/alice cannot be read (EACCES)';
    for (const problems of [[problem], [problem], [], [problem]])
      await scanned(scanOf([], { problems }));
    expect(lines).toEqual([problem, problem]);
  });
});

it('the memory of logged messages is limited', () => {
  const said = createLogOnce(100);
  const heard: string[] = [];
  for (let index = 0; index < 1000; index += 1) {
    said.once('often', '', () => heard.push('often'));
    said.once(String(index), '', () => heard.push(String(index)));
  }
  expect([said.size, heard.length]).toEqual([100, 1001]);
});

describe('R44 a problem that recurs after it has ended is logged again', () => {
  it.each([
    'Failed to touch CREDMON_COMPLETE: EACCES',
    'cannot remove alice/.mytok.use.1.1.credmon-tmp: EPERM',
    'alice/mytok: a newer login came during the renewal',
  ])('%s', async (text) => {
    const { lines, report, scanned } = reporting();
    const passes = [true, true, false, true, true, false, false, true];
    for (const met of passes) {
      await scanned(scanOf(['alice']));
      if (met) report({ type: 'problem', text });
    }
    expect(lines).toEqual([text, text, text]);
  });

  it('of a renewal: when the token was renewed, or was gone', async () => {
    const { lines, report, scanned, renewed } = reporting();
    const trouble = (): void =>
      report({ type: 'problem', text: 'alice/mytok: unexpected', id: 'alice/mytok' });
    trouble();
    await scanned(scanOf(['alice']));
    await scanned(scanOf(['alice']));
    trouble();
    expect(lines).toHaveLength(1);
    renewed('alice', 3600);
    trouble();
    await scanned(scanOf([]));
    trouble();
    expect(lines.filter((line) => line.endsWith('unexpected'))).toHaveLength(3);
  });

  it('a note of a renewal: when later renewals came without it', () => {
    const { lines, report, renewed } = reporting();
    const renew = (note?: string): void => {
      renewed('alice', 3600);
      if (note !== undefined) report({ type: 'noted', id: 'alice/mytok', note });
    };
    for (const note of ['fewer scopes', 'fewer scopes', undefined, undefined, 'fewer scopes'])
      renew(note);
    expect(lines.filter((line) => line.includes('fewer scopes'))).toHaveLength(2);
  });
});

it('R44 a token that cannot be renewed again after it could is logged again', async () => {
  const { lines, report } = reporting();
  for (const ok of [false, false, true, false]) {
    const renewable = ok ? { ok, value: true as const } : { ok, reason: '.top is empty' };
    const verdict = {
      managed: { ...token('alice'), renewable },
      state: 'fresh',
      dueIn: 1,
      reason: 'lifetime',
    } as const;
    const plan = { renew: [], verdicts: [verdict], nextIn: 1 };
    await report({ type: 'scanned', scan: scanOf(['alice']), plan });
  }
  expect(lines).toEqual(Array(2).fill('alice/mytok: cannot be renewed: .top is empty'));
});
