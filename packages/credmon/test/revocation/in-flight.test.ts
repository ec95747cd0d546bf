// A token that is removed while the daemon is about to renew it does not come back,
// whatever kind of provider renews it.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CredentialStore } from '@credmon/core/store';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../src/daemon/pass.ts';
import { bench, json, meta, useText, type Bench } from '../support/bench.ts';

const LOCAL = {
  LOCAL_CREDMON_PROVIDER_NAMES: 'own',
  LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://data.example',
};
const CLIENT = {
  CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
  CLIENT_CREDMON_svc_CLIENT_ID: 'me',
  CLIENT_CREDMON_svc_CLIENT_SECRET_FILE: '/secret',
  CLIENT_CREDMON_svc_TOKEN_URL: 'https://issuer.example/token',
};
const EXEC = {
  EXEC_CREDMON_PROVIDER_NAMES: 'prog',
  EXEC_CREDMON_prog_COMMAND: '/bin/true',
};

/** Nobody has to act, so it is not an error. */
const nothingWritten = (stem: string): string =>
  `info alice/${stem}: its .top was removed during the renewal; nothing was written`;

let on: Bench;
let directory: string;
const remove = (stem: string): void => {
  for (const kind of ['use', 'top', 'meta'])
    rmSync(join(on.directory, 'alice', `${stem}.${kind}`), { force: true });
};

/**
 * A bench whose scans are followed by a removal, as by `revoke`, before anything that
 * they found is renewed.
 */
function removedAfterScan(stem: string, knobs: Readonly<Record<string, string>>): void {
  on = bench({
    knobs,
    store: (real: CredentialStore) => ({
      ...real,
      scan: async (now, habits) => {
        const scan = await real.scan(now, habits);
        remove(stem);
        return scan;
      },
    }),
  });
}
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-in-flight-'));
});
afterEach(() => {
  for (const path of [on.directory, directory]) rmSync(path, { recursive: true, force: true });
});

describe('a token that is removed between the scan and its renewal', () => {
  it.each([
    ['local', 'own', LOCAL],
    ['client credentials', 'svc', CLIENT],
    ['exec', 'prog', EXEC],
    ['oauth', 'mytok', {}],
  ])('R21 R31 %s is not made again', async (_, stem, knobs) => {
    const keys = {
      LOCAL_CREDMON_PRIVATE_KEY: join(directory, 'key.pem'),
      LOCAL_CREDMON_PUBLIC_KEY: join(directory, 'key.pub'),
    };
    removedAfterScan(stem, { ...knobs, ...keys });
    const context = {
      ...on.context,
      readSecret: () => ({ ok: true, value: 'canary-secret' }) as const,
    };
    const old = on.clock.now() - 5000;
    on.seed('alice', stem, {
      top: '{"refresh_token":"r1"}',
      use: useText(old, 600),
      ...(stem === 'mytok' ? { meta: meta() } : {}),
    });
    await (
      await beginPass(context, on.lookup, on.memory)
    ).settled;
    expect(on.has('alice', `${stem}.use`)).toBe(false);
    expect(on.has('alice', `${stem}.top`)).toBe(false);
  });
});

describe('a token that is removed during the request to its issuer', () => {
  beforeEach(() => {
    on = bench({ knobs: CLIENT });
  });

  it.each([
    ['client credentials', 'svc'],
    ['oauth', 'mytok'],
  ])('R21 R31 %s is not written', async (_, stem) => {
    const context = {
      ...on.context,
      readSecret: () => ({ ok: true, value: 'canary-secret' }) as const,
    };
    on.seed('alice', stem, {
      top: '{"refresh_token":"r1"}',
      use: useText(on.clock.now() - 5000, 600),
      meta: meta(),
    });
    on.answer = async () => {
      remove(stem);
      return json({
        access_token: 'new',
        token_type: 'bearer',
        expires_in: 600,
        refresh_token: 'r2',
      });
    };
    await (
      await beginPass(context, on.lookup, on.memory)
    ).settled;
    expect(on.asked.length).toBe(1);
    expect(on.has('alice', `${stem}.use`)).toBe(false);
    expect(on.has('alice', `${stem}.top`)).toBe(false);
    expect(on.lines.filter((line) => !line.startsWith('debug '))).toEqual([nothingWritten(stem)]);
  });
});
