// The daemon, whose system calls fail one at a time: the next start has a good token,
// nothing is spent twice, and no file is left over.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { executablePath, type Exit } from '@credmon/test-fixtures/processes/processes';
import { seedToken, writeToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import {
  ONE_POOL_THREAD,
  readCalls,
  startTraced,
  type Injection,
  type SystemCall,
} from '@credmon/test-fixtures/processes/strace';
import { listing, readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { chooseSeed, everyCall, placeOf, sample, seededRandom } from './call-places.ts';
import { daemonLog, root, runOnce } from './daemon-runs.ts';

const ALL = ['openat', 'statx', 'getdents64', 'write', 'fchmod', 'fsync', 'rename', 'unlink'];
const TABLE: Readonly<Record<string, readonly string[]>> = {
  EIO: ALL,
  EROFS: ['openat', 'rename', 'unlink'],
  EACCES: ALL,
  EMFILE: ['openat'],
  EINTR: ALL,
  ENOSPC: ['openat', 'write', 'fsync', 'rename'],
  EDQUOT: ['openat', 'write', 'fsync', 'rename'],
};
const PAIRS = Object.entries(TABLE).flatMap(([error, calls]) =>
  calls.map((call) => [call, error] as const),
);
/**
 * How many calls of one name fail with one error, and how often a call that was missed is
 * tried again.
 */
const EACH = 2;
const TRIES = 4;

let issuer: Issuer;
let workspace: Workspace;
let token: SeededToken;
let calls: readonly SystemCall[];
let random: () => number;

beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
  random = seededRandom(chooseSeed('errors at system calls'));
  await fresh();
  calls = (await run()).calls;
  workspace.remove();
});
afterAll(() => issuer.close());
beforeEach(() => fresh());
afterEach(() => workspace.remove());

/**
 * A due token, and an old file of a process that died: all calls of {@link ALL} occur.
 */
async function fresh(): Promise<void> {
  workspace = createWorkspace({ knobs: { CREDMON_FIRST_RETRY: 1 } });
  const service = await workspace.addService('mytok', issuer);
  token = await seedToken(workspace, service, 'alice', 'mytok', { scopes: 'read', age: 500 });
  issuer.log.requests.length = 0;
  const stray = join(home(), '.other.use.d999999999.1.credmon-tmp');
  writeToken(stray, '{}', Date.now() / 1000 - 90_000);
}

const home = (): string => join(workspace.credentialDirectory, 'alice');

/**
 * strace counts the calls of each thread. The retry at the end is in the main thread: its
 * fsyncs get higher numbers than any of the renewal, so that an error strikes once.
 */
const FSYNCS_OF_MAIN = `data:text/javascript,${encodeURIComponent(
  `import { fsyncSync, openSync } from 'node:fs';
  const none = openSync('/dev/null');
  for (let n = 0; n < 20; n += 1) try { fsyncSync(none); } catch {}`,
)}`;

/** One pass, with or without an error. */
async function run(
  inject?: Injection,
): Promise<{ exit: Exit; output: string; calls: readonly SystemCall[] }> {
  const trace = join(workspace.root, 'trace');
  const child = startTraced(
    [process.execPath, executablePath(root, 'condor_credmon'), '--once'],
    {
      ...workspace.environment,
      ...ONE_POOL_THREAD,
      ...(inject?.call === 'fsync' ? { NODE_OPTIONS: `--import=${FSYNCS_OF_MAIN}` } : {}),
    },
    {
      trace,
      everyThread: inject === undefined || inject.call === 'fsync',
      ...(inject === undefined ? {} : { inject }),
    },
  );
  const exit = await child.exited;
  return { exit, output: child.output, calls: await readCalls(trace) };
}

/**
 * True for a call on a file of the workspace, by its path or below a directory that is
 * open.
 */
function isOfFiles(text: string): boolean {
  return /\/credmon-\w+\/(credentials|secrets)|"\/proc\/self\/fd\/\d+\//.test(text);
}

/** From the lock on, what touches files. */
function ofTheDirectory(): readonly SystemCall[] {
  const first = calls.findIndex(({ text }) => text.includes('/.condor_credmon.lock"'));
  return calls.slice(first).filter(({ text }) => isOfFiles(text));
}

/**
 * The call that failed, and whether the daemon ended by a signal or an error that it did
 * not expect.
 */
interface Failed {
  readonly place: string;
  readonly crashed: boolean;
}

/** Lets `call` fail with `error`; answers with what failed, if anything. */
async function fail(call: SystemCall, error: string): Promise<Failed | undefined> {
  for (let when = call.number; when < call.number + TRIES; when += 1) {
    const failed = await run({ call: call.name, when, error });
    // Node itself ends when it cannot write to its own descriptors, which no disk
    // refuses.
    const hit = failed.calls.find(({ injected, text }) => injected && isOfFiles(text));
    if (hit) {
      const crashed = failed.exit.signal !== null || /\n +at .*:\d+/.test(failed.output);
      return { place: placeOf(hit), crashed };
    }
    workspace.remove();
    await fresh();
  }
  return undefined;
}

/** Lets the disk work again, for as many starts as the longest wait needs. */
async function recover(): Promise<void> {
  for (let starts = 0; starts < 4; starts += 1) {
    await runOnce(workspace);
    if (secondsLeft(token.path('use'), Date.now() / 1000) > 500) return;
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

describe.skipIf(isMissing('strace'))('R13 a system call of a renewal that fails once', () => {
  it.each(PAIRS)('%s with %s: nothing is lost, spent twice or left over', async (name, error) => {
    const places = ofTheDirectory().filter((call) => call.name === name);
    expect(places).not.toEqual([]);
    const failed: string[] = [];
    const sampled = everyCall ? places : sample(places, EACH, random);
    // Node's own writes shift the numbers of calls: where none of the sample is hit, the
    // others are tried.
    const others = places.filter((call) => !sampled.includes(call));
    for (const [index, call] of [...sampled, ...others].entries()) {
      if (index >= sampled.length && failed.length > 0) break;
      if (failed.length > 0) {
        workspace.remove();
        await fresh();
      }
      const hit = await fail(call, error);
      if (hit === undefined) continue;
      failed.push(hit.place);
      await recover();
      const stray = readdirSync(workspace.credentialDirectory).filter((entry) =>
        entry.includes('credmon-tmp'),
      );
      const chain = issuer.log.chain(tokenId(token.refreshToken));
      expect({
        ...hit,
        files: listing(home()),
        stray,
        stored: tokenId(String(readJson(token.path('top'))['refresh_token'])),
        twice: issuer.log.presentedTwice(),
        fresh: secondsLeft(token.path('use'), Date.now() / 1000) > 500 || daemonLog(workspace),
      }).toEqual({
        place: hit.place,
        crashed: false,
        files: ['mytok.meta 400', 'mytok.top 400', 'mytok.use 400'],
        stray: [],
        stored: chain.at(-1),
        twice: [],
        fresh: true,
      });
    }
    expect(failed).not.toEqual([]);
  });
});
