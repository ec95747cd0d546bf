// The users' view of a running daemon: when its directory is opened, and that nothing that
// goes wrong there concerns a renewal.
import type { AccountIds } from '@credmon/core/config';
import { expect, it } from 'vitest';
import { type DaemonParts, createWakeUp } from '../../src/daemon/loop.ts';
import { beginPass } from '../../src/daemon/pass.ts';
import { addUserView } from '../../src/daemon/user-view.ts';
import type { RequestBoxOptions } from '../../src/host/request-box.ts';
import type { RunDirectory } from '../../src/host/run-directory.ts';
import { parseHeartbeat } from '../../src/status/status-file.ts';
import { parseResult } from '../../src/requests/request.ts';
import { settingsWith } from '../support/access-point.ts';
import { bench, meta, useText, type Bench } from '../support/bench.ts';

const top = (token: string): string => JSON.stringify({ refresh_token: token });

function viewOf(on: Bench, knobs: Readonly<Record<string, string>> = {}) {
  const state = { fault: undefined as string | undefined, intact: true };
  const did: string[] = [];
  const answers: string[] = [];
  const lookedUp: string[] = [];
  const accounts = new Map<string, AccountIds | 'none'>([['alice', { uid: 1, gid: 1 }]]);
  let take: RequestBoxOptions['take'] = () => undefined;
  const files = new Map<string, string>();
  const failIf = (what: string): void => {
    if (state.fault?.startsWith(what) === true) throw new Error(state.fault);
  };
  const open = (path: string): RunDirectory => {
    failIf('open');
    did.push(`open ${path}`);
    return {
      path,
      requests: `${path}/requests`,
      results: `${path}/results`,
      taken: `${path}/taken`,
      statusFiles: {
        write: (user, text) => {
          failIf('write');
          files.set(user, text);
        },
        remove: (user) => void files.delete(user),
        keepOnly: () => undefined,
      },
      beat: (text) => {
        failIf('beat');
        did.push(`beat ${parseHeartbeat(text)?.checked_at}`);
      },
      isIntact: () => state.intact,
      close: () => {
        did.push('close');
        failIf('close');
      },
    };
  };
  const say = (text: string): void => void on.lines.push(text);
  const settings = settingsWith({ RUN: '/run/condor', ...knobs }, on.directory);
  const plain: DaemonParts = {
    context: on.context,
    memory: on.memory,
    log: { error: say, warn: say, info: say, debug: () => undefined },
    wake: createWakeUp(),
    stop: new AbortController().signal,
    lookup: () => on.lookup,
    reload: () => undefined,
    complete: () => did.push('complete'),
    graceSeconds: () => 1,
  };
  const view = addUserView(plain, {
    settings: () => settings,
    open,
    openBox: (options) => {
      failIf('box');
      ({ take } = options);
      return {
        look: () => void did.push('look'),
        answer: ({ id }, text) => {
          const result = parseResult(text);
          answers.push(`${id} ${result?.result} ${result?.message ?? ''}`.trim());
        },
        close: () => void did.push('close box'),
      };
    },
    accounts: { known: () => ({ uid: 1, gid: 1 }), lookUp: async () => undefined },
    askers: {
      known: (name) => accounts.get(name),
      lookUp: async (names) => {
        lookedUp.push(...names);
        if (names.includes('slow')) await new Promise(() => undefined);
      },
    },
    isUser: (name) => ['alice', 'bob', 'slow'].includes(name),
    process: { pid: 77, pidNamespace: 'pid:[1]' },
  });
  const pass = async (): Promise<void> => {
    const { settled } = await beginPass(view.parts.context, on.lookup, on.memory);
    await settled;
    view.parts.complete();
    await new Promise((resolve) => setImmediate(resolve));
  };
  const ask = async (uid: number, user = 'alice'): Promise<void> => {
    take({ id: `of${uid}`, uid, gid: 1, user, stem: 'mytok' });
    await new Promise((resolve) => setImmediate(resolve));
  };
  return { state, did, files, view, pass, ask, answers, accounts, lookedUp, wake: plain.wake };
}

function seeded(): Bench {
  const on = bench();
  on.seed('alice', 'mytok', { top: top('r1'), meta: meta() });
  on.seed('alice', 'mytok', { use: useText(on.clock.now() - 600, 1000) });
  return on;
}
const stateOf = (text = ''): unknown =>
  (JSON.parse(text) as { tokens: readonly { state: string }[] }).tokens.map(({ state }) => state);

it('opens at the first pass; a renewal is shown by the pass that follows soon', async () => {
  const on = seeded();
  const { did, files, view, pass } = viewOf(on);
  expect(view.parts.nextLook?.(1)).toBe(Number.POSITIVE_INFINITY);
  await pass();
  expect(did).toEqual(['open /run/condor/credmon', 'complete', `beat ${on.clock.now()}`, 'look']);
  expect(stateOf(files.get('alice'))).toEqual(['due']);
  expect([1, 0].map((started) => view.parts.nextLook?.(started))).toEqual([
    1,
    Number.POSITIVE_INFINITY,
  ]);
  on.clock.advance(1);
  await pass();
  expect(stateOf(files.get('alice'))).toEqual(['fresh']);
  on.memory.inFlight.add('bob/mytok');
  expect(view.parts.nextLook?.(0)).toBe(5);
  view.close();
  expect(did.at(-1)).toBe('close');
});

it('the heartbeat is written at the end of a pass, every quarter of a minute at the most', async () => {
  const on = seeded();
  const { did, pass } = viewOf(on);
  const start = on.clock.now();
  for (const step of [0, 10, 10, 10, 10]) {
    on.clock.advance(step);
    await pass();
  }
  expect(did.filter((what) => what.startsWith('beat'))).toEqual([
    `beat ${start}`,
    `beat ${start + 20}`,
    `beat ${start + 40}`,
  ]);
});

it.each(['open: EACCES', 'box: EIO', 'write: ENOSPC', 'beat: EROFS', 'close: EIO'])(
  '%s is logged once, the token is renewed all the same, and it works again later',
  async (fault) => {
    const on = seeded();
    const { state, files, view, pass } = viewOf(on);
    state.fault = fault;
    for (let round = 0; round < 3; round += 1) {
      await pass();
      on.clock.advance(61);
    }
    if (fault.startsWith('close')) view.close();
    expect(on.asked).toHaveLength(1);
    expect(on.lines.filter((line) => line.includes(fault))).toHaveLength(1);
    state.fault = undefined;
    await pass();
    expect(stateOf(files.get('alice'))).toEqual(['fresh']);
  },
);

it('a directory that was replaced is opened again, and all is written again', async () => {
  const on = seeded();
  const { state, did, files, pass } = viewOf(on);
  await pass();
  on.clock.advance(1);
  await pass();
  files.clear();
  state.intact = false;
  await pass();
  expect(did.slice(-3)).toEqual(['close box', 'close', 'complete']);
  expect(files.size).toBe(0);
  state.intact = true;
  on.clock.advance(60);
  await pass();
  expect(did.filter((what) => what.startsWith('open'))).toHaveLength(2);
  expect([...files.keys()]).toEqual(['alice']);
});

it('the owner of a token and root may ask for it, nobody else, and each is logged', async () => {
  const on = seeded();
  const { pass, ask, answers, accounts, wake, view } = viewOf(on);
  await pass();
  expect(wake.pending).toBe(false);
  await ask(2);
  await ask(1, 'bob');
  accounts.set('bob', 'none');
  await ask(1, 'bob');
  expect(wake.pending).toBe(false);
  expect(answers).toEqual([
    'of2 refused only root and alice may ask for it',
    'of1 refused the account bob cannot be looked up now; ask again later',
    'of1 refused only root and bob may ask for it',
  ]);
  expect(on.lines).toContain(
    'Renewal of alice/mytok requested by user id 2 is rejected: only root and alice may ask for it',
  );
  await ask(1);
  expect([wake.pending, view.parts.nextLook?.(0)]).toEqual([true, 2]);
  expect(on.lines).toContain('Renewal of alice/mytok requested by user id 1');
  on.clock.advance(60);
  await pass();
  await ask(0);
  view.close();
  expect(answers.slice(3)).toEqual(['of1 renewed', 'of0 refused condor_credmon was stopped']);
});

it('a name without a directory is refused without a look-up', async () => {
  const { pass, ask, answers, lookedUp } = viewOf(seeded());
  await pass();
  for (const name of ['nobody1', '(standing)']) await ask(7, name);
  expect(answers).toEqual([
    'of7 refused there is no such token',
    'of7 refused only root may ask for it',
  ]);
  expect(lookedUp).toEqual([]);
});

it('a look-up that takes long delays only the user who asked for it', async () => {
  const { pass, ask, answers, wake } = viewOf(seeded());
  await pass();
  await ask(7, 'slow');
  await ask(7);
  await ask(2);
  expect(answers).toEqual(['of2 refused only root and alice may ask for it']);
  await ask(1);
  expect(wake.pending).toBe(true);
});

it('CREDMON_RUN_DIR = none opens nothing', async () => {
  const on = seeded();
  const { did, pass } = viewOf(on, { CREDMON_RUN_DIR: 'none' });
  await pass();
  expect(did).toEqual(['complete']);
});
