// Discovery and the key cache (R25, R26, R28), with a network of given responses.
import { chmodSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CodedError, type Send } from '@credmon/core/base';
import {
  createIssuerKeys,
  createKeyCache,
  fetchIssuerKeys,
  keyCacheDirectory,
  type IssuerKeysOptions,
  type KeyFinder,
} from '../../src/index.ts';
import { EC, publish, RSA } from '../testing.ts';

const ISSUER = 'https://issuer.test/vo';
const OPENID = `${ISSUER}/.well-known/openid-configuration`;
const OAUTH = 'https://issuer.test/.well-known/oauth-authorization-server/vo';
const KEYS = `${ISSUER}/keys`;
const METADATA = { issuer: ISSUER, jwks_uri: KEYS };
const SET = publish(EC).document;
const code = (code: string): unknown => expect.objectContaining({ code });

/**
 * A network of fixed responses: an object is a 200, a number a status, a string a 200
 * with that text, an error a failure.
 */
function network(answers: Record<string, unknown>): {
  send: Send;
  asked: string[];
  answers: Record<string, unknown>;
} {
  const asked: string[] = [];
  const send: Send = async ({ url }) => {
    asked.push(url);
    const answer = answers[url] ?? 404;
    if (answer instanceof Error) throw answer;
    const text = typeof answer === 'string' ? answer : JSON.stringify(answer);
    return {
      status: typeof answer === 'number' ? answer : 200,
      headers: {},
      body: Buffer.from(text),
    };
  };
  return { send, asked, answers };
}

describe('discovery', () => {
  it('requests OpenID Connect first, and OAuth if that fails', async () => {
    const first = network({ [OPENID]: METADATA, [KEYS]: SET });
    expect((await fetchIssuerKeys(ISSUER, first)).kids).toEqual(['ec']);
    expect(first.asked).toEqual([OPENID, KEYS]);
    const second = network({ [OAUTH]: METADATA, [KEYS]: SET });
    await fetchIssuerKeys(ISSUER, second);
    expect(second.asked).toEqual([OPENID, OAUTH, KEYS]);
  });

  it('builds no double slash for an issuer that ends in one, and compares it with the slash', async () => {
    const issuer = 'https://issuer.test/';
    const web = network({
      'https://issuer.test/.well-known/openid-configuration': { issuer, jwks_uri: KEYS },
      [KEYS]: SET,
    });
    expect((await fetchIssuerKeys(issuer, web)).kids).toEqual(['ec']);
  });

  it.each([
    [
      'R25 has another issuer',
      { [OPENID]: { ...METADATA, issuer: `${ISSUER}/` } },
      'ISSUER_MISMATCH',
    ],
    ['R25 has no issuer', { [OPENID]: { jwks_uri: KEYS } }, 'ISSUER_MISMATCH'],
    [
      'R26 has a jwks_uri without https',
      { [OPENID]: { ...METADATA, jwks_uri: 'http://issuer.test/keys' } },
      'ENDPOINT_REFUSED',
    ],
    [
      'R26 has a jwks_uri with a password',
      { [OPENID]: { ...METADATA, jwks_uri: 'https://a:b@issuer.test/' } },
      'ENDPOINT_REFUSED',
    ],
    ['has no jwks_uri', { [OPENID]: { issuer: ISSUER } }, 'ISSUER_METADATA_INVALID'],
    ['is HTML', { [OPENID]: '<html>', [OAUTH]: '<html>' }, 'ISSUER_METADATA_INVALID'],
    ['is a list', { [OPENID]: [] }, 'ISSUER_METADATA_INVALID'],
    ['is not found', {}, 'ISSUER_METADATA_INVALID'],
    ['R26 redirects', { [OPENID]: 302, [OAUTH]: 302 }, 'ISSUER_METADATA_INVALID'],
    ['fails', { [OPENID]: 503 }, 'ISSUER_UNREACHABLE'],
    ['leads to an invalid key set', { [OPENID]: METADATA, [KEYS]: {} }, 'ISSUER_METADATA_INVALID'],
  ])('rejects metadata that %s', async (_title, answers, expected) => {
    await expect(fetchIssuerKeys(ISSUER, network(answers))).rejects.toThrow(code(expected));
  });

  it.each([
    'http://issuer.test',
    'issuer.test',
    'https://a@issuer.test',
    'https://issuer.test/?x',
    'file:///etc/passwd',
  ])('R26 sends no request for %s', async (issuer) => {
    const web = network({});
    await expect(fetchIssuerKeys(issuer, web)).rejects.toThrow(code('ENDPOINT_REFUSED'));
    expect(web.asked).toEqual([]);
  });

  it('accepts plain http with the option insecure', async () => {
    const issuer = 'http://localhost:1/x';
    const web = network({
      [`${issuer}/.well-known/openid-configuration`]: { issuer, jwks_uri: `${issuer}/k` },
      [`${issuer}/k`]: SET,
    });
    expect((await fetchIssuerKeys(issuer, { ...web, insecure: true })).kids).toEqual(['ec']);
  });
});

describe('R28 the key cache', () => {
  const outage = new CodedError('ISSUER_UNREACHABLE', 'down');
  function setUp(options: Partial<IssuerKeysOptions> = {}): {
    web: ReturnType<typeof network>;
    keys: KeyFinder;
  } {
    const web = network({ [OPENID]: METADATA, [KEYS]: SET });
    return { web, keys: createIssuerKeys({ send: web.send, ...options }) };
  }

  it('sends one request for many tokens, also for concurrent ones', async () => {
    const { web, keys } = setUp();
    await Promise.all([
      keys.find(ISSUER, 'ec', 0),
      keys.find(ISSUER, 'ec', 0),
      keys.find(ISSUER, 'ec', 0),
    ]);
    await keys.find(ISSUER, 'ec', 599);
    expect(web.asked).toEqual([OPENID, KEYS]);
  });

  it('fetches again after ten minutes, and keeps the old keys during an outage of four days', async () => {
    const problems: unknown[] = [];
    const { web, keys } = setUp({ onProblem: (_issuer, error) => problems.push(error) });
    await keys.find(ISSUER, 'ec', 0);
    web.answers[OPENID] = outage;
    web.answers[OAUTH] = outage;
    expect((await keys.find(ISSUER, 'ec', 600)).kid).toBe('ec');
    expect(web.asked).toEqual([OPENID, KEYS, OPENID, OAUTH]);
    await keys.find(ISSUER, 'ec', 659);
    expect(web.asked).toHaveLength(4);
    expect((await keys.find(ISSUER, 'ec', 345_599)).kid).toBe('ec');
    await expect(Promise.resolve(keys.find(ISSUER, 'ec', 345_600))).rejects.toThrow(
      code('ISSUER_UNREACHABLE'),
    );
    expect(problems).toEqual([outage, outage]);
  });

  it('keeps the old keys when the new ones are damaged', async () => {
    const { web, keys } = setUp();
    await keys.find(ISSUER, 'ec', 0);
    web.answers[KEYS] = '{"keys":"gone"}';
    expect((await keys.find(ISSUER, 'ec', 700)).kid).toBe('ec');
  });

  it('fetches again for an unknown key id, but at most once a minute', async () => {
    const { web, keys } = setUp();
    await keys.find(ISSUER, 'ec', 0);
    await expect(Promise.resolve(keys.find(ISSUER, 'rsa', 30))).rejects.toThrow(
      code('TOKEN_UNKNOWN_KEY'),
    );
    expect(web.asked).toHaveLength(2);
    web.answers[KEYS] = publish(EC, RSA).document;
    expect((await keys.find(ISSUER, 'rsa', 60)).algorithm).toBe('RS256');
    for (let now = 61; now < 120; now += 1)
      await expect(Promise.resolve(keys.find(ISSUER, `x${now}`, now))).rejects.toThrow(
        code('TOKEN_UNKNOWN_KEY'),
      );
    expect(web.asked).toHaveLength(4);
  });

  it('caches a failure for a minute', async () => {
    const { web, keys } = setUp();
    web.answers[OPENID] = 404;
    for (const now of [0, 1, 59])
      await expect(Promise.resolve(keys.find(ISSUER, 'ec', now))).rejects.toThrow(
        code('ISSUER_METADATA_INVALID'),
      );
    expect(web.asked).toHaveLength(2);
    web.answers[OPENID] = METADATA;
    expect((await keys.find(ISSUER, 'ec', 60)).kid).toBe('ec');
  });

  it('fetches again when the clock was set back', async () => {
    const { web, keys } = setUp();
    await keys.find(ISSUER, 'ec', 1e9);
    await keys.find(ISSUER, 'ec', 100);
    expect(web.asked).toHaveLength(4);
  });

  it('evicts the least recently used issuer when it has too many', async () => {
    const { web, keys } = setUp({ maxIssuers: 1 });
    const other = 'https://other.test';
    web.answers[`${other}/.well-known/openid-configuration`] = { issuer: other, jwks_uri: KEYS };
    for (const issuer of [ISSUER, other, ISSUER]) await keys.find(issuer, 'ec', 0);
    expect(web.asked).toHaveLength(6);
  });
});

describe('R28 the key cache on disk', () => {
  it('is used by another process, and after a restart during an outage', async () => {
    const directory = join(mkdtempSync(join(tmpdir(), 'key-cache-')), 'cache');
    const first = network({ [OPENID]: METADATA, [KEYS]: SET });
    await createIssuerKeys({ send: first.send, store: createKeyCache(directory) }).find(
      ISSUER,
      'ec',
      1000,
    );
    const second = network({});
    const keys = createIssuerKeys({ send: second.send, store: createKeyCache(directory) });
    expect((await keys.find(ISSUER, 'ec', 1100)).kid).toBe('ec');
    expect(second.asked).toEqual([]);
    expect((await keys.find(ISSUER, 'ec', 200_000)).kid).toBe('ec');
    expect(second.asked).toEqual([OPENID, OAUTH]);
    rmSync(directory, { recursive: true });
  });

  it.each<[string, (file: string) => void]>([
    ['others may write to', (file) => chmodSync(file, 0o666)],
    ['is a link', (file) => (rmSync(file), symlinkSync('/etc/hostname', file))],
    ['is not JSON', (file) => writeFileSync(file, 'x')],
    [
      'is of another issuer',
      (file) =>
        writeFileSync(file, JSON.stringify({ issuer: 'x', fetchedAt: 1000, document: SET })),
    ],
    [
      'is dated in the future',
      (file) =>
        writeFileSync(file, JSON.stringify({ issuer: ISSUER, fetchedAt: 2000, document: SET })),
    ],
  ])('rejects a file that %s', async (_title, damage) => {
    const directory = mkdtempSync(join(tmpdir(), 'key-cache-'));
    const store = createKeyCache(directory);
    store.write(ISSUER, { document: SET, fetchedAt: 1000 });
    damage(join(directory, readdirSync(directory)[0] ?? ''));
    const web = network({ [OPENID]: METADATA, [KEYS]: SET });
    await createIssuerKeys({ send: web.send, store }).find(ISSUER, 'ec', 1001);
    expect(web.asked).toEqual([OPENID, KEYS]);
    rmSync(directory, { recursive: true });
  });

  it('is in XDG_CACHE_HOME if set, else in the home directory', () => {
    expect(keyCacheDirectory({ XDG_CACHE_HOME: '/c', HOME: '/h' })).toBe('/c/credmon-scitokens');
    expect(keyCacheDirectory({ HOME: '/h' })).toBe('/h/.cache/credmon-scitokens');
  });
});
