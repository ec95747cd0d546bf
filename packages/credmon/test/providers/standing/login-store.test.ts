// The order in which a renewal from a login becomes visible, and what is left when a part
// of it fails.
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isCoded } from '@credmon/core/base';
import { restOf, type CredentialStore, type TokenChange } from '@credmon/core/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { standingFiles, openStandingLogins, storeLogin } from '../../../src/host/standing-files.ts';
import { EMPTY_STORE, applyLogin } from '../../../src/providers/standing/login-store.ts';
import { topOfLogin } from '../../../src/providers/standing/login.ts';
import { provenanceWrite } from '../../../src/providers/standing/provenance.ts';
import { withStanding } from '../../../src/providers/standing/store.ts';
import type { LoginStanding } from '../../../src/settings/standing.ts';
import { settingsWith } from '../../support/access-point.ts';

let root: string;
let token: LoginStanding;
let configured: readonly LoginStanding[];
/** What happens just before the file of the token is written. */
let before: () => void;
let store: CredentialStore;

beforeEach(() => {
  root = join(mkdtempSync(join(tmpdir(), 'credmon-login-')), 'creds');
  mkdirSync(root, { mode: 0o700 });
  const [first] = settingsWith(
    {
      lab_CLIENT_ID: 'ap',
      CREDMON_lab_ISSUER: 'https://lab.example',
      CREDMON_STANDING_TOKENS: 'ce1',
      CREDMON_STANDING_ce1_PROVIDER: 'lab',
      CREDMON_STANDING_ce1_PATH: join(root, '../ce1.token'),
    },
    root,
  ).standing;
  if (first?.kind !== 'login') throw new Error('no login');
  token = first;
  configured = [token];
  before = () => undefined;
  const files = standingFiles(root);
  const write: typeof files.write = (...args) => {
    before();
    files.write(...args);
  };
  const logins = openStandingLogins(root);
  store = withStanding(EMPTY_STORE, () => configured, { ...files, write }, logins);
  storeLogin(root, 'ce1', topOf('r1'));
});
afterEach(() => rmSync(join(root, '..'), { recursive: true, force: true }));

const topOf = (refreshToken: string): string =>
  topOfLogin(token, { refreshToken, subject: undefined, at: 1 });
const file = (name: string): string => join(root, name);
const use = (): string => readFileSync(file('../ce1.token'), 'utf8');
const refreshToken = (): unknown =>
  (
    JSON.parse(readFileSync(file('.credmon-standing/standing/ce1.top'), 'utf8')) as {
      refresh_token: unknown;
    }
  ).refresh_token;

/** The change of a renewal with rotation, from the present `.top`. */
function rotation(to = 'r2'): TokenChange {
  const times = { issuedAt: 1, expiresAt: 601 };
  return {
    user: '(standing)',
    stem: 'ce1',
    from: store.read('(standing)', 'ce1').topIdentity,
    writes: [
      { kind: 'top', text: topOf(to), durable: true },
      provenanceWrite(token, times),
      { kind: 'use', text: `access-${to}\n`, durable: true },
    ],
  };
}

/** The code of an error, and the kinds of the writes that remain. */
function failureOf(change: TokenChange): readonly unknown[] {
  try {
    store.apply(change);
    return ['applied'];
  } catch (error) {
    return [isCoded(error) && error.code, restOf(change, error).writes.map(({ kind }) => kind)];
  }
}

describe('a renewal with rotation', () => {
  it('R11 stores the refresh token before the access token is visible', () => {
    let seen: unknown;
    before = () => {
      seen = refreshToken();
    };
    store.apply(rotation());
    expect([seen, use()]).toEqual(['r2', 'access-r2\n']);
  });

  it('R12 is not stored over another login', () => {
    const change = rotation();
    storeLogin(root, 'ce1', topOf('login'));
    expect(failureOf(change)).toEqual(['CRED_SUPERSEDED', ['top', 'meta', 'use']]);
    expect([refreshToken(), readdirSync(file('..'))]).toEqual(['login', ['creds']]);
  });

  it('R13 that cannot be written to the file of the token is written later, without the refresh token', () => {
    const change = rotation();
    before = () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    let rest: TokenChange = change;
    try {
      store.apply(change);
    } catch (error) {
      rest = restOf(change, error);
    }
    expect(rest.writes.map(({ kind }) => kind)).toEqual(['meta', 'use']);
    before = () => undefined;
    store.apply(rest);
    expect([refreshToken(), use()]).toEqual(['r2', 'access-r2\n']);
  });

  it('R11 whose directory could not be synced is written after that was done', () => {
    const steps: string[] = [];
    const { top, topIdentity } = store.read('(standing)', 'ce1');
    const logins: CredentialStore = {
      ...store,
      apply: ({ writes, unsynced }) =>
        void steps.push(`${writes.length} writes, unsynced: ${unsynced === true}`),
      read: () => ({ top, topIdentity, meta: { ok: false, reason: '' } }),
    };
    const rest = rotation().writes.filter(({ kind }) => kind !== 'top');
    const change: TokenChange = {
      ...rotation(),
      from: topIdentity,
      writes: rest,
      unsynced: true,
    };
    applyLogin(logins, token, change, () => void steps.push('written'));
    expect(steps).toEqual(['0 writes, unsynced: true', 'written']);
  });

  it('R12 whose file is written late does not replace the token of another login', () => {
    const change = rotation();
    before = () => {
      throw Object.assign(new Error('full'), { code: 'ENOSPC' });
    };
    let rest: TokenChange = change;
    try {
      store.apply(change);
    } catch (error) {
      rest = restOf(change, error);
    }
    before = () => undefined;
    storeLogin(root, 'ce1', topOf('login'));
    expect(failureOf(rest)).toEqual(['CRED_SUPERSEDED', ['meta', 'use']]);
    expect(readdirSync(file('..'))).toEqual(['creds']);
  });

  it('of a token that is no longer configured keeps the refresh token alone', () => {
    const change = rotation();
    configured = [];
    expect(failureOf(change)).toEqual(['CRED_SUPERSEDED', ['top', 'meta', 'use']]);
    expect([refreshToken(), readdirSync(file('..'))]).toEqual(['r2', ['creds']]);
    // Also without an access token, after an answer that was refused.
    const [top] = rotation('r3').writes;
    if (top) store.apply({ ...rotation('r3'), writes: [top] });
    expect(refreshToken()).toBe('r3');
  });

  it('of a token that has another configuration now is not written to its file', () => {
    const change = rotation();
    configured = [{ ...token, scope: ['read'] }];
    expect(failureOf(change)[0]).toBe('CRED_SUPERSEDED');
    expect([refreshToken(), readdirSync(file('..'))]).toEqual(['r2', ['creds']]);
  });
});

it('the file of a failure is beside the refresh token, so that a restart and status know it', async () => {
  const state = {
    attempts: 1,
    last_attempt: 5,
    not_before: 9,
    stopped: false,
    code: 'ISSUER_UNREACHABLE',
    message: 'no answer',
    basis: 'x',
  };
  const { from } = rotation();
  const writes = [{ kind: 'renewal', text: JSON.stringify(state), durable: false }] as const;
  store.apply({ user: '(standing)', stem: 'ce1', from, writes });
  const again = withStanding(
    EMPTY_STORE,
    () => configured,
    standingFiles(root),
    openStandingLogins(root),
  );
  const { tokens } = await again.scan({ wall: 10, steady: 0 });
  expect(tokens.map(({ user, stem, renewal }) => [user, stem, renewal])).toEqual([
    ['(standing)', 'ce1', state],
  ]);
});

it('a directory that cannot be read hides no other token, and is a problem of the scan', async () => {
  rmSync(file('.credmon-standing'), { recursive: true });
  // A file in its place cannot be listed.
  writeFileSync(file('.credmon-standing'), '');
  const { tokens, problems } = await store.scan({ wall: 10, steady: 0 });
  expect(problems.join()).toMatch(/^standing tokens with a login are not renewed: failed to list/);
  expect(tokens.map(({ top }) => top)).toEqual([{ kind: 'broken', reason: 'cannot be read' }]);
});
