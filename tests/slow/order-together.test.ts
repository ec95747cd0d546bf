// Many tokens that are renewed together, as the kernel sees it: the order of fsync and
// rename of each token, and what a kill between grouped fsyncs leaves.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { executablePath } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import {
  ONE_POOL_THREAD,
  startTraced,
  type Injection,
} from '@credmon/test-fixtures/processes/strace';
import { listing, readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { root, runOnce } from './daemon-runs.ts';

const USERS = ['alice', 'bob', 'carol'];
const STEMS = ['mytok', 'mytok_a', 'mytok_b', 'mytok_c'];
let issuer: Issuer;
let workspace: Workspace;
let tokens: SeededToken[];
let trace: string;

beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
});
afterAll(() => issuer.close());
beforeEach(async () => {
  workspace = createWorkspace();
  trace = join(workspace.root, 'trace');
  const service = await workspace.addService('mytok', issuer);
  tokens = [];
  for (const user of USERS)
    for (const stem of STEMS)
      tokens.push(await seedToken(workspace, service, user, stem, { age: 500 }));
  issuer.log.requests.length = 0;
  await issuer.setFault('held');
});
afterEach(() => workspace.remove());

async function renewAll(inject?: Injection): Promise<string | null> {
  const child = startTraced(
    [process.execPath, executablePath(root, 'condor_credmon'), '--once'],
    { ...workspace.environment, ...ONE_POOL_THREAD },
    { trace, everyThread: true, ...(inject === undefined ? {} : { inject }) },
  );
  // All answers arrive together, also on a slow machine.
  await issuer.log.until(({ requests }) => requests.length >= tokens.length);
  await issuer.setFault();
  return (await child.exited).signal;
}

const stored = (token: SeededToken): string =>
  tokenId(String(readJson(token.path('top'))['refresh_token']));
const isRenewed = (token: SeededToken): boolean =>
  secondsLeft(token.path('use'), Date.now() / 1000) > 500;

/**
 * The ends of fsyncs and the renames, in order: `fsync NAME`, and `rename NAME` with the
 * descriptor of the directory.
 */
function steps(): string[] {
  const path = (text: string): string =>
    text
      .replace(/^.*\/credentials\//, '')
      .replace(/\/\.([^/]+?)\.d\d+\.\d+\.credmon-tmp$/, '/$1 (temporary)');
  const begun = new Map<string, string>();
  return readFileSync(trace, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const thread = /^\d+/.exec(line)?.[0] ?? '';
      const synced = /\bfsync\(\d+<([^>]+)>/.exec(line)?.[1];
      if (synced !== undefined) {
        begun.set(thread, `fsync ${path(synced)}`);
        if (line.endsWith('<unfinished ...>')) return [];
      }
      if (synced !== undefined || line.includes('<... fsync resumed>'))
        return [begun.get(thread) ?? ''];
      const [, directory, name] =
        /\brename\("(?:\/proc\/self\/fd\/\d+\/)[^"]+", "(\/proc\/self\/fd\/\d+)\/([^"]+)"/.exec(
          line,
        ) ?? [];
      return directory === undefined ? [] : [`rename ${name} ${directory}`];
    });
}

/** Where the `.top` and the `.use` of each token of this stem were renamed. */
function renamesOf(calls: readonly string[], stem: string): { top: number; use: number }[] {
  return calls.flatMap((call, top) => {
    const [, directory] = call.split(`rename ${stem}.top `);
    if (directory === undefined) return [];
    const use = calls.indexOf(`rename ${stem}.use ${directory}`, top);
    return use < 0 ? [] : [{ top, use }];
  });
}

/** True if each list can have a user of its own. */
function isMatching([first, ...rest]: readonly (readonly string[])[]): boolean {
  if (first === undefined) return true;
  return first.some((user) =>
    isMatching(rest.map((users) => users.filter((other) => other !== user))),
  );
}

describe.skipIf(isMissing('strace'))('tokens that are renewed together', () => {
  it('R11 each .top is durable, then renamed, then its directory durable, before .use is visible; one fsync of a directory serves several', async () => {
    await renewAll();
    expect(tokens.map(isRenewed)).toEqual(tokens.map(() => true));
    const calls = steps();
    for (const stem of STEMS) {
      const pairs = renamesOf(calls, stem);
      expect(pairs).toHaveLength(USERS.length);
      // A rename names no user: each pair must fit another one.
      const fitting = pairs.map(({ top, use }) =>
        USERS.filter((user) => {
          const synced = calls.indexOf(`fsync ${user}/${stem}.top (temporary)`);
          const durable = calls.slice(top, use).includes(`fsync ${user}`);
          return synced >= 0 && synced < top && durable;
        }),
      );
      const isOrdered = isMatching(fitting);
      expect({ stem, fitting, calls, isOrdered }).toMatchObject({ isOrdered: true });
    }
    const directories = calls.filter((call) => USERS.some((user) => call === `fsync ${user}`));
    expect(directories.length).toBeLessThan(tokens.length);
  });

  it.each([1, 2, 3, 5, 8, 12, 18, 24, 26])(
    'R12 killed at fsync %d of all: every answer that has arrived is kept, and none is spent twice',
    async (when) => {
      const before = tokens.map((token) => tokenId(token.refreshToken));
      expect(await renewAll({ call: 'fsync', when, signal: 'SIGKILL' })).toBe('SIGKILL');
      const staged = readFileSync(trace, 'utf8');
      await runOnce(workspace);
      await runOnce(workspace);
      const isLost = (token: SeededToken, at: number): boolean =>
        stored(token) !== issuer.log.chain(before[at] ?? '').at(-1);
      const lost = tokens.filter(isLost);
      // Only an answer that the process had not read when it died is lost.
      const begun = lost.filter(({ user, stem }) => staged.includes(`${user}/.${stem}.top.`));
      const kept = tokens.filter((token) => !lost.includes(token));
      expect([begun, kept.filter((token) => !isRenewed(token))]).toEqual([[], []]);
      expect(issuer.log.presentedTwice()).toHaveLength(lost.length);
      for (const user of USERS)
        expect(
          listing(join(workspace.credentialDirectory, user)).filter((name) => name.includes('tmp')),
        ).toEqual([]);
    },
  );
});
