// What every session store must do, whatever it keeps sessions in; each implementation runs this suite.
import { promisify } from 'node:util';
import type { SessionStore } from '@fastify/session';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SessionLimits } from '../../src/session-store/file-sessions.ts';

/** One world: stores opened in it share what they keep, and its clock stands still. */
export interface StoreWorld {
  now: number;
  open(limits: SessionLimits): SessionStore;
  /** How many sessions are kept. */
  count(): number;
  close(): void;
}

export const sessionOf = (flow: string) => ({ cookie: { originalMaxAge: null }, flow });

export const promised = (store: SessionStore) => ({
  get: promisify(store.get.bind(store)),
  set: promisify(store.set.bind(store)),
  destroy: promisify(store.destroy.bind(store)),
});

/** Runs the suite. */
export function sessionStoreContract(name: string, makeWorld: () => StoreWorld): void {
  describe(`a session store in ${name}`, () => {
    let world: StoreWorld;
    beforeEach(() => {
      world = makeWorld();
    });
    afterEach(() => world.close());
    const open = () => promised(world.open({ idle: 100, absolute: 250 }));

    it('gives back what was set, also to another process, and only under its id', async () => {
      await open().set('one', sessionOf('f1'));
      expect(await open().get('one')).toEqual(sessionOf('f1'));
      expect(await open().get('two')).toBeNull();
    });

    it('replaces and destroys', async () => {
      const store = open();
      await store.set('one', sessionOf('f1'));
      await store.set('one', sessionOf('f2'));
      expect(await store.get('one')).toEqual(sessionOf('f2'));
      await store.destroy('one');
      await store.destroy('one');
      expect(await store.get('one')).toBeNull();
      expect(world.count()).toBe(0);
    });

    it.each([
      ['unused for less than the idle time-out', [99], true],
      ['unused for the idle time-out', [100], false],
      ['used now and then', [90, 90], true],
      ['used until the absolute time-out', [90, 90, 70], false],
    ])('R34 keeps a session %s', async (_title, waits, found) => {
      const store = open();
      await store.set('one', sessionOf('f1'));
      let last: unknown;
      for (const wait of waits) {
        world.now += wait;
        last = await store.get('one');
      }
      expect(last).toEqual(found ? sessionOf('f1') : null);
      expect(world.count()).toBe(found ? 1 : 0);
    });

    it('R34 a new content does not prolong the absolute time-out', async () => {
      const store = open();
      await store.set('one', sessionOf('f1'));
      for (let step = 0; step < 3; step += 1) {
        world.now += 80;
        await store.set('one', sessionOf(`g${step}`));
      }
      world.now += 10;
      expect(await store.get('one')).toBeNull();
    });
  });
}
