// Tokens that users ask the daemon for: who gets one, in which order, and what is logged
// and answered.
import { createKey, writeKey } from '@credmon/scitokens';
import { CodedError, jwtClaims, type Send } from '@credmon/core/base';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { createTokenRequests } from '../../src/daemon/requests.ts';
import { localFiles } from '../../src/host/local-files.ts';
import type { Memberships } from '../../src/host/accounts.ts';
import type { TokenWish } from '../../src/issuance/issue.ts';
import { parseTokenResult, type TokenResult } from '../../src/requests/request.ts';
import { createLimiter, type Limiter } from '../../src/throttle/limiter.ts';
import { settingsWith } from '../support/access-point.ts';

const directory = mkdtempSync(join(tmpdir(), 'credmon-token-requests-'));
const { privateKey } = createKey({ algorithm: 'ES256' });
const pem = writeKey({ key: privateKey, kid: 'local', algorithm: 'ES256' }, 'pem-private');
writeFileSync(join(directory, 'key'), pem, { mode: 0o600 });

const MEMBER = 1000;
const wish: TokenWish = {
  provider: 'frontend',
  subject: 'pilot',
  audience: ['ce.example'],
  scopes: [],
  lifetime: undefined,
};
let lines: string[];
let answers: { readonly id: string; readonly result: TokenResult | undefined }[];
let knobs: Record<string, string>;
let memberships: Memberships;
let send: Send;
let limiter: Limiter;
let isLogged: boolean;
beforeEach(() => {
  send = async () => Promise.reject(new Error('no network'));
  limiter = createLimiter({ cap: () => 2, steady: () => 0 });
  isLogged = true;
  lines = [];
  answers = [];
  knobs = {
    LOCAL_CREDMON_frontend_ISSUER: 'https://frontend.example',
    LOCAL_CREDMON_frontend_AUTHZ_TEMPLATE: 'read:/{username}',
    LOCAL_CREDMON_frontend_PRIVATE_KEY: join(directory, 'key'),
    CREDMON_TOKEN_GROUP: 'pilots',
  };
  memberships = {
    idOf: async (group) => (group === 'pilots' ? 7 : 'none'),
    groupsOf: async (uid) => new Set(uid === MEMBER ? [5, 7] : [5]),
  };
});

/** Sends requests at once, and waits for all answers. */
async function ask(
  ...requests: readonly { uid: number; wish?: Partial<TokenWish>; to?: string }[]
): Promise<readonly (TokenResult | undefined)[]> {
  const say = (text: string): void => void lines.push(text);
  const take = createTokenRequests({
    settings: () => settingsWith(knobs, directory),
    memberships,
    ports: {
      local: localFiles(say),
      secretVersion: () => '',
      send: (request) => send(request),
      readSecret: (path) =>
        path === '/there' ? { ok: true, value: 'x' } : { ok: false, reason: 'is missing' },
      now: () => 1_700_000_000,
    },
    log: { error: say, warn: say, info: say, debug: say },
    audit: (text) => {
      if (isLogged) say(`Audit: ${text}`);
      return isLogged;
    },
    limiter,
    self: 99,
    answer: ({ id }, text) => answers.push({ id, result: parseTokenResult(text) }),
  });
  for (const [index, { uid, wish: change, to = '/t' }] of requests.entries())
    take({ id: String(index), uid, gid: uid, wish: { ...wish, ...change }, to });
  await expect.poll(() => answers.length).toBe(requests.length);
  return answers.map(({ result }) => result);
}
const refusal = (result: TokenResult | undefined): unknown =>
  result?.kind === 'refused' ? [result.code, result.message] : result;

it('a member of the group gets a token, with one line in the log', async () => {
  const [result] = await ask({ uid: MEMBER });
  const token = result?.kind === 'issued' ? result.issued.token : '';
  const claims = jwtClaims(token);
  expect(claims).toMatchObject({ sub: 'pilot', aud: 'ce.example', scope: 'read:/pilot' });
  expect(lines).toEqual([
    `Audit: signed a token of frontend as user id ${MEMBER} asked: subject pilot, audience ce.example, scopes "read:/pilot", lifetime 1200 s, jti ${String(claims?.['jti'])}; to /t`,
  ]);
  expect(lines.join()).not.toContain(token);
});

it.each<[string, number, () => void, string]>([
  [
    'another user',
    1001,
    () => undefined,
    'only root and the members of the group pilots may issue a token',
  ],
  [
    'a member, where no group is configured',
    MEMBER,
    () => void (knobs['CREDMON_TOKEN_GROUP'] = ''),
    'only root may issue a token; CREDMON_TOKEN_GROUP allows it to the members of a group',
  ],
  [
    'anybody, where there is no such group',
    MEMBER,
    () => void (knobs['CREDMON_TOKEN_GROUP'] = 'other'),
    'only root and the members of the group other (there is no such group) may issue a token',
  ],
  [
    'a member, while the name service is silent',
    MEMBER,
    () => void (memberships = { ...memberships, groupsOf: async () => undefined }),
    'the name service does not answer; ask again later',
  ],
])('%s gets none', async (_, uid, change, message) => {
  change();
  const [result] = await ask({ uid });
  expect(refusal(result)).toEqual(['USER_REFUSED', message]);
  expect(lines).toEqual([`A token requested by user id ${uid} is refused: ${message}`]);
});

it.each([0, 99])('root and the daemon itself need no group (user id %i)', async (uid) => {
  knobs['CREDMON_TOKEN_GROUP'] = '';
  expect((await ask({ uid }))[0]?.kind).toBe('issued');
});

it('a request is checked again: it was not necessarily written by the command', async () => {
  const results = await ask(
    { uid: MEMBER, wish: { subject: '../x' } },
    { uid: MEMBER, wish: { scopes: ['read:/bob'] } },
    { uid: MEMBER, wish: { audience: ['a b'] } },
    { uid: MEMBER, wish: { provider: 'other' } },
    { uid: MEMBER, wish: { lifetime: 999_999 } },
  );
  expect(results.map((result) => (result?.kind === 'refused' ? result.code : result))).toEqual([
    'USAGE',
    'USER_REFUSED',
    'USAGE',
    'USAGE',
    'USAGE',
  ]);
});

it('the requests of a user are answered in order, also after one that fails', async () => {
  knobs['CLIENT_CREDMON_lab_CLIENT_ID'] = 'x';
  knobs['CLIENT_CREDMON_lab_CLIENT_SECRET_FILE'] = '/s';
  knobs['CLIENT_CREDMON_lab_TOKEN_URL'] = 'https://lab.example/token';
  knobs['CLIENT_CREDMON_lab_AUTHZ_TEMPLATE'] = 'read';
  const results = await ask(
    { uid: MEMBER, wish: { provider: 'lab', subject: undefined } },
    { uid: MEMBER },
  );
  expect(answers.map(({ id }) => id)).toEqual(['0', '1']);
  expect(refusal(results[0])).toEqual([
    'SECRET_UNREADABLE',
    'the client secret file /s is missing',
  ]);
  expect(results[1]?.kind).toBe('issued');
});

it('a slow look-up of one user delays no other user', async () => {
  const { groupsOf } = memberships;
  let end = (): void => undefined;
  const waiting = new Promise<void>((resolve) => (end = resolve));
  memberships = {
    ...memberships,
    groupsOf: async (uid) => {
      if (uid === 1001) await waiting;
      return groupsOf(uid);
    },
  };
  const asked = ask({ uid: 1001 }, { uid: 1001 }, { uid: MEMBER });
  await expect.poll(() => answers.map(({ id }) => id)).toEqual(['2']);
  end();
  await asked;
  expect(answers.map(({ id }) => id)).toEqual(['2', '0', '1']);
});

it('what a user writes cannot look like another line of the log', async () => {
  await ask({ uid: MEMBER, to: '/t\nAudit: x' });
  expect(lines[0]).toMatch(/; to \[\.\.\.\]$/);
});

it('a token whose line is not in the log is not given away', async () => {
  isLogged = false;
  const [result] = await ask({ uid: MEMBER });
  const message = 'the token is discarded: it cannot be logged';
  expect(refusal(result)).toEqual(['LOG_UNWRITABLE', message]);
  expect(lines).toEqual([`A token requested by user id ${MEMBER} is refused: ${message}`]);
});

describe('a fetched token uses the queue of its issuer', () => {
  const lab = { provider: 'lab', subject: undefined };
  let begun: number;
  beforeEach(() => {
    begun = 0;
    knobs['CLIENT_CREDMON_lab_CLIENT_ID'] = 'x';
    knobs['CLIENT_CREDMON_lab_CLIENT_SECRET_FILE'] = '/there';
    knobs['CLIENT_CREDMON_lab_TOKEN_URL'] = 'https://lab.example/token';
    knobs['CLIENT_CREDMON_lab_AUTHZ_TEMPLATE'] = 'read';
  });
  const all = () => ask(...[0, 99, MEMBER].map((uid) => ({ uid, wish: lab })));

  it('and waits while as many requests are in progress as it may have', async () => {
    let end = (): void => undefined;
    const waiting = new Promise<void>((resolve) => (end = resolve));
    send = async () => {
      begun += 1;
      await waiting;
      const body = { access_token: 'abc', token_type: 'bearer', expires_in: 60 };
      return { status: 200, headers: JSON_TYPE, body: Buffer.from(JSON.stringify(body)) };
    };
    const asked = all();
    await expect.poll(() => begun).toBe(2);
    await new Promise((resolve) => setImmediate(resolve));
    expect([begun, answers]).toEqual([2, []]);
    end();
    expect((await asked).map((result) => result?.kind)).toEqual(['issued', 'issued', 'issued']);
    expect(begun).toBe(3);
  });

  it('and is refused at once while the issuer does not answer, with the wait', async () => {
    send = async () => {
      begun += 1;
      throw new CodedError('ISSUER_UNREACHABLE', 'cannot reach https://lab.example');
    };
    limiter = createLimiter({ cap: () => 1, steady: () => 0 });
    const results = await all();
    const unreachable = 'cannot reach https://lab.example';
    const skipped = `skipped: issuer not available (last error: ${unreachable}); ask again in 5 s`;
    const messages = results.map((result) => result?.kind === 'refused' && result.message);
    expect(messages.filter((text) => text === unreachable)).toHaveLength(2);
    expect(messages).toContain(skipped);
    expect(begun).toBe(2);
  });

  it('and is refused when the daemon stops', async () => {
    limiter.close();
    const [result] = await ask({ uid: 0, wish: lab });
    expect(refusal(result)).toEqual([
      'ISSUER_BUSY',
      'the daemon is stopping; ask again when it runs',
    ]);
  });
});

const JSON_TYPE = { 'content-type': 'application/json' };
