// Token endpoints that answer as none should, all at once: nothing leaks or is forged, no
// redirect is followed, and others are served.
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import {
  ODD_ANSWERS,
  OTHER_TOKENS,
  redirects,
  startMuteServer,
  startOddEndpoint,
  type OddEndpoint,
} from '@credmon/test-fixtures/servers/odd-answers';
import {
  executablePath,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import { seedToken, writeToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';

/**
 * Most memory that the daemon may ever have, in KiB; a 200 MB answer must not be held.
 */
const MOST_MEMORY = 400 * 1024;
let issuer: Issuer;
let thief: CaptureServer;
let workspace: Workspace;
let good: readonly SeededToken[];
let endpoints: OddEndpoint[];
let daemon: Child | undefined;

beforeEach(async () => {
  endpoints = [];
  [issuer, thief] = await Promise.all([startIssuer({ accessTokenTtl: 600 }), startCaptureServer()]);
  workspace = createWorkspace({ knobs: { CREDMON_REQUEST_TIMEOUT: 3, CREDMON_FIRST_RETRY: 1 } });
  const service = await workspace.addService('mytok', issuer);
  const users = ['good0', 'good1', 'good2'];
  good = await Promise.all(
    users.map((user) => seedToken(workspace, service, user, 'mytok', { age: 500 })),
  );
});
afterEach(async () => {
  await daemon?.stop();
  daemon = undefined;
  for (const endpoint of endpoints) endpoint.close();
  await Promise.all([issuer.close(), thief.close()]);
  workspace.remove();
});

const file = (name: string): string => join(workspace.credentialDirectory, 'alice', name);
const isFresh = ({ path, accessToken }: SeededToken): boolean =>
  readJson(path('use'))['access_token'] !== accessToken &&
  secondsLeft(path('use'), Date.now() / 1000) > 500;
const refreshToken = (stem: string): string => `canary-refresh-token-of-${stem}`;
const accessToken = (stem: string): string => `canary-access-token-of-${stem}`;

/** A due token of alice for a provider at `tokenUrl`. */
function addToken(stem: string, tokenUrl: string): void {
  const home = join(workspace.credentialDirectory, 'alice');
  mkdirSync(home, { recursive: true, mode: 0o700 });
  workspace.configure({
    [`${stem}_CLIENT_ID`]: 'c',
    [`${stem}_CLIENT_SECRET_FILE`]: workspace.secretFile(stem, `canary-client-secret-of-${stem}\n`),
    [`${stem}_TOKEN_URL`]: tokenUrl,
  });
  const at = Math.floor(Date.now() / 1000) - 500;
  const use = {
    access_token: accessToken(stem),
    token_type: 'bearer',
    issued_at: at,
    expires_at: at + 600,
  };
  writeToken(file(`${stem}.use`), JSON.stringify(use), at);
  writeToken(file(`${stem}.top`), JSON.stringify({ refresh_token: refreshToken(stem) }), at);
}

/**
 * What the log must never have: a line that is not ours, a control character, a secret.
 */
function expectPlainLog(stems: readonly string[]): void {
  const text = daemonLog(workspace);
  const lines = text.split('\n').slice(0, -1);
  expect(
    lines.filter(
      (line) => !/^\d\d\/\d\d\/\d\d \d\d:\d\d:\d\d /.test(line) || line.includes('\u001b'),
    ),
  ).toEqual([]);
  expect(lines.filter((line) => line.startsWith('01/01/26 00:00:00'))).toEqual([]);
  const secrets = Object.fromEntries(
    stems.flatMap((stem) => [
      [`${stem} refresh token`, refreshToken(stem)],
      [`${stem} rotated`, `canary-rotated-${stem}`],
      [`${stem} access token`, accessToken(stem)],
      [`${stem} client secret`, `canary-client-secret-of-${stem}`],
    ]),
  );
  expect(findSecrets(secrets, { log: text, printed: daemon?.output ?? '' })).toEqual([]);
}

describe('R14 R43 odd answers of token endpoints', () => {
  it('forge no line, leak no secret, lead nowhere, and hold nobody up; a rotated refresh token is kept', async () => {
    const answers = [...ODD_ANSWERS, ...redirects(`${thief.url}/token`)];
    const stems = answers.map((_, n) => `odd${n}`);
    for (const [n, answer] of answers.entries()) {
      const endpoint = await startOddEndpoint(answer, `canary-rotated-odd${n}`);
      endpoints.push(endpoint);
      addToken(`odd${n}`, endpoint.url);
    }
    daemon = startDaemon(workspace, ['-d']);
    await waitUntil(() => good.every(isFresh), { what: 'the good tokens' });
    await waitUntil(() => endpoints.every(({ requests }) => requests.length > 0), {
      what: 'a request for each',
    });
    const kept = endpoints.filter(({ keeps }) => keeps).map(({ rotated }) => rotated);
    const stored = (): string[] =>
      stems.map((stem) => String(readJson(file(`${stem}.top`))['refresh_token']));
    await waitUntil(() => kept.every((rotated) => stored().includes(rotated)), {
      what: 'the kept refresh tokens',
    });
    const memory = Number(
      /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1],
    );
    expect(memory).toBeLessThan(MOST_MEMORY);
    // The end waits for what is under way, as long as an answer may take.
    daemon.signal('SIGTERM');
    expect(await daemon.exited).toEqual({ code: 0, signal: null });
    expect(thief.requests).toEqual([]);
    expectPlainLog(stems);
    for (const [n, stem] of stems.entries()) {
      const top = stored()[n];
      const mayBe = [refreshToken(stem), endpoints[n]?.rotated, ...OTHER_TOKENS];
      expect([endpoints[n]?.name, mayBe.includes(top)]).toEqual([endpoints[n]?.name, true]);
      expect(Object.keys(readJson(file(`${stem}.use`)))).toContain('access_token');
    }
    expect(issuer.log.presentedTwice()).toEqual([]);
  });

  it('a handshake that never ends and an address of IPv6 that nobody serves hold nobody up', async () => {
    const mute = await startMuteServer();
    addToken('mute', `https://127.0.0.1:${mute.port}/token`);
    addToken('dead', 'http://[::1]:9/token');
    daemon = startDaemon(workspace);
    await waitUntil(() => good.every(isFresh), { what: 'the good tokens' });
    await waitUntil(
      () => ['mute', 'dead'].every((stem) => daemonLog(workspace).includes(`alice/${stem}`)),
      {
        what: 'both failures',
      },
    );
    expect((await daemon.stop()).signal).toBe(null);
    mute.close();
    expectPlainLog(['mute', 'dead']);
    expect(readJson(file('mute.top'))).toEqual({ refresh_token: refreshToken('mute') });
  });

  it.skipIf(isMissing('unshare'))(
    'R1 names that no name server answers for hold nobody up',
    async () => {
      const resolver = createSocket('udp4');
      const address = `127.77.${1 + (process.pid % 250)}.53`;
      resolver.bind(53, address);
      await once(resolver, 'listening');
      const configuration = join(workspace.root, 'resolv.conf');
      writeFileSync(configuration, `nameserver ${address}\n`);
      for (let n = 0; n < 12; n += 1) addToken(`lost${n}`, `https://name-${n}.invalid/token`);
      const script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"';
      const program = [process.execPath, executablePath(root, 'condor_credmon')];
      const namespace = [
        '--mount',
        '--propagation',
        'private',
        'sh',
        '-c',
        script,
        'sh',
        configuration,
      ];
      daemon = startProcess('unshare', [...namespace, ...program], workspace.environment);
      let asked = 0;
      resolver.on('message', () => {
        asked += 1;
      });
      await waitUntil(() => good.every(isFresh) && asked > 0, { what: 'the good tokens' });
      const later = await seedToken(workspace, serviceOf(), 'late', 'mytok', { age: 500 });
      daemon.signal('SIGHUP');
      await waitUntil(() => isFresh(later), { what: 'a token of the next pass' });
      await daemon.stop();
      resolver.close();
      expect([asked > 0, daemonLog(workspace).includes('Got SIGTERM')]).toEqual([true, true]);
      expectPlainLog([]);
    },
  );
});

/** The good service once more. */
function serviceOf(): Parameters<typeof seedToken>[1] {
  return { name: 'mytok', issuer, clientId: 'mytok-client', clientSecret: 'mytok-secret' };
}
