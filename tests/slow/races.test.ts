// What CredD may do while a renewal is under way: store again, delete, sweep. The daemon
// never brings back what has gone.
import {
  deleteCredential,
  markUser,
  storeCredential,
  sweep,
} from '@credmon/test-fixtures/files/credd';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import type { Child, Exit } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { existsSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, startDaemon } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let token: SeededToken;
let daemon: Child;

beforeEach(async () => {
  issuer = await startIssuer();
  workspace = createWorkspace();
  service = await workspace.addService('mytok', issuer);
  token = await seedToken(workspace, service, 'alice', 'mytok', { age: 3000 });
  await issuer.setFault('held', { times: 1 });
  daemon = startDaemon(workspace, ['--once']);
  // The issuer has rotated by now, and holds its answer back.
  await issuer.log.until((log) => log.successes('refresh_token').length === 1);
});
afterEach(async () => {
  await daemon.stop();
  await issuer.close();
  workspace.remove();
});

const name = (): Parameters<typeof storeCredential>[0] => ({
  directory: workspace.credentialDirectory,
  user: 'alice',
  stem: 'mytok',
});

/** Lets the issuer answer, and waits for the end of the pass. */
async function answered(): Promise<Exit> {
  await issuer.setFault();
  return daemon.exited;
}

const WHOLE = ['mytok.meta 400', 'mytok.top 400', 'mytok.use 400'];

/** What stands there at the end. */
function filesOf({ path }: SeededToken): { top: unknown; use: unknown; files: string[] } {
  return {
    top: readJson(path('top'))['refresh_token'],
    use: readJson(path('use'))['access_token'],
    files: listing(join(workspace.credentialDirectory, 'alice')),
  };
}

describe('R21 while the issuer answers', () => {
  it('a swept user stays swept', async () => {
    markUser(workspace.credentialDirectory, 'alice');
    expect(sweep(workspace.credentialDirectory, 0, Date.now() / 1000 + 1)).toEqual(['alice']);
    expect(await answered()).toEqual({ code: 0, signal: null });
    expect(
      readdirSync(workspace.credentialDirectory).filter((entry) => entry.startsWith('alice')),
    ).toEqual([]);
    expect(daemonLog(workspace)).toMatch(
      /alice\/mytok: .*(swept|removed) during the renewal; nothing was written/,
    );
  });

  it('a deleted credential stays deleted', async () => {
    deleteCredential(name());
    await answered();
    expect(listing(join(workspace.credentialDirectory, 'alice'))).toEqual(['mytok.meta 400']);
    expect(daemonLog(workspace)).toMatch(/alice\/mytok: its \.top was removed/);
  });

  it('a user who was swept and has logged in again keeps the new login, whole', async () => {
    markUser(workspace.credentialDirectory, 'alice');
    sweep(workspace.credentialDirectory, 0, Date.now() / 1000 + 1);
    const again = await seedToken(workspace, service, 'alice', 'mytok');
    await answered();
    expect(filesOf(again)).toEqual({
      top: again.refreshToken,
      use: again.accessToken,
      files: WHOLE,
    });
  });

  it('a new login keeps all its files', async () => {
    const again = await seedToken(workspace, service, 'alice', 'mytok');
    await answered();
    expect(filesOf(again)).toEqual({
      top: again.refreshToken,
      use: again.accessToken,
      files: WHOLE,
    });
  });

  it('a user who is marked, and not swept yet, gets the renewed token; the mark stays', async () => {
    markUser(workspace.credentialDirectory, 'alice');
    await answered();
    expect(existsSync(join(workspace.credentialDirectory, 'alice.mark'))).toBe(true);
    const { top, use, files } = filesOf(token);
    const chain = issuer.log.chain(tokenId(token.refreshToken));
    expect([tokenId(String(top)), use === token.accessToken, files]).toEqual([
      chain.at(-1),
      false,
      WHOLE,
    ]);
  });

  it('a file in place of the directory stays as it is, and nothing is written beside it', async () => {
    const home = join(workspace.credentialDirectory, 'alice');
    rmSync(home, { recursive: true });
    writeFileSync(home, 'a file');
    await answered();
    expect(readFileSync(home, 'utf8')).toBe('a file');
    expect(
      readdirSync(workspace.credentialDirectory).filter((entry) => entry.includes('tmp')),
    ).toEqual([]);
  });

  it('a newer .top stays, and is what the next renewal uses', async () => {
    const stored = readFileSync(token.path('top'), 'utf8');
    const fresh = await seedToken(workspace, service, 'alice', 'fresh');
    storeCredential(
      name(),
      JSON.stringify({ ...(JSON.parse(stored) as object), refresh_token: fresh.refreshToken }),
    );
    await answered();
    expect(readJson(token.path('top'))['refresh_token']).toBe(fresh.refreshToken);
    expect(daemonLog(workspace)).toMatch(/alice\/mytok: a newer \.top was stored/);
    daemon = startDaemon(workspace, ['--once']);
    await daemon.exited;
    expect(issuer.log.requests.at(-1)?.presented).toBe(tokenId(fresh.refreshToken));
    expect(readJson(token.path('use'))['access_token']).not.toBe(token.accessToken);
  });

  it('R22 SIGTERM waits for the answer and writes it', async () => {
    daemon.signal('SIGTERM');
    expect(await answered()).toEqual({ code: 0, signal: null });
    expect(readJson(token.path('use'))['access_token']).not.toBe(token.accessToken);
    const chain = issuer.log.chain(tokenId(token.refreshToken));
    expect(tokenId(String(readJson(token.path('top'))['refresh_token']))).toBe(chain.at(-1));
    expect(issuer.log.presentedTwice()).toEqual([]);
  });
});
