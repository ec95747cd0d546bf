// `condor_credmon revoke` as it is shipped: beside a daemon at work, killed at every
// step, and with keys that the portal publishes.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readKeySet, verifyWithKeys } from '@credmon/scitokens';
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { crashEnvironment, readTrace } from '@credmon/test-fixtures/processes/crash-point';
import { storeCredential } from '@credmon/test-fixtures/files/credd';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { startExecutable, type Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, root, runOnce, startDaemon } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600, accessTokenFormat: 'opaque' });
});
afterAll(() => issuer.close());
beforeEach(async () => {
  workspace = createWorkspace();
  service = await workspace.addService('mytok', issuer);
});
afterEach(async () => {
  await issuer.setFault();
  workspace.remove();
});

const home = (): string => join(workspace.credentialDirectory, 'alice');
const seed = (age = 0): Promise<SeededToken> =>
  seedToken(workspace, service, 'alice', 'mytok', { age });
async function run(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
): Promise<Child> {
  const child = startExecutable(root, 'condor_credmon', argv, {
    ...workspace.environment,
    ...environment,
  });
  await child.exited;
  return child;
}
const revoke = (environment = {}): Promise<Child> => run(['revoke', 'alice', 'mytok'], environment);
const revoked = (from: number): string[] =>
  issuer.revocations.slice(from).map(({ token }) => token);

describe('revoke', () => {
  it('R21 R31 R43 beside a daemon whose renewal is under way: nothing comes back, and no secret is told', async () => {
    const token = await seed(500);
    await issuer.setFault('held');
    const daemon = startDaemon(workspace);
    await issuer.log.until(({ requests }) => requests.some(({ fault }) => fault === 'held'));
    const from = issuer.revocations.length;
    const child = await revoke();
    expect(child.exit).toEqual({ code: 0, signal: null });
    expect(listing(home())).toEqual([]);
    await issuer.setFault();
    await waitUntil(() => daemonLog(workspace).includes('nothing was written'), {
      what: 'the end of the renewal',
    });
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    expect(listing(home())).toEqual([]);
    expect(revoked(from)).toEqual([tokenId(token.refreshToken), tokenId(token.accessToken)]);
    expect(daemonLog(workspace)).toMatch(
      /Audit: revoking alice\/mytok \(oauth\)[^]*Audit: removed alice\/mytok \(oauth\)/,
    );
    const texts = {
      ...textsBelow(workspace.logDirectory),
      revoke: child.output,
      daemon: daemon.output,
    };
    const secrets = {
      refresh: token.refreshToken,
      access: token.accessToken,
      client: service.clientSecret,
    };
    expect(findSecrets(secrets, texts)).toEqual([]);
  });

  const STEPS = [
    'unlink alice/mytok.use',
    'unlink alice/mytok.top',
    'unlink alice/mytok.use',
    'unlink alice/mytok.meta',
    'unlink alice/.mytok.renewal',
  ];

  it('has exactly the steps at which these tests kill it', async () => {
    await seed();
    const trace = join(workspace.root, 'trace');
    await revoke(crashEnvironment(root, workspace.credentialDirectory, trace, {}));
    expect(readTrace(trace)).toEqual(STEPS);
  });

  it.each(STEPS.map((step, index) => [index + 1, step] as const))(
    'R31 killed before step %d (%s) leaves either a token that still works, or none',
    async (at) => {
      const token = await seed();
      const from = issuer.revocations.length;
      const killed = await revoke(
        crashEnvironment(root, workspace.credentialDirectory, join(workspace.root, 'trace'), {
          at,
        }),
      );
      expect(killed.exit).toEqual({ code: null, signal: 'SIGKILL' });
      expect(daemonLog(workspace)).toContain('Audit: revoking alice/mytok (oauth)');
      expect(revoked(from)).toEqual([]);
      const whole = existsSync(token.path('top'));
      expect([at <= 2, existsSync(token.path('use'))]).toEqual([whole, at === 1]);
      await runOnce(workspace);
      expect([existsSync(token.path('top')), existsSync(token.path('use'))]).toEqual([
        whole,
        whole,
      ]);
      const again = await revoke();
      expect([
        again.exit?.code,
        existsSync(token.path('use')),
        existsSync(token.path('top')),
      ]).toEqual([whole ? 0 : 1, false, false]);
      expect(revoked(from)).toHaveLength(whole ? 2 : 0);
    },
  );
});

describe('keys', () => {
  it.each([
    [
      'by command',
      {},
      [['rotate'], ['publish'], ['rotate'], ['rotate', '--begin'], ['publish']],
      2,
    ],
    ['by the daemon alone', { CREDMON_LOCAL_KEY_ROTATE: '90 days' }, [], 1],
  ])(
    'R32 rotated and published %s are signed with, and found at the portal',
    async (_, knobs, commands, count) => {
      await choosePrefix(workspace);
      workspace.configure({
        LOCAL_CREDMON_PROVIDER_NAMES: 'scitokens',
        LOCAL_CREDMON_ISSUER: 'https://ap.example',
        LOCAL_CREDMON_TOKEN_AUDIENCE: 'https://data.example',
        LOCAL_CREDMON_PUBLIC_KEY: join(workspace.root, 'none.pem'),
        CREDMON_LOCAL_KEY_DIRECTORY: join(workspace.root, 'keys'),
        ...knobs,
      });
      const portal = await startPortal(root, workspace);
      try {
        for (const argv of commands) expect((await run(['keys', ...argv])).exit?.code).toBe(0);
        storeCredential(
          { directory: workspace.credentialDirectory, user: 'alice', stem: 'scitokens' },
          'alice',
        );
        await runOnce(workspace);
        const token = String(readJson(join(home(), 'scitokens.use'))['access_token']);
        const answer = await fetch(`${workspace.webPrefix}/.well-known/jwks-uri`);
        const keys = readKeySet(await answer.json());
        expect(keys.kids).toHaveLength(count);
        const options = { now: Date.now() / 1000, issuers: ['https://ap.example'] };
        expect(verifyWithKeys(token, keys, options).claims.sub).toBe('alice');
      } finally {
        await portal.stop();
      }
    },
  );
});
