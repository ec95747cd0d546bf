// The portal, killed by the kernel at the system calls from the browser's return to the
// end of the login.
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { startIssuer, tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { walkToReturn } from '@credmon/test-fixtures/browsers/login-return';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import {
  attachTrace,
  parseCalls,
  type Injection,
  type SystemCall,
} from '@credmon/test-fixtures/processes/strace';
import { listing, readJson } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import {
  chooseSeed,
  everyCall,
  isChange,
  isInternal,
  nextNumber,
  placeOf,
  sample,
  seededRandom,
} from './call-places.ts';
import { root, runOnce } from './daemon-runs.ts';

/** Calls beside those that change files of the token. */
const OTHERS = 6;
const TRIES = 8;
const WHOLE = ['mytok.meta 400', 'mytok.top 400', 'mytok.use 400'];

let issuer: Issuer;
beforeAll(async () => {
  issuer = await startIssuer();
});
afterAll(() => issuer.close());

/**
 * What became of one login. `place` is the call at which the portal died; undefined when
 * it lived.
 */
interface Fate {
  readonly place: string | undefined;
  readonly calls: readonly SystemCall[];
}

/**
 * Logs in up to the issuer's redirect, traces the portal from there to the end, and
 * checks what a second try makes of what is left.
 */
async function logInKilledAt(inject?: Injection): Promise<Fate> {
  const workspace = createWorkspace();
  try {
    await choosePrefix(workspace);
    const service = await workspace.addService('mytok', issuer);
    const ad = workspace.keyFileAd(service, 'alice');
    const { url } = writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [ad]);
    const portal = await startPortal(root, workspace);
    const trace = join(workspace.root, 'trace');
    try {
      const back = await walkToReturn(url, workspace.webPrefix);
      const tracer = await attachTrace(portal.pid, {
        trace,
        ...(inject === undefined ? {} : { inject }),
      });
      await back.finish().catch((error: Error) => error);
      if (portal.exit === undefined) tracer.signal('SIGTERM');
      await tracer.exited;
    } finally {
      await portal.stop();
    }
    const calls = parseCalls(readFileSync(trace, 'utf8'));
    const died =
      (await portal.exited).signal === 'SIGKILL'
        ? calls.findLast(({ returned }) => !returned)
        : undefined;
    await afterDeath(workspace, url);
    return { place: died && placeOf(died), calls };
  } finally {
    workspace.remove();
  }
}

/**
 * A second try always ends with a whole token, and the daemon's next pass leaves nothing
 * else.
 */
async function afterDeath(workspace: Workspace, url: string): Promise<void> {
  const home = join(workspace.credentialDirectory, 'alice');
  const visible = existsSync(home) ? readdirSync(home).filter((name) => !name.startsWith('.')) : [];
  const seen = visible.includes('mytok.top');
  expect(seen ? visible.sort() : ['mytok.meta', 'mytok.top', 'mytok.use']).toEqual([
    'mytok.meta',
    'mytok.top',
    'mytok.use',
  ]);
  const portal = await startPortal(root, workspace);
  try {
    const again = await loginThroughPortal(url).then(
      () => 'stored',
      (error: Error) => error.message,
    );
    // Killed after the key file was removed: everything is stored, and the link is used
    // up.
    expect(again).toMatch(seen ? /stored|404/ : /^stored$/);
  } finally {
    await portal.stop();
  }
  await runOnce(workspace);
  expect([
    listing(home),
    readdirSync(workspace.credentialDirectory).filter((name) => /tmp/.test(name)),
  ]).toEqual([WHOLE, []]);
  const stored = tokenId(String(readJson(join(home, 'mytok.top'))['refresh_token']));
  expect(
    issuer.log.requests.filter(({ outcome }) => outcome === 'issued').map(({ issued }) => issued),
  ).toContain(stored);
  expect(issuer.log.presentedTwice()).toEqual([]);
}

describe.skipIf(isMissing('strace'))('R12 R36 kill -9 at the system calls of a login', () => {
  it('never shows a .top without whole .use and .meta, and a second try ends with a whole token', async () => {
    const random = seededRandom(chooseSeed('kill at system calls of the portal'));
    const { calls } = await logInKilledAt();
    const changes = calls.filter((call) => isChange(call) && placeOf(call).includes('mytok'));
    const count = (name: string): number =>
      changes.filter((call) => call.name.startsWith(name)).length;
    // Three files of a token: each is made durable and renamed.
    expect(['fsync', 'rename', 'fchmod'].map((name) => count(name) >= 3)).toEqual([
      true,
      true,
      true,
    ]);
    const others = calls.filter((call) => !changes.includes(call) && !isInternal(call));
    const fates: Fate[] = [];
    for (const { name, number } of everyCall ? calls : sample(others, OTHERS, random))
      fates.push(await logInKilledAt({ call: name, when: number, signal: 'SIGKILL' }));
    // The other steps of each file are struck one by one in kill-portal.test.ts.
    const struckAlways = changes.filter(({ name }) => everyCall || /^(fsync|rename)/.test(name));
    for (const call of struckAlways) fates.push(...(await strikeAt(call)));
    const struck = fates.flatMap(({ place }) => place ?? []);
    console.log(`${struck.length} kills delivered`);
    expect(struckAlways.map(placeOf).filter((place) => !struck.includes(place))).toEqual([]);
  });
});

/** Kills at the place of `call`, whose number varies a little. */
async function strikeAt(call: SystemCall): Promise<readonly Fate[]> {
  const fates: Fate[] = [];
  let when = call.number;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const fate = await logInKilledAt({ call: call.name, when, signal: 'SIGKILL' });
    fates.push(fate);
    if (fate.place === placeOf(call)) break;
    when = nextNumber(call, fate.calls, when);
  }
  return fates;
}
