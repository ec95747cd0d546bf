// The test suite of all stores of sessions and flows; each implementation runs it.
import { promisify } from 'node:util';
import type { SessionStore } from '@fastify/session';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { FlowEvent } from '../../src/flow/flow-value.ts';
import { MAX_FLOW_BYTES, MAX_OPEN_PER_USER } from '../../src/flow/flow.ts';
import type { AnswerStore, FlowLog } from '../../src/flow/ports.ts';
import type { SessionLimits } from '../../src/session-store/session-directory.ts';

/** One world: its stores share their data, and its clock is set by hand. */
export interface StoreWorld {
  now: number;
  sessions(limits: SessionLimits): SessionStore;
  flows(limits: SessionLimits): FlowLog;
  answers(limits: SessionLimits): AnswerStore;
  /** The number of sessions and flows, including expired ones. */
  count(): Promise<number>;
  /** The number of answers. */
  countAnswers(): Promise<number>;
  close(): Promise<void>;
}

export const sessionOf = (flow: string) => ({ cookie: { originalMaxAge: null }, flow });

export const promised = (store: SessionStore) => ({
  get: promisify(store.get.bind(store)),
  set: promisify(store.set.bind(store)),
  destroy: promisify(store.destroy.bind(store)),
});

const openedBy = (localUser: string): FlowEvent => ({
  type: 'opened',
  at: 1,
  key: 'k',
  localUser,
  tokens: [],
});
export const openedFlow: FlowEvent = openedBy('alice');
export const failedFlow = (state: string): FlowEvent => ({
  type: 'failed',
  at: 2,
  state,
  code: 'LOGIN_REFUSED',
});

const LIMITS = { idle: 100, absolute: 250, answer: 60, count: 1000 };
/** Ids like those of the portal: the owner tag first. */
const idOf = (owner: string, name: string | number): string => owner.repeat(16) + String(name);
const upTo = (count: number): number[] => Array.from({ length: count }, (_unused, index) => index);

/** Runs the suite. */
export function storeContract(name: string, makeWorld: () => Promise<StoreWorld>): void {
  let world: StoreWorld;
  const openWorld = async (): Promise<void> => {
    world = await makeWorld();
  };
  describe(`a session store in ${name}`, () => {
    beforeEach(openWorld);
    afterEach(() => world.close());
    sessionsContract(() => world);
  });
  describe(`flow logs in ${name}`, () => {
    beforeEach(openWorld);
    afterEach(() => world.close());
    flowsContract(() => world);
  });
  describe(`answers in ${name}`, () => {
    beforeEach(openWorld);
    afterEach(() => world.close());
    answersContract(() => world);
  });
}

function answersContract(world: () => StoreWorld): void {
  const open = (limits: SessionLimits = LIMITS): AnswerStore => world().answers(limits);

  it('R36 are read by every process, replaced, and removed', async () => {
    await open().put('x', 'one');
    expect([await open().read('x'), await open().read('y')]).toEqual(['one', undefined]);
    await open().put('x', 'two');
    expect(await open().read('x')).toBe('two');
    await open().remove('x');
    await open().remove('x');
    expect([await open().read('x'), await world().countAnswers()]).toEqual([undefined, 0]);
  });

  it('R33 expire, even if they are read often', async () => {
    await open().put('x', 'one');
    world().now += 59;
    expect(await open().read('x')).toBe('one');
    world().now += 1;
    expect(await open().read('x')).toBeUndefined();
    expect(await world().countAnswers()).toBe(0);
  });

  it('store a whole token response of many kilobytes', async () => {
    const text = 'x'.repeat(200_000);
    await open().put('x', text);
    expect(await open().read('x')).toBe(text);
  });

  it('R40 limits the answers of one user: removes the oldest, and none of another user', async () => {
    await open().put(idOf('b', 'theirs'), 'b');
    for (const number of upTo(MAX_OPEN_PER_USER + 1)) {
      world().now += 1;
      await open().put(idOf('a', number), 'a');
    }
    expect(await world().countAnswers()).toBe(MAX_OPEN_PER_USER + 1);
    expect(await open().read(idOf('a', 0))).toBeUndefined();
    for (const id of [idOf('a', 1), idOf('a', MAX_OPEN_PER_USER), idOf('b', 'theirs')])
      expect(await open().read(id)).toBeTypeOf('string');
  });

  it('R40 rejects more answers than the limit, until old ones have expired', async () => {
    const answers = open({ ...LIMITS, count: 2 });
    for (const owner of ['a', 'b']) await answers.put(idOf(owner, 1), 'x');
    await expect(answers.put(idOf('c', 1), 'x')).rejects.toMatchObject({
      code: 'SESSION_STORE_FULL',
    });
    world().now += 60;
    await answers.put(idOf('c', 1), 'y');
    expect(await answers.read(idOf('c', 1))).toBe('y');
  });
}

function sessionsContract(world: () => StoreWorld): void {
  const open = (limits: SessionLimits = LIMITS) => promised(world().sessions(limits));

  it('returns a session to every process, only under its id', async () => {
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
    expect(await world().count()).toBe(0);
  });

  it.each([
    ['unused for less than the idle timeout', [99], true],
    ['unused for the idle timeout', [100], false],
    ['used from time to time', [90, 90], true],
    ['used until the absolute timeout', [90, 90, 70], false],
  ])('R34 keeps a session %s', async (_title, waits, found) => {
    const store = open();
    await store.set('one', sessionOf('f1'));
    let last: unknown;
    for (const wait of waits) {
      world().now += wait;
      last = await store.get('one');
    }
    expect(last).toEqual(found ? sessionOf('f1') : null);
    expect(await world().count()).toBe(found ? 1 : 0);
  });

  it('R34 new contents do not extend the absolute timeout', async () => {
    const store = open();
    await store.set('one', sessionOf('f1'));
    for (let step = 0; step < 3; step += 1) {
      world().now += 80;
      await store.set('one', sessionOf(`g${step}`));
    }
    world().now += 10;
    expect(await store.get('one')).toBeNull();
  });

  it('R40 a session that another process changes keeps its age, and no session of its user ends', async () => {
    const one = open();
    for (const number of upTo(MAX_OPEN_PER_USER)) {
      world().now += 1;
      await one.set(idOf('a', number), sessionOf('f'));
    }
    const other = open();
    const changed = { ...(await other.get(idOf('a', 0))), ...sessionOf('f'), offer: 'key' };
    await other.set(idOf('a', 0), changed);
    for (const number of upTo(MAX_OPEN_PER_USER))
      expect(await other.get(idOf('a', number))).toMatchObject({ flow: 'f' });
    for (const seconds of [75, 75, 79]) {
      world().now += seconds;
      expect(await one.get(idOf('a', 0))).toEqual(changed);
    }
    world().now += 2;
    expect(await one.get(idOf('a', 0))).toBeNull();
  });

  it('R40 limits the sessions of one user: removes the least recently used, and none of another user', async () => {
    const store = open({ ...LIMITS, idle: 250 });
    await store.set(idOf('b', 'theirs'), sessionOf('f'));
    for (const number of upTo(MAX_OPEN_PER_USER)) {
      world().now += 1;
      await store.set(idOf('a', number), sessionOf('f'));
    }
    world().now += 40;
    await store.get(idOf('a', 0));
    await store.set(idOf('a', 'last'), sessionOf('f'));
    expect(await world().count()).toBe(MAX_OPEN_PER_USER + 1);
    expect(await store.get(idOf('a', 1))).toBeNull();
    for (const id of [idOf('a', 0), idOf('a', 2), idOf('a', 'last'), idOf('b', 'theirs')])
      expect(await store.get(id)).toEqual(sessionOf('f'));
  });

  it('R40 rejects more sessions than the limit, until old ones have expired', async () => {
    const store = open({ ...LIMITS, count: 3 });
    for (const owner of ['a', 'b', 'c']) await store.set(idOf(owner, 1), sessionOf('f'));
    await expect(store.set(idOf('d', 1), sessionOf('f'))).rejects.toMatchObject({
      code: 'SESSION_STORE_FULL',
    });
    await store.set(idOf('a', 1), sessionOf('g'));
    world().now += 100;
    await store.set(idOf('d', 1), sessionOf('f'));
    expect(await store.get(idOf('d', 1))).toEqual(sessionOf('f'));
  });

  it('rejects a session that is too large', async () => {
    await expect(open().set('one', sessionOf('f'.repeat(5000)))).rejects.toMatchObject({
      code: 'SESSION_STORE_FULL',
    });
    expect(await world().count()).toBe(0);
  });
}

function flowsContract(world: () => StoreWorld): void {
  const open = (limits: SessionLimits = LIMITS): FlowLog => world().flows(limits);

  it('R36 keeps events of all processes in one order', async () => {
    const [one, two] = [open(), open()];
    expect(await one.append('x', openedFlow)).toEqual([openedFlow]);
    expect(await two.append('x', failedFlow('a'))).toEqual([openedFlow, failedFlow('a')]);
    expect(await one.append('x', failedFlow('b'))).toEqual([
      openedFlow,
      failedFlow('a'),
      failedFlow('b'),
    ]);
    expect(await two.read('x')).toEqual([openedFlow, failedFlow('a'), failedFlow('b')]);
    expect(await two.read('y')).toEqual([]);
  });

  it('R36 concurrent appends all see the same first event', async () => {
    await open().append('x', openedFlow);
    const answers = await Promise.all(
      upTo(20).map((number) => open().append('x', failedFlow(`s${number}`))),
    );
    const whole = await open().read('x');
    expect(whole).toHaveLength(21);
    for (const answer of answers) expect(answer).toEqual(whole.slice(0, answer.length));
  });

  it('begins a log only with an opened event, and only once', async () => {
    expect(await open().append('x', failedFlow('a'))).toEqual([]);
    expect(await world().count()).toBe(0);
    await open().append('x', openedFlow);
    await expect(open().append('x', openedFlow)).rejects.toThrow(/EEXIST/);
  });

  it('expires a log some time after its last event', async () => {
    await open().append('x', openedFlow);
    world().now += 249;
    await open().append('x', failedFlow('a'));
    world().now += 249;
    expect(await open().read('x')).toHaveLength(2);
    world().now += 1;
    expect(await open().read('x')).toEqual([]);
  });

  it('removes a log', async () => {
    await open().append('x', openedFlow);
    await open().remove('x');
    await open().remove('x');
    expect([
      await open().read('x'),
      await open().append('x', failedFlow('a')),
      await world().count(),
    ]).toEqual([[], [], 0]);
  });

  it('R40 limits the logs of one user: removes the least recently used', async () => {
    await open().append(idOf('b', 'theirs'), openedFlow);
    for (const number of upTo(MAX_OPEN_PER_USER)) {
      world().now += 1;
      await open().append(idOf('a', number), openedFlow);
    }
    world().now += 1;
    await open().append(idOf('a', 0), failedFlow('s'));
    await open().append(idOf('a', 'last'), openedFlow);
    expect(await world().count()).toBe(MAX_OPEN_PER_USER + 1);
    expect(await open().read(idOf('a', 1))).toEqual([]);
    for (const id of [idOf('a', 0), idOf('a', 2), idOf('a', 'last'), idOf('b', 'theirs')])
      expect(await open().read(id)).not.toEqual([]);
  });

  it('R40 rejects more logs than the limit, until old ones have expired', async () => {
    const flows = open({ ...LIMITS, count: 2 });
    for (const owner of ['a', 'b']) await flows.append(idOf(owner, 1), openedFlow);
    await expect(flows.append(idOf('c', 1), openedFlow)).rejects.toMatchObject({
      code: 'SESSION_STORE_FULL',
    });
    world().now += 250;
    expect(await flows.append(idOf('c', 1), openedFlow)).toHaveLength(1);
  });

  it('R40 accepts no new login in a full log, but logins in progress can finish', async () => {
    const begun: FlowEvent = {
      type: 'begun',
      at: 1,
      state: 's',
      stem: 'a',
      verifier: 'v'.repeat(30_000),
    };
    await open().append('x', openedFlow);
    const fit = Math.floor(MAX_FLOW_BYTES / 30_100);
    for (const _number of upTo(fit)) await open().append('x', begun);
    await expect(open().append('x', begun)).rejects.toMatchObject({ code: 'SESSION_STORE_FULL' });
    expect(await open().append('x', failedFlow('s'))).toHaveLength(fit + 2);
    await expect(open().append('y', openedBy('x'.repeat(MAX_FLOW_BYTES)))).rejects.toMatchObject({
      code: 'SESSION_STORE_FULL',
    });
    expect(await open().append('y', failedFlow('s'))).toEqual([]);
  });
}
