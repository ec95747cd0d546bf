// The limits of the session store: a link cannot fill the disk, and a full disk loses no
// login.
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '@credmon/core/base';
import type { FlowEvent } from '../src/flow/flow-value.ts';
import { createFileFlows } from '../src/session-store/file-stores.ts';
import { KEY, ad, startPortal, tokens, type Portal } from './support/portal.ts';

let portal: Portal;
afterEach(() => portal.close());

const folder = (): string => join(portal.directory, 'sessions');
/** The number of files of each kind. */
const kept = (): Record<string, number> => {
  const kinds = readdirSync(folder()).map((name) => name.split('.').at(-1) ?? '');
  return Object.fromEntries(
    [...new Set(kinds)].map((kind) => [kind, kinds.filter((one) => one === kind).length]),
  );
};
const flowTexts = (): string[] =>
  readdirSync(folder())
    .filter((name) => name.endsWith('.flow'))
    .map((name) => readFileSync(join(folder(), name), 'utf8'));

describe('a link', () => {
  it('R40 that a program opens again and again does not fill the disk', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    for (let opening = 0; opening < 60; opening += 1) await portal.browser().get(`/key/${KEY}`);
    expect(kept()).toEqual({ flow: 20, session: 20 });
  });

  it('opened again in the same browser shows the same list, and a login in progress can finish', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const login = await browser.login('mytok');
    for (let opening = 0; opening < 5; opening += 1) await browser.open(`/key/${KEY}`);
    expect(kept()).toEqual({ flow: 1, session: 1 });
    expect((await browser.complete(login)).status).toBe(303);
  });

  it('opened after another one of the same account removes the other list and its waiting answers', async () => {
    portal = await startPortal();
    const browser = portal.browser();
    for (const [key, name] of [
      [KEY, 'first'],
      ['cd'.repeat(32), 'second'],
    ] as const) {
      portal.writeKey(ad({ Provider: name }), key);
      await browser.open(`/key/${key}`);
      if (name === 'first') await browser.get(browser.returnFrom(await browser.login('first')));
    }
    expect(kept()).toEqual({ flow: 1, session: 1 });
    expect((await browser.get('/')).text).toContain('Sign in to second for alice');
  });

  it('to a large key file stores only the names', async () => {
    portal = await startPortal();
    portal.writeKey(
      ad({
        Scopes: `canary-scope ${'storage.read:/x '.repeat(10_000)}`,
        Audience: 'canary-audience',
      }),
    );
    const browser = portal.browser();
    expect((await browser.open(`/key/${KEY}`)).text).toContain('canary-scope');
    portal.answer = () => tokens({ scope: 'other' });
    const login = await browser.login('mytok');
    expect(flowTexts().join('')).not.toMatch(/canary|storage\.read/);
    expect(flowTexts().join('').length).toBeLessThan(1000);
    await browser.complete(login);
    expect(flowTexts().join('')).not.toMatch(/canary-(access|refresh)/);
    expect(flowTexts().join('').length).toBeLessThan(2500);
  });

  it('R41 that was used is explained to others, and shows "all done" in its own browser', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    await browser.complete(await browser.login('mytok'));
    const again = await browser.open(`/key/${KEY}`);
    expect([again.status, again.text.includes('All done')]).toEqual([200, true]);
    const elsewhere = await portal.browser().get(`/key/${KEY}`);
    expect([elsewhere.status, elsewhere.text.includes('submit your job again')]).toEqual([
      404,
      true,
    ]);
  });

  it('requests a token again that was removed after the sign-in', async () => {
    portal = await startPortal();
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    await browser.complete(await browser.login('mytok'));
    expect((await browser.get('/')).text).toContain('1 is still missing');
    rmSync(join(portal.credentials, 'alice/mytok.top'));
    expect((await browser.get('/')).text).toContain('2 are still missing');
  });

  it('R41 whose key file was removed before the list is complete is explained, without a link to the list', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    rmSync(join(portal.credentials, KEY));
    const list = await browser.get('/');
    expect([list.status, list.text.includes('Back to your list')]).toEqual([404, false]);
  });
});

describe('a flow', () => {
  it('R40 limits its logins; opening the link again begins a new flow', async () => {
    portal = await startPortal({ loginSeconds: 30, sessionSeconds: 80_000 });
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    for (let count = 0; count < 200; count += 1) {
      if (count % 40 === 0) portal.now += 40;
      expect((await browser.login('mytok')).status).toBe(303);
    }
    portal.now += 40;
    const page = await browser.login('mytok');
    expect([page.status, page.text.includes('open the link from condor_submit again')]).toEqual([
      403,
      true,
    ]);
    await browser.open(`/key/${KEY}`);
    expect((await browser.login('mytok')).status).toBe(303);
    expect(kept()).toEqual({ flow: 1, session: 1 });
  }, 60_000);

  it('R40 does not grow by late or repeated callbacks', async () => {
    portal = await startPortal();
    portal.writeKey([ad(), ad({ Provider: 'other' })].join('\n'));
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const [late, twice] = [await browser.login('mytok'), await browser.login('other')];
    await browser.complete(twice);
    portal.now += 600;
    const before = flowTexts();
    for (const login of [late, twice, late, twice]) await browser.complete(login);
    expect(flowTexts()).toEqual(before);
  });
});

describe('a full store', () => {
  it('R41 is explained on a page, and nothing is left', async () => {
    portal = await startPortal({ sessionCount: 2 });
    const open = async (user: string) => {
      const key = user.repeat(64);
      portal.writeKey(ad({ LocalUser: user }), key);
      return portal.browser().get(`/key/${key}`);
    };
    expect([(await open('a')).status, (await open('b')).status]).toEqual([303, 303]);
    const page = await open('c');
    expect([page.status, /<h1>([^<]*)/.exec(page.text)?.[1]]).toEqual([
      503,
      'Too many sign-ins in progress',
    ]);
    expect(page.text).toContain('CREDMON_WEB_SESSION_LIMIT');
    expect(kept()).toEqual({ flow: 2, session: 2 });
  });

  it('R41 does not turn a stored login into a failure', async () => {
    const clock = { now: () => portal.now, steady: () => portal.now, wait: async () => undefined };
    const full = { types: [] as FlowEvent['type'][] };
    const flows = () =>
      createFileFlows(folder(), clock, { idle: 1800, absolute: 28_800, answer: 60, count: 1000 });
    portal = await startPortal(
      {},
      {
        flows: {
          read: (id) => flows().read(id),
          remove: (id) => flows().remove(id),
          append: async (id, event) => {
            if (full.types.includes(event.type))
              throw new CodedError('SESSION_STORE_FULL', 'no space left');
            return flows().append(id, event);
          },
        },
      },
    );
    portal.writeKey(ad());
    const browser = portal.browser();
    await browser.open(`/key/${KEY}`);
    const login = await browser.login('mytok');
    full.types = ['completed'];
    expect((await browser.complete(login)).status).toBe(303);
    expect((await browser.get('/')).text).toContain('All done');
    expect(portal.log.filter((line) => line.includes('failed to record an event'))).toHaveLength(1);
  });
});
