// A web server that is killed while it stores a login leaves nothing half: CredD sees the
// token or does not, and a second try works.
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { crashEnvironment, readTrace } from '@credmon/test-fixtures/processes/crash-point';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { root, runOnce } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;

beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());
beforeEach(async () => {
  workspace = createWorkspace();
  await choosePrefix(workspace);
  service = await workspace.addService('mytok', issuer);
});
afterEach(() => workspace.remove());

const home = (): string => join(workspace.credentialDirectory, 'alice');
const file = (kind: string): string => join(home(), `mytok.${kind}`);

/** Every step that makes a login visible, as the file system sees it. */
const STEPS = ['top', 'use', 'meta']
  .flatMap((kind) =>
    ['open', 'write', 'fchmod', 'fsync', 'close'].map((step) => `${step} alice/.mytok.${kind}.tmp`),
  )
  .concat(['rename alice/mytok.meta', 'rename alice/mytok.use', 'rename alice/mytok.top']);

/**
 * Logs in at a web server that dies before change `at`; answers with the link and what
 * the file system saw.
 */
async function logIn(at?: number): Promise<{ url: string; ended: string; trace: string[] }> {
  const { url } = writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
    workspace.keyFileAd(service, 'alice'),
  ]);
  const trace = join(workspace.root, 'trace');
  const environment = crashEnvironment(
    root,
    workspace.credentialDirectory,
    trace,
    at === undefined ? {} : { at },
  );
  const portal = await startPortal(root, workspace, { environment });
  const ended = await loginThroughPortal(url).then(
    () => 'stored',
    (error: Error) => error.message,
  );
  await portal.stop();
  return { url, ended, trace: readTrace(trace) };
}

describe('storing a login', () => {
  it('has exactly the steps at which these tests kill it: .top becomes visible last', async () => {
    const { ended, trace } = await logIn();
    expect(ended).toBe('stored');
    expect(trace.filter((line) => line.includes(' alice/'))).toEqual(STEPS);
    expect(statSync(file('top')).mtimeMs).toBeLessThanOrEqual(statSync(file('use')).mtimeMs);
  });

  it.each(STEPS.map((step, index) => [index + 1, step] as const))(
    'R12 killed before step %d (%s): CredD sees no token, and a second try stores a whole one',
    async (at) => {
      const { url, ended } = await logIn(at);
      expect(ended).toMatch(/hang up|ECONNRESET/);
      expect(existsSync(file('top'))).toBe(false);
      const portal = await startPortal(root, workspace);
      await loginThroughPortal(url);
      await portal.stop();
      // The daemon sweeps up what the dead process left, and can use what the second one
      // stored.
      await runOnce(workspace);
      expect(listing(home())).toEqual(['mytok.meta 400', 'mytok.top 400', 'mytok.use 400']);
      const stored = tokenId(String(readJson(file('top'))['refresh_token']));
      expect(issuer.log.requests.at(-1)).toMatchObject({ outcome: 'issued', issued: stored });
    },
  );
});
