// Second checks, each tested in the one case that the first check does not catch.
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlowEvent } from '../src/flow/flow-value.ts';
import { openCredentialFiles } from '../src/host/credential-files.ts';
import type { FlowLog, Ports } from '../src/flow/ports.ts';
import { createFileFlows } from '../src/session-store/file-stores.ts';
import { MAX_LIVE_LOGINS, MAX_LOGINS } from '../src/flow/flow.ts';
import { csrfOf } from './support/browser.ts';
import { KEY, ad, startPortal, type Portal } from './support/portal.ts';

let portal: Portal;
beforeEach(async () => {
  portal = await startPortal();
});
afterEach(() => portal.close());

const HOUR = 3600;
const LIMITS = { idle: 1800, absolute: 8 * HOUR, answer: 60, count: 1000 };

function fileFlows(): FlowLog {
  const clock = { now: () => portal.now, steady: () => portal.now, wait: async () => undefined };
  return createFileFlows(join(portal.directory, 'sessions'), clock, LIMITS);
}

/**
 * The flows of the portal. Events of this type are held until `count` of them wait, then
 * all are written.
 */
function flowsThatMeet(type: FlowEvent['type'], count: number): FlowLog {
  const flows = fileFlows();
  const waiting: (() => void)[] = [];
  return {
    ...flows,
    append: async (id, event) => {
      if (event.type === type)
        await new Promise<void>((resolve) => {
          waiting.push(resolve);
          if (waiting.length === count) for (const go of waiting) go();
        });
      return flows.append(id, event);
    },
  };
}

describe('the claim of a state', () => {
  it('R23 R36 if two returns read the log before either writes, exactly one sends the code to the issuer', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const first = portal.browser();
    await first.open(`/key/${KEY}`);
    const path = first.returnFrom(await first.login('mytok'));
    const flows = flowsThatMeet('returned', 2);
    const here = first.at(await portal.replica({ flows }));
    const there = first.at(await portal.replica({ flows }));
    const pages = await Promise.all([here.get(path), there.get(path)]);
    expect(pages.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([
      303, 410,
    ]);
    expect(portal.sent).toHaveLength(1);
  });
});

describe('the claim of an answer', () => {
  it('R33 R36 if two decisions read the log before either is written, exactly one is carried out', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const first = portal.browser();
    await first.open(`/key/${KEY}`);
    const { location } = await first.get(first.returnFrom(await first.login('mytok')));
    const fields = { _csrf: csrfOf(await first.get(location)), decision: 'store' };
    const files = openCredentialFiles(portal.credentials);
    let writes = 0;
    const counted: Partial<Ports> = {
      flows: flowsThatMeet('decided', 2),
      files: {
        ...files,
        writeToken: (...args) => {
          writes += 1;
          files.writeToken(...args);
        },
      },
    };
    const here = first.at(await portal.replica(counted));
    const there = first.at(await portal.replica(counted));
    const pages = await Promise.all([here.post(location, fields), there.post(location, fields)]);
    expect(pages.map((page) => [page.status, page.location])).toEqual([
      [303, '/'],
      [303, '/'],
    ]);
    expect(writes).toBe(1);
  });
});

describe('R33 a key file that changes to another local user during a sign-in', () => {
  const opened = async () => {
    portal.writeKey(ad());
    const browser = portal.browser();
    const list = await browser.open(`/key/${KEY}`);
    return { browser, csrf: csrfOf(list) };
  };
  const nothingOf = (user: string): boolean => !readdirSync(portal.credentials).includes(user);

  it('is rejected on the page with the question, and when the button is pressed', async () => {
    const { browser, csrf } = await opened();
    portal.writeKey(ad({ LocalUser: 'bob' }));
    expect((await browser.get('/login/mytok')).status).toBe(422);
    expect((await browser.post('/login/mytok', { _csrf: csrf })).status).toBe(422);
  });

  it('is rejected at the return: no code is sent to the issuer, and no token is stored', async () => {
    const { browser } = await opened();
    const login = await browser.login('mytok');
    portal.writeKey(ad({ LocalUser: 'bob' }));
    expect((await browser.complete(login)).status).toBe(422);
    expect([portal.sent, nothingOf('alice'), nothingOf('bob')]).toEqual([[], true, true]);
  });
});

describe('R34 a list', () => {
  it('expires eight hours after its link was opened, even if a sign-in has renewed the browser session', async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    for (let minutes = 0; minutes < 7 * 60; minutes += 20) {
      portal.now += 1200;
      await browser.get('/');
    }
    await browser.complete(await browser.login('mytok'));
    expect((await browser.get('/')).text).toContain('Sign in to other');
    for (let minutes = 0; minutes < 60; minutes += 20) {
      portal.now += 1200;
      await browser.get('/');
    }
    expect((await browser.get('/')).text).toContain('Nothing to sign in for');
    expect((await browser.get('/login/other')).status).toBe(410);
  });

  it('is removed with its flow when another link of the same account replaces it', async () => {
    portal.writeKey(ad());
    portal.writeKey(ad({ Provider: 'other' }), 'cd'.repeat(32));
    const browser = portal.browser();
    const files = (): string[] =>
      readdirSync(join(portal.directory, 'sessions')).filter((name) => name.endsWith('.flow'));
    await browser.open(`/key/${KEY}`);
    const [before] = files();
    await browser.open(`/key/${'cd'.repeat(32)}`);
    expect(files()).toHaveLength(1);
    expect(files()).not.toContain(before);
  });
});

describe('R40 the number of sign-ins of one list', () => {
  it(`is at most ${MAX_LIVE_LOGINS} at the same time and ${MAX_LOGINS} in total; expired logins do not count as waiting`, async () => {
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    const csrf = csrfOf(await browser.open(`/key/${KEY}`));
    const press50 = async (): Promise<number[]> => {
      const statuses: number[] = [];
      for (let number = 0; number < MAX_LIVE_LOGINS; number += 1)
        statuses.push((await browser.post('/login/mytok', { _csrf: csrf })).status);
      return statuses;
    };
    for (let round = 0; round < MAX_LOGINS / MAX_LIVE_LOGINS; round += 1) {
      expect(new Set(await press50())).toEqual(new Set([303]));
      expect((await browser.post('/login/mytok', { _csrf: csrf })).status).toBe(403);
      portal.now += 600;
    }
    expect((await browser.post('/login/mytok', { _csrf: csrf })).status).toBe(403);
    expect(portal.log.join('\n')).toContain('too many logins of this session are in progress');
    expect(portal.log.join('\n')).toContain('too many logins in this list');
  }, 60_000);
});

it('a return reads the log of its flow twice: at its start, and before the session gets a new id', async () => {
  portal.writeKey(ad());
  const flows = fileFlows();
  const calls: string[] = [];
  const counted: FlowLog = {
    ...flows,
    read: (id) => (calls.push('read'), flows.read(id)),
    append: (id, event) => (calls.push(event.type), flows.append(id, event)),
  };
  const browser = await portal.replica({ flows: counted });
  await browser.open(`/key/${KEY}`);
  const path = browser.returnFrom(await browser.login('mytok'));
  calls.length = 0;
  await browser.get(path);
  expect(calls).toEqual(['read', 'returned', 'held', 'read']);
});
