// The daemon's own rotation over many months: no token without its published key, no step
// too early, and trouble told of once.
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  statSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  activeKey,
  issueToken,
  publishKeys,
  readKeyDirectory,
  readKeySet,
  verifyWithKeys,
  type KeySet,
} from '@credmon/scitokens';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createKeyRotation } from '../../src/keys/signing-keys.ts';
import { keyDirectories } from '../../src/host/local-files.ts';
import type { Settings } from '../../src/settings/read.ts';
import { settingsWith } from '../support/access-point.ts';

const DAY = 86_400;
const START = 1_800_000_000;
const STEP = (DAY * 3) / 4;
let root: string;
let directory: string;
let lines: string[];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'credmon-rotation-'));
  directory = join(root, 'keys');
  lines = [];
});
afterEach(() => rmSync(root, { recursive: true, force: true }));

const settings = (knobs: Readonly<Record<string, string>> = {}): Settings =>
  settingsWith({
    LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
    LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://data.example',
    CREDMON_LOCAL_KEY_DIRECTORY: directory,
    CREDMON_LOCAL_KEY_ROTATE: '60 days',
    ...knobs,
  });
const say = (text: string): void => void lines.push(text);
const rotation = (): ReturnType<typeof createKeyRotation> =>
  createKeyRotation(keyDirectories, { error: say, warn: say, info: say, debug: say });
const published = (): KeySet =>
  readKeySet(JSON.parse(readFileSync(join(directory, 'jwks.json'), 'utf8')));
const states = (): string[] => readKeyDirectory(directory).keys.map(({ state }) => state);

it('R32 during 200 days every valid token can be verified with the published keys, and the keys change', () => {
  const now = settings();
  const rotate = rotation();
  const issuer = 'https://ap.example';
  const seen: (readonly string[])[] = [];
  let alive: { readonly token: string; readonly until: number }[] = [];
  for (let time = START; time < START + 200 * DAY; time += STEP) {
    rotate(now, time);
    const keys = published();
    const token = issueToken(
      activeKey(directory, 1200),
      {
        profile: 'scitoken:2.0',
        issuer,
        subject: 'alice',
        scope: ['read:/'],
        audience: 'https://d.example',
        lifetime: DAY,
      },
      { now: time, random: (bytes) => new Uint8Array(bytes) },
    );
    alive = [...alive.filter(({ until }) => until > time), { token, until: time + DAY }];
    for (const one of alive)
      expect(verifyWithKeys(one.token, keys, { now: time, issuers: [issuer] }).claims.sub).toBe(
        'alice',
      );
    seen.push(keys.kids);
    const kid = activeKey(directory, 1200).kid ?? '';
    // Whoever fetched the keys four days ago knows the one that signs now.
    expect(seen.slice(-4 * (DAY / STEP)).every((kids) => kids.includes(kid))).toBe(true);
  }
  expect(states()).toEqual(['retired', 'retired', 'retired', 'active']);
  expect(Math.max(...seen.map((kids) => kids.length))).toBe(2);
});

describe('the daemon', () => {
  it('R32 creates the first key, publishes it, signs with it at once, and logs it', () => {
    rotation()(settings(), START);
    expect(states()).toEqual(['active']);
    expect(lines).toEqual([expect.stringMatching(/^Keys in .*: create, activate \w+$/)]);
    expect(statSync(directory).mode & 0o777).toBe(0o711);
  });

  it('does not rotate without the knob, and never a PEM file', () => {
    rotation()(settings({ CREDMON_LOCAL_KEY_ROTATE: '0' }), START);
    rotation()(settings({ CREDMON_LOCAL_KEY_DIRECTORY: '' }), START);
    expect(lines).toEqual([]);
    expect(() => statSync(directory)).toThrow('ENOENT');
  });

  it('checks once an hour, and at once with a new configuration', () => {
    const now = settings();
    const rotate = rotation();
    rotate(now, START);
    rotate(now, START + 60 * DAY);
    expect(states()).toEqual(['active', 'next']);
    rotate(now, START + 64 * DAY + 1);
    rotate(now, START + 64 * DAY + 2);
    expect(states()).toEqual(['retiring', 'active']);
    rotate(now, START + 64 * DAY + 3600);
    expect(states()).toEqual(['retiring', 'active']);
    rotate(settings(), START + 66 * DAY);
    expect(states()).toEqual(['retired', 'active']);
  });

  it('logs an unusable directory once, and again after it worked', () => {
    const now = settings();
    const rotate = rotation();
    rotate(now, START);
    chmodSync(directory, 0o777);
    for (const hour of [1, 2, 3]) rotate(now, START + hour * 3600);
    expect(lines.slice(1)).toEqual([expect.stringContaining('failed to rotate') as string]);
    chmodSync(directory, 0o711);
    rotate(now, START + 4 * 3600);
    chmodSync(directory, 0o777);
    rotate(now, START + 5 * 3600);
    expect(lines).toHaveLength(3);
  });
});

it('R32 keys of an issuer that the portal does not serve do not count as published; the log says once how to publish them', () => {
  const now = settings({
    LOCAL_CREDMON_ISSUER: 'https://portal.example',
    LOCAL_CREDMON_scitokens_ISSUER: 'https://elsewhere.example',
  });
  const rotate = rotation();
  for (const hour of [0, 1, 2]) rotate(now, START + hour * 3600);
  expect([states(), existsSync(join(directory, 'jwks.json'))]).toEqual([['next'], false]);
  expect(lines.filter((line) => line.includes('keys publish'))).toEqual([
    expect.stringMatching(
      /the portal publishes the keys of https:\/\/portal\.example only; .*condor_credmon keys publish WEBDIR --provider scitokens/,
    ),
  ]);
  mkdirSync(join(root, 'web'));
  publishKeys(directory, 'https://elsewhere.example', join(root, 'web'), START + 3 * 3600);
  rotate(now, START + 4 * 3600);
  expect(states()).toEqual(['active']);
});
