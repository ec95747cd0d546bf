// The built daemon and its metrics: what a monitoring system sees, and that a listener
// that cannot be had stops no renewal.
import { createServer, type Server } from 'node:http';
import { join } from 'node:path';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { ask, samplesOf } from '@credmon/test-fixtures/servers/metrics';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
});
afterAll(() => issuer.close());
beforeEach(() => {
  workspace = createWorkspace({ clientSecret: (service) => `CANARY-${service}` });
});
afterEach(() => workspace.remove());

const ISSUED =
  'condor_credmon_renewals_total{provider="mytok",kind="oauth",outcome="issued",code="none"}';
const logged = (text: string): Promise<unknown> =>
  waitUntil(() => daemonLog(workspace).includes(text), { what: `the log line "${text}"` });
const times = (text: string): number => daemonLog(workspace).split(text).length - 1;
const samples = async (where: string): Promise<Record<string, number>> =>
  samplesOf((await ask(where, '/metrics')).text);
const ready = (where: string): Promise<unknown> =>
  waitUntil(async () => (await ask(where, '/readyz').catch(() => undefined))?.status === 200, {
    what: `/readyz at ${where}`,
  });

/** Occupies a port until it is closed. */
async function squatter(): Promise<{ port: number; server: Server }> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { port: (server.address() as { port: number }).port, server };
}

describe('the metrics of the daemon', () => {
  it('R43 R44 tell of a renewal on a socket that survives kill -9, and of nothing secret', async () => {
    const service = await workspace.addService('mytok', issuer);
    const where = `unix:${join(workspace.root, 'metrics.sock')}`;
    workspace.configure({ CREDMON_METRICS_LISTEN: where });
    await seedToken(workspace, service, 'alice', 'mytok', { age: 500 });
    const first = startDaemon(workspace);
    await ready(where);
    const page = (await ask(where, '/metrics')).text;
    expect(samplesOf(page)).toMatchObject({
      [ISSUED]: 1,
      'condor_credmon_renewal_duration_seconds_count{provider="mytok",kind="oauth"}': 1,
    });
    expect(page).toMatch(/^process_cpu_seconds_total /m);
    expect(page).not.toMatch(/alice|CANARY|eyJ/);
    first.signal('SIGKILL');
    await first.exited;
    const second = startDaemon(workspace);
    await ready(where);
    expect(
      (await samples(where))['condor_credmon_tokens{provider="mytok",kind="oauth",state="fresh"}'],
    ).toBe(1);
    expect(await second.stop()).toEqual({ code: 0, signal: null });
    await expect(ask(where, '/healthz')).rejects.toThrow('ENOENT');
  });

  it('R44 R45 a port in use is said once and stops no renewal; SIGHUP tries again, moves and closes', async () => {
    const service = await workspace.addService('mytok', issuer);
    const { port, server } = await squatter();
    workspace.configure({ CREDMON_METRICS_LISTEN: `127.0.0.1:${port}` });
    await seedToken(workspace, service, 'alice', 'mytok', { age: 500 });
    const daemon = startDaemon(workspace);
    await logged('Successfully renewed alice/mytok');
    expect(times('EADDRINUSE')).toBe(1);
    await seedToken(workspace, service, 'bob', 'mytok', { age: 500 });
    daemon.signal('SIGHUP');
    await logged('Successfully renewed bob/mytok');
    expect(times('EADDRINUSE')).toBe(1);
    await new Promise((resolve) => server.close(resolve));
    daemon.signal('SIGHUP');
    await logged(`Metrics are on 127.0.0.1:${port}`);
    expect([times('EADDRINUSE'), (await samples(`127.0.0.1:${port}`))[ISSUED]]).toEqual([1, 2]);
    const where = `unix:${join(workspace.root, 'moved.sock')}`;
    workspace.configure({ CREDMON_METRICS_LISTEN: where });
    daemon.signal('SIGHUP');
    await ready(where);
    await expect(ask(`127.0.0.1:${port}`, '/healthz')).rejects.toThrow('ECONNREFUSED');
    workspace.configure({ CREDMON_METRICS_LISTEN: '' });
    daemon.signal('SIGHUP');
    await waitUntil(
      () =>
        ask(where, '/healthz').then(
          () => false,
          () => true,
        ),
      { what: 'the end of the listener' },
    );
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  });
});
