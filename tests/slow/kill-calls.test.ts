// The daemon, killed by the kernel at the system calls of a renewal: at every one that
// changes a file, and at a sample of the others.
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { executablePath } from '@credmon/test-fixtures/processes/processes';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import {
  ONE_POOL_THREAD,
  readCalls,
  startTraced,
  type Injection,
  type SystemCall,
} from '@credmon/test-fixtures/processes/strace';
import { listing, readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import {
  chooseSeed,
  everyCall,
  holds,
  isChange,
  isInternal,
  nextNumber,
  ofTheRenewal,
  placeOf,
  sample,
  seededRandom,
} from './call-places.ts';
import { root, runOnce } from './daemon-runs.ts';

/** Calls beside those that change files. */
const OTHERS = 14;
/**
 * Numbers of calls vary a little between runs: a place that was missed is tried again so
 * often.
 */
const TRIES = 5;

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer({ accessTokenTtl: 600 });
});
afterAll(() => issuer.close());

/**
 * What became of one killed renewal. `place` is the call at which the process died;
 * undefined when it lived.
 */
interface Fate {
  readonly place: string | undefined;
  readonly calls: readonly SystemCall[];
  readonly end: 'kept' | 'lost' | 'not killed';
}

const WHOLE = ['mytok.meta 400', 'mytok.top 400', 'mytok.use 400'];

/**
 * Renews a due token in a daemon under strace, starts it again after its death, and
 * checks what is left.
 */
async function renewKilledAt(inject?: Injection): Promise<Fate> {
  const workspace = createWorkspace();
  try {
    const service = await workspace.addService('mytok', issuer);
    await seedToken(workspace, service, 'alice', 'mytok', { scopes: 'read', age: 500 });
    issuer.log.requests.length = 0;
    const trace = join(workspace.root, 'trace');
    const daemon = startTraced(
      [process.execPath, executablePath(root, 'condor_credmon')],
      { ...workspace.environment, ...ONE_POOL_THREAD },
      {
        trace,
        everyThread: inject === undefined || inject.call === 'fsync',
        ...(inject === undefined ? {} : { inject }),
      },
    );
    const complete = join(workspace.credentialDirectory, 'CREDMON_COMPLETE');
    await waitUntil(() => daemon.exit !== undefined || existsSync(complete), { what: 'a pass' });
    const killed = (await daemon.stop()).signal === 'SIGKILL';
    const calls = await readCalls(trace);
    const died = killed
      ? calls.findLast(({ name, returned }) => !returned && name === inject?.call)
      : undefined;
    return {
      place: died && placeOf(died),
      calls,
      end: killed ? await afterDeath(workspace, calls) : 'not killed',
    };
  } finally {
    workspace.remove();
  }
}

/**
 * Starts the daemon again and says whether the token is still good; a token may only be
 * lost before the first byte of it was written.
 */
async function afterDeath(
  { credentialDirectory, ...workspace }: Workspace,
  calls: readonly SystemCall[],
): Promise<'kept' | 'lost'> {
  const home = join(credentialDirectory, 'alice');
  const sent = calls.some(({ text, returned }) => text.includes('POST /token') && returned);
  // The issuer answers also those who have gone.
  if (sent) await issuer.log.until(({ requests }) => requests.length > 0);
  const rotated = issuer.log.successes('refresh_token').at(-1)?.issued;
  const kept =
    rotated === undefined || readdirSync(home).some((name) => holds(join(home, name), rotated));
  const written = calls.some(
    ({ name, text, returned }) =>
      name.includes('write') && text.includes('.mytok.top.') && returned,
  );
  await runOnce({ credentialDirectory, ...workspace });
  const newest = issuer.log.successes('refresh_token').at(-1)?.issued;
  const stray = readdirSync(credentialDirectory).filter((name) => name.includes('credmon-tmp'));
  const reuses = issuer.log.reuses().length;
  const facts = {
    kept,
    stray,
    reuses,
    files: listing(home),
    twice: issuer.log.presentedTwice().length,
  };
  if (!kept) {
    expect({ ...facts, written }).toEqual({
      kept,
      stray: [],
      reuses: 1,
      files: ['.mytok.renewal 600', ...WHOLE],
      twice: 1,
      written: false,
    });
    return 'lost';
  }
  expect(facts).toEqual({ kept, stray: [], reuses: 0, files: WHOLE, twice: 0 });
  expect(tokenId(String(readJson(join(home, 'mytok.top'))['refresh_token']))).toBe(newest);
  expect(secondsLeft(join(home, 'mytok.use'), Date.now() / 1000)).toBeGreaterThan(500);
  return 'kept';
}

describe.skipIf(isMissing('strace'))(
  'R11 R12 R13 kill -9 at the system calls of a renewal with rotation',
  () => {
    it('loses a token only before its first byte is on the disk, spends none twice, and leaves no stray file', async () => {
      const random = seededRandom(chooseSeed('kill at system calls'));
      const renewal = ofTheRenewal((await renewKilledAt()).calls);
      const changes = renewal.filter(isChange);
      const count = (name: string): number =>
        changes.filter((call) => call.name.startsWith(name)).length;
      // Both files of the token and the directory after .top; the pid file needs no fsync.
      expect([count('fsync') >= 3, count('rename') >= 3, count('fchmod') >= 3]).toEqual([
        true,
        true,
        true,
      ]);

      const fates: Fate[] = [];
      const others = renewal.filter((call) => !isChange(call) && !isInternal(call));
      for (const { name, number } of everyCall ? renewal : sample(others, OTHERS, random))
        fates.push(await renewKilledAt({ call: name, when: number, signal: 'SIGKILL' }));
      for (const call of changes) fates.push(...(await strikeAt(call)));

      const struck = fates.flatMap(({ place }) => place ?? []);
      // The numbers of opens and writes depend on the threads of Node; kill.test.ts
      // strikes those of temporary files for certain.
      const certain = changes.filter(({ name }) => !/open|write/.test(name)).map(placeOf);
      const missed = certain.filter((place) => !struck.includes(place));
      const lost = fates.filter(({ end }) => end === 'lost').map(({ place }) => place);
      console.log(`${struck.length} kills delivered, lost at: ${lost.join(', ') || 'none'}`);
      expect(missed).toEqual([]);
    });
  },
);

/** Kills at the place of `call`, with the number that the last run gave it. */
async function strikeAt(call: SystemCall): Promise<readonly Fate[]> {
  const fates: Fate[] = [];
  let when = call.number;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const fate = await renewKilledAt({ call: call.name, when, signal: 'SIGKILL' });
    fates.push(fate);
    if (fate.place === placeOf(call)) break;
    when = nextNumber(call, fate.calls, when);
  }
  return fates;
}
