// A key directory through a whole rotation, and the rejection of a damaged or accessible
// one.
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  activeKey,
  initKeyDirectory,
  issueToken,
  publishInPlace,
  publishKeys,
  readKeyDirectory,
  readKeySet,
  rotateKeys,
  verifyWithKeys,
} from '../../src/index.ts';
import { MOMENT, request } from '../testing.ts';

const ISSUER = 'https://issuer.test/vo';
const DAY = 86400;
const code = (code: string): unknown => expect.objectContaining({ code });
let root = '';
let keys = '';
let web = '';

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'key-directory-'));
  [keys, web] = [join(root, 'keys'), join(root, 'web')];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const published = (): { kids: readonly string[]; set: ReturnType<typeof readKeySet> } => {
  const set = readKeySet(JSON.parse(readFileSync(join(web, '.well-known/jwks.json'), 'utf8')));
  return { kids: set.kids, set };
};
const states = (): string[] => readKeyDirectory(keys).keys.map(({ state }) => state);

describe('R32 a key directory', () => {
  it('completes a rotation; every valid token always has its key', () => {
    initKeyDirectory(keys);
    expect(rotateKeys(keys, { now: 0 }).map(({ step }) => step)).toEqual(['create', 'wait']);
    expect(() => activeKey(keys, 600)).toThrow(code('TOKEN_KEY_UNREADY'));
    publishKeys(keys, ISSUER, web, 10);
    expect(rotateKeys(keys, { now: 10 }).map(({ step }) => step)).toEqual(['activate', 'wait']);
    const old = activeKey(keys, 600);
    const token = issueToken(old, request(), { ...MOMENT, now: 20 });

    expect(rotateKeys(keys, { now: 30, begin: true }).map(({ step }) => step)).toEqual([
      'create',
      'wait',
    ]);
    publishKeys(keys, ISSUER, web, 40);
    expect(published().kids).toHaveLength(2);
    expect(rotateKeys(keys, { now: 40 + 4 * DAY - 1 }).map(({ step }) => step)).toEqual(['wait']);
    expect(activeKey(keys, 600).kid).toBe(old.kid);
    expect(rotateKeys(keys, { now: 40 + 4 * DAY }).map(({ step }) => step)).toEqual([
      'activate',
      'wait',
    ]);
    expect(activeKey(keys, 600).kid).not.toBe(old.kid);
    publishKeys(keys, ISSUER, web, 50 + 4 * DAY);
    expect(verifyWithKeys(token, published().set, { now: 30, issuers: [ISSUER] }).header.kid).toBe(
      old.kid,
    );

    expect(rotateKeys(keys, { now: 40 + 5 * DAY + 300 }).map(({ step }) => step)).toEqual([
      'retire',
      'wait',
    ]);
    publishKeys(keys, ISSUER, web, 50 + 5 * DAY);
    expect(published().kids).toEqual([activeKey(keys, 600).kid]);
    expect(states()).toEqual(['retired', 'active']);
    expect(readdirSync(keys).filter((name) => name.endsWith('.pem'))).toHaveLength(1);
  });

  it('publishes metadata with the issuer and the keys, readable by all users', () => {
    initKeyDirectory(keys);
    rotateKeys(keys, { now: 0, algorithm: 'RS256', style: 'thumbprint' });
    const paths = publishKeys(keys, ISSUER, web, 0);
    expect(paths).toEqual([
      join(web, '.well-known/jwks.json'),
      join(web, '.well-known/openid-configuration'),
    ]);
    expect(JSON.parse(readFileSync(paths[1] ?? '', 'utf8'))).toEqual({
      issuer: ISSUER,
      jwks_uri: `${ISSUER}/.well-known/jwks.json`,
      response_types_supported: ['token'],
      subject_types_supported: ['public'],
      id_token_signing_alg_values_supported: ['RS256'],
    });
    expect(paths.map((path) => statSync(path).mode & 0o777)).toEqual([0o644, 0o644]);
    expect(readFileSync(paths[0] ?? '', 'utf8')).not.toMatch(/"(?:d|p|q)"/);
  });

  it.each([
    ['in place', (now: number): unknown => publishInPlace(keys, now)],
    ['elsewhere', (now: number): unknown => publishKeys(keys, ISSUER, web, now)],
  ])(
    'published %s has every signing key in jwks.json, and its private files stay inaccessible',
    (_, publish) => {
      initKeyDirectory(keys);
      rotateKeys(keys, { now: 0 });
      publish(0);
      rotateKeys(keys, { now: 0 });
      rotateKeys(keys, { now: 0, begin: true });
      publish(10);
      const set = readKeySet(JSON.parse(readFileSync(join(keys, 'jwks.json'), 'utf8')));
      expect(set.kids).toEqual(readKeyDirectory(keys).keys.map(({ kid }) => kid));
      expect(readKeyDirectory(keys).keys.map(({ published }) => published)).toEqual([0, 10]);
      expect(readFileSync(join(keys, 'jwks.json'), 'utf8')).not.toMatch(/"(?:d|p|q)"/);
      const modes = readdirSync(keys).map((name) =>
        (statSync(join(keys, name)).mode & 0o777).toString(8),
      );
      expect(modes.toSorted()).toEqual(['600', '600', '600', '644']);
    },
  );

  it('published in place can be entered, but not listed, by other users', () => {
    initKeyDirectory(keys);
    rotateKeys(keys, { now: 0 });
    expect(publishInPlace(keys, 0)).toBe(join(keys, 'jwks.json'));
    expect(statSync(keys).mode & 0o777).toBe(0o711);
    expect(rotateKeys(keys, { now: 0 }).map(({ step }) => step)).toEqual(['activate', 'wait']);
  });

  it('accepts longer lifetimes, and never shorter ones', () => {
    initKeyDirectory(keys, { longestLifetime: 1000 });
    rotateKeys(keys, { now: 0, longestLifetime: 5000 });
    rotateKeys(keys, { now: 0, longestLifetime: 10 });
    expect(readKeyDirectory(keys).longestLifetime).toBe(5000);
  });

  it('keeps its private files inaccessible', () => {
    initKeyDirectory(keys);
    rotateKeys(keys, { now: 0 });
    expect(statSync(keys).mode & 0o777).toBe(0o700);
    for (const name of readdirSync(keys))
      expect(statSync(join(keys, name)).mode & 0o777).toBe(0o600);
    expect(existsSync(join(keys, '.lock'))).toBe(false);
  });

  it('signs no token that could outlive the publication of its key', () => {
    initKeyDirectory(keys, { longestLifetime: 1000 });
    rotateKeys(keys, { now: 0 });
    publishKeys(keys, ISSUER, web, 0);
    rotateKeys(keys, { now: 0 });
    expect(activeKey(keys, 1000).algorithm).toBe('ES256');
    expect(() => activeKey(keys, 1001)).toThrow(code('TOKEN_KEY_UNREADY'));
  });

  it('takes over the lock of a dead process and respects that of a living one', () => {
    initKeyDirectory(keys);
    const lock = join(keys, '.lock');
    const long = new Date(Date.now() - 120_000);
    // The last two: left by an earlier process with our process id, and by a process
    // whose id was reused.
    for (const [owner, time] of [
      [999_999_999, new Date()],
      [process.pid, new Date()],
      [process.ppid, long],
    ] as const) {
      writeFileSync(lock, String(owner), { mode: 0o600 });
      utimesSync(lock, time, time);
      expect(rotateKeys(keys, { now: 0 }).at(-1)?.step).toBe('wait');
      expect(readdirSync(keys).filter((name) => name.includes('lock'))).toEqual([]);
    }
    writeFileSync(lock, String(process.ppid), { mode: 0o600 });
    expect(() => rotateKeys(keys, { now: 0 })).toThrow(code('TOKEN_KEY_DIRECTORY'));
    expect(readFileSync(lock, 'utf8')).toBe(String(process.ppid));
  });

  it.each<[string, () => void]>([
    ['is missing', () => rmSync(keys, { recursive: true })],
    ['is writable by others', () => chmodSync(keys, 0o777)],
    ['is a file', () => (rmSync(keys, { recursive: true }), writeFileSync(keys, ''))],
    ['has an index that others can read', () => chmodSync(join(keys, 'keys.json'), 0o644)],
    ['has no index', () => rmSync(join(keys, 'keys.json'))],
    ['has a damaged index', () => writeFileSync(join(keys, 'keys.json'), '{')],
    [
      'has an index of another format',
      () =>
        writeFileSync(join(keys, 'keys.json'), '{"keys":[{}],"publishLead":1,"longestLifetime":1}'),
    ],
    [
      'lists a file outside',
      () =>
        writeFileSync(
          join(keys, 'keys.json'),
          readFileSync(join(keys, 'keys.json'), 'utf8').replace(/"file": "/, '"file": "../'),
        ),
    ],
  ])('is rejected when it %s', (_title, damage) => {
    initKeyDirectory(keys);
    rotateKeys(keys, { now: 0 });
    damage();
    expect(() => readKeyDirectory(keys)).toThrow(code('TOKEN_KEY_DIRECTORY'));
  });

  it('does not publish for an issuer without https', () => {
    initKeyDirectory(keys);
    expect(() => publishKeys(keys, 'http://issuer.test', web, 0)).toThrow(code('ENDPOINT_REFUSED'));
  });
});
