// Measures what metrics cost: a pass over many tokens with and without them, one page,
// and the start of the daemon: run `npm run -s build && node bench/metrics.mjs`.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@credmon/core/config';
import { openCredentialDirectory } from '@credmon/core/store';
import { systemClock, systemRandom } from '@credmon/core/base';
import { createWakeUp } from '../packages/credmon/dist/daemon/loop.js';
import { createLimiter } from '../packages/credmon/dist/throttle/issuer-queues.js';
import { localFiles } from '../packages/credmon/dist/host/local-files.js';
import { monitorDaemon } from '../packages/credmon/dist/metrics/monitor.js';
import { ownershipOf } from '../packages/credmon/dist/daemon/provider-lookup.js';
import { emptyMemory } from '../packages/credmon/dist/daemon/context.js';
import { beginPass } from '../packages/credmon/dist/daemon/pass.js';
import { createReport } from '../packages/credmon/dist/report/log-report.js';
import { readSettings } from '../packages/credmon/dist/settings/read.js';

const TOKENS = Number(process.env['TOKENS'] ?? 20_000);
const USERS = Number(process.env['USERS'] ?? TOKENS / 10);
const ROUNDS = Number(process.env['ROUNDS'] ?? 40);
const SERVICES = 10;
const program = fileURLToPath(
  new URL('../packages/credmon/dist/bin/condor_credmon.cjs', import.meta.url),
);
const root = mkdtempSync(join(tmpdir(), 'credmon-bench-'));
const median = (numbers) => [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)];
const ms = (number) => `${number.toFixed(1)} ms`;

function fill(directory) {
  const now = Math.floor(systemClock.now());
  for (let n = 0; n < TOKENS; n += 1) {
    const user = join(directory, `u${n % USERS}`);
    mkdirSync(user, { recursive: true, mode: 0o700 });
    const stem = join(user, `svc${n % SERVICES}_h${Math.floor(n / USERS)}`);
    writeFileSync(`${stem}.top`, '{"refresh_token":"r"}', { mode: 0o600 });
    writeFileSync(
      `${stem}.use`,
      JSON.stringify({ access_token: 'a', issued_at: now, expires_at: now + 86_400 }),
    );
  }
}

function knobsOf(directory) {
  const services = Array.from({ length: SERVICES }, (_, n) => [
    [`svc${n}_CLIENT_ID`, 'me'],
    [`svc${n}_TOKEN_URL`, 'https://issuer.example/token'],
  ]).flat();
  return Object.fromEntries([
    ['SEC_CREDENTIAL_DIRECTORY_OAUTH', directory],
    ['LOG', root],
    ...services,
  ]);
}

/** The parts of a daemon over `directory`, as the daemon makes them. */
function partsOf(directory, settings) {
  const nothing = () => undefined;
  const log = { error: nothing, warn: nothing, info: nothing, debug: nothing };
  const local = localFiles(nothing);
  const ownership = ownershipOf(settings, { secretVersion: () => '', random: systemRandom, local });
  return {
    world: {
      clock: systemClock,
      store: openCredentialDirectory(directory, { defaultLifetime: 1200 }),
      send: () => Promise.reject(new Error('nothing is due')),
      limiter: createLimiter(16),
      report: createReport(log, () => settings),
      readSecret: () => ({ ok: false, reason: 'is missing' }),
    },
    memory: emptyMemory(systemClock.now()),
    log,
    wake: createWakeUp(),
    stop: new AbortController().signal,
    ownership: () => ownership,
    reload: nothing,
    complete: nothing,
  };
}

async function passes() {
  const directory = join(root, 'credentials');
  mkdirSync(directory, { mode: 0o700 });
  fill(directory);
  const env = Object.entries(knobsOf(directory)).map(([name, value]) => [`_CONDOR_${name}`, value]);
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: 'ONLY_ENV', ...Object.fromEntries(env) },
    facts: { fullHostname: () => 'ap.example' },
  });
  const settings = readSettings(config, {});
  const parts = partsOf(directory, settings);
  let pages = {};
  const monitor = monitorDaemon(parts, {
    address: () => ({ kind: 'unix', path: '/nowhere' }),
    settings: () => settings,
    open: async (_, served) => ((pages = served), { where: '', close: async () => undefined }),
    unreadable: () => undefined,
  });
  await monitor.follow();
  const times = { off: [], on: [] };
  for (let round = 0; round < ROUNDS + 5; round += 1)
    for (const [name, { world, ownership, memory }] of [
      ['off', parts],
      ['on', monitor.parts],
    ]) {
      const began = performance.now();
      const { plan } = await beginPass(world, ownership(), memory);
      if (plan.verdicts.length !== TOKENS || plan.renew.length > 0) throw new Error('an odd plan');
      if (round >= 5) times[name].push(performance.now() - began);
    }
  console.log(
    `pass over ${TOKENS} tokens of ${USERS} users: off ${ms(median(times.off))}, on ${ms(median(times.on))}`,
  );
  const made = [];
  let size = 0;
  for (let round = 0; round < 50; round += 1) {
    const began = performance.now();
    size = (await pages['/metrics']()).text.length;
    made.push(performance.now() - began);
  }
  console.log(`a page of ${size} bytes: ${ms(median(made))}`);
}

/** From the start of the process to its first pass over an empty directory. */
async function start(name, listen) {
  const directory = join(root, name);
  mkdirSync(directory, { mode: 0o700 });
  const knobs = { ...knobsOf(directory), CREDMON_METRICS_LISTEN: listen };
  const config = join(root, `${name}.conf`);
  writeFileSync(
    config,
    Object.entries(knobs)
      .map(([knob, value]) => `${knob} = ${value}\n`)
      .join(''),
  );
  const began = performance.now();
  const daemon = spawn(process.execPath, [program, '--config', config], { stdio: 'inherit' });
  while (!existsSync(join(directory, 'CREDMON_COMPLETE'))) await turn();
  const took = performance.now() - began;
  daemon.kill('SIGTERM');
  await new Promise((resolve) => daemon.on('exit', resolve));
  return took;
}

await passes();
const starts = { off: [], on: [] };
for (let round = 0; round < Number(process.env['STARTS'] ?? 15); round += 1) {
  starts.off.push(await start(`off${round}`, ''));
  starts.on.push(await start(`on${round}`, `unix:${join(root, 'metrics.sock')}`));
}
console.log(`start to the first pass: off ${ms(median(starts.off))}, on ${ms(median(starts.on))}`);
rmSync(root, { recursive: true });
