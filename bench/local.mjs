// Measures the local signer as condor_submit sees it, SIGHUP to `.use`: run `npm run -s
// build && node bench/local.mjs`.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setImmediate as turn, setTimeout as rest } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const TOKENS = Number(process.env['TOKENS'] ?? 20_000);
const SIGNALS = Number(process.env['SIGNALS'] ?? 300);
const program = fileURLToPath(
  new URL('../packages/credmon/dist/bin/condor_credmon.cjs', import.meta.url),
);

/** A directory of tokens of which a daemon was told nothing yet. */
function fill(directory, users) {
  for (let n = 0; n < TOKENS; n += 1) {
    const user = join(directory, `u${n % users}`);
    mkdirSync(user, { recursive: true, mode: 0o700 });
    const handle = n < users ? '' : `_h${Math.floor(n / users)}`;
    writeFileSync(join(user, `scitokens${handle}.top`), 'x', { mode: 0o600 });
  }
}

async function until(path) {
  while (!existsSync(path)) await turn();
}

async function measure(users) {
  const root = mkdtempSync(join(tmpdir(), 'credmon-bench-'));
  const directory = join(root, 'credentials');
  mkdirSync(directory, { mode: 0o2770 });
  fill(directory, users);
  writeFileSync(
    join(root, 'condor_config'),
    `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${directory}\nLOG = ${root}\nLOCAL_CREDMON_PROVIDER_NAMES = scitokens\nLOCAL_CREDMON_PRIVATE_KEY = ${root}/private.pem\nLOCAL_CREDMON_PUBLIC_KEY = ${root}/public.pem\nLOCAL_CREDMON_ISSUER = https://ap.example\nLOCAL_CREDMON_TOKEN_AUDIENCE = ANY\nLOCAL_CREDMON_TOKEN_LIFETIME = 86400\n`,
  );
  const started = performance.now();
  const daemon = spawn(process.execPath, [program, '--config', join(root, 'condor_config')], {
    stdio: 'inherit',
  });
  await until(join(directory, 'CREDMON_COMPLETE'));
  const seconds = (performance.now() - started) / 1000;
  // Right after the start every directory has just changed; what counts is the daemon
  // that has run for a while.
  await rest(15_000);
  const waits = [];
  for (let n = 0; n < SIGNALS; n += 1) {
    const user = join(directory, `new${n}`);
    mkdirSync(user, { mode: 0o700 });
    writeFileSync(join(user, 'scitokens.top'), 'x', { mode: 0o600 });
    const signalled = performance.now();
    daemon.kill('SIGHUP');
    await until(join(user, 'scitokens.use'));
    const wait = performance.now() - signalled;
    waits.push(wait);
    if (process.env['SLOW'] && wait > 50) console.log(`signal ${n}: ${wait.toFixed(0)} ms`);
    await rest(100 + (n % 7) * 31);
  }
  daemon.kill('SIGTERM');
  await new Promise((resolve) => daemon.on('exit', resolve));
  rmSync(root, { recursive: true });
  return { waits: waits.sort((a, b) => a - b), seconds };
}

for (const users of (process.env['USERS'] ?? `${TOKENS / 10},${TOKENS}`).split(',').map(Number)) {
  const { waits, seconds } = await measure(users);
  const at = (share) =>
    `${waits[Math.min(waits.length - 1, Math.floor(waits.length * share))].toFixed(1)} ms`;
  console.log(
    `${TOKENS} tokens of ${users} users: all signed ${seconds.toFixed(1)} s after start; SIGHUP to .use p50 ${at(0.5)}, p99 ${at(0.99)}, longest ${at(1)}`,
  );
}
