// The daemon, killed by the kernel at each system call that changes a file, while it
// renews a standing token from a login.
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { executablePath } from '@credmon/test-fixtures/processes/processes';
import {
  readCalls,
  startTraced,
  type Injection,
  type SystemCall,
} from '@credmon/test-fixtures/processes/strace';
import { listing } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { holds, isChange, nextNumber, ofTheRenewal, placeOf } from './call-places.ts';
import { root, runOnce } from './daemon-runs.ts';
import { configureStanding, labClient, seedLogin, type StandingPlace } from './standing-logins.ts';

/**
 * Numbers of calls vary a little between runs: a place that was missed is tried again so
 * often.
 */
const TRIES = 5;

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer({ clients: [labClient], accessTokenTtl: 600 });
});
afterAll(() => issuer.close());

/** What became of one killed renewal. `place` is the call at which the process died. */
interface Fate {
  readonly place: string | undefined;
  readonly calls: readonly SystemCall[];
  readonly end: 'kept' | 'lost' | 'not killed';
}

/** Renews under strace, starts the daemon again after its death, and checks what is left. */
async function renewKilledAt(inject?: Injection): Promise<Fate> {
  const workspace = createWorkspace();
  try {
    const place = configureStanding(workspace, issuer);
    await seedLogin(issuer, place);
    issuer.log.requests.length = 0;
    const trace = join(workspace.root, 'trace');
    const daemon = startTraced(
      [process.execPath, executablePath(root, 'condor_credmon')],
      workspace.environment,
      { trace, ...(inject === undefined ? {} : { inject }) },
    );
    const complete = join(workspace.credentialDirectory, 'CREDMON_COMPLETE');
    await waitUntil(() => daemon.exit !== undefined || existsSync(complete), { what: 'a pass' });
    const killed = (await daemon.stop()).signal === 'SIGKILL';
    const calls = await readCalls(trace);
    const died = killed ? calls.findLast(({ returned }) => !returned) : undefined;
    return {
      place: died && placeOf(died),
      calls,
      end: killed ? await afterDeath(workspace, place, calls) : 'not killed',
    };
  } finally {
    workspace.remove();
  }
}

/** A grant may only be lost before the first byte of its `.top` was written. */
async function afterDeath(
  workspace: Workspace,
  { file, folder, stored }: StandingPlace,
  calls: readonly SystemCall[],
): Promise<'kept' | 'lost'> {
  const sent = calls.some(({ text, returned }) => text.includes('POST /token') && returned);
  // The issuer answers also those who have gone.
  if (sent) await issuer.log.until(({ requests }) => requests.length > 0);
  const rotated = issuer.log.successes('refresh_token').at(-1)?.issued;
  const kept =
    rotated === undefined || readdirSync(folder).some((name) => holds(join(folder, name), rotated));
  const written = calls.some(
    ({ name, text, returned }) => name.includes('write') && text.includes('.ce1.top.') && returned,
  );
  await runOnce(workspace);
  const { log } = issuer;
  const stray = [workspace.credentialDirectory, folder, join(file, '..')]
    .flatMap((directory) => readdirSync(directory))
    .filter((name) => name.includes('credmon-tmp'));
  if (!kept) {
    expect({ written, reuses: log.reuses().length, stray, files: listing(folder) }).toEqual({
      written: false,
      reuses: 1,
      stray: [],
      files: ['.ce1.renewal 600', 'ce1.top 400'],
    });
    return 'lost';
  }
  expect({
    reuses: log.reuses(),
    twice: log.presentedTwice(),
    stray,
    files: listing(folder),
  }).toEqual({ reuses: [], twice: [], stray: [], files: ['ce1.top 400'] });
  expect(stored()).toBe(log.successes('refresh_token').at(-1)?.issued);
  const token = readFileSync(file, 'utf8').trim();
  expect(await verifyToken(issuer, token)).toMatchObject({ scope: 'compute.read' });
  return 'kept';
}

describe.skipIf(isMissing('strace'))(
  'R11 R12 R13 kill -9 at the system calls of the renewal of a standing token',
  () => {
    it('loses a grant only before its first byte is on the disk, spends none twice, and leaves no stray file', async () => {
      const changes = ofTheRenewal((await renewKilledAt()).calls).filter(isChange);
      const places = changes.map(placeOf);
      const top = places.indexOf('rename ce1.top');
      // The refresh token and its directory are durable before the token is visible.
      expect([
        top > places.indexOf('fsync .ce1.top.tmp') && places.includes('fsync .ce1.top.tmp'),
        places.indexOf('fsync standing') > top,
        places.indexOf('rename ce1') > places.indexOf('fsync standing'),
      ]).toEqual([true, true, true]);

      const fates: Fate[] = [];
      for (const call of changes) fates.push(...(await strikeAt(call)));
      const struck = fates.flatMap(({ place }) => place ?? []);
      const certain = changes.filter(({ name }) => !/open|write/.test(name)).map(placeOf);
      const lost = fates.filter(({ end }) => end === 'lost').map(({ place }) => place);
      console.log(`${struck.length} kills delivered, lost at: ${lost.join(', ') || 'none'}`);
      expect(certain.filter((place) => !struck.includes(place))).toEqual([]);
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
