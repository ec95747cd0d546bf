// The listener follows the configuration: opened, moved, closed; a failure is said once
// and tried again.
import { expect, it } from 'vitest';
import type { MetricsAddress } from '../../src/settings/metrics-address.ts';
import { createServing } from '../../src/metrics/serving.ts';

function serving() {
  const done: string[] = [];
  const state: { address: MetricsAddress | undefined; refuse: string | undefined } = {
    address: undefined,
    refuse: undefined,
  };
  const say =
    (level: string) =>
    (text: string): void =>
      void done.push(`${level} ${text}`);
  const self = createServing({
    log: { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') },
    pages: {},
    address: () => state.address,
    ready: async () => void done.push('ready'),
    open: async (address) => {
      const name = address.kind === 'unix' ? address.path : '';
      if (state.refuse !== undefined) throw new Error(state.refuse);
      done.push(`open ${name}`);
      return { where: name, close: async () => void done.push(`close ${name}`) };
    },
  });
  const at = (path: string): void => {
    state.address = { kind: 'unix', path };
  };
  return { ...self, done, state, at };
}

it('nothing is loaded without an address', async () => {
  const on = serving();
  await on.follow();
  expect(on.done).toEqual([]);
});

it('a listener is kept with its address, moves with it, and closes without one', async () => {
  const on = serving();
  on.at('/a');
  await Promise.all([on.follow(), on.follow(), on.follow()]);
  on.at('/b');
  await on.follow();
  on.state.address = undefined;
  await on.follow();
  await on.close();
  expect(on.done).toEqual([
    'ready',
    'open /a',
    'info Metrics are on /a',
    'close /a',
    'ready',
    'open /b',
    'info Metrics are on /b',
    'close /b',
  ]);
});

it('R44 an unusable address is logged once and retried each time', async () => {
  const on = serving();
  on.at('/a');
  on.state.refuse = 'EADDRINUSE';
  await on.follow();
  await on.follow();
  on.state.refuse = undefined;
  await on.follow();
  expect(on.done).toEqual([
    'ready',
    'error EADDRINUSE',
    'ready',
    'ready',
    'open /a',
    'info Metrics are on /a',
  ]);
});
