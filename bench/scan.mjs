// Measures the scan of the credential directory: run `npx tsc -b && node bench/scan.mjs`.
// `LARGE` is the number of files in one directory.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { openCredentialDirectory } from '../packages/core/dist/store/index.js';

const USERS = Number(process.env['USERS'] ?? 2000);
const EACH = Number(process.env['EACH'] ?? 10);
const LARGE = Number(process.env['LARGE'] ?? 100_000);
const ROUNDS = Number(process.env['ROUNDS'] ?? 9);
const root = mkdtempSync(join(tmpdir(), 'credmon-bench-'));

const put = (path, text) => writeFileSync(path, text, { mode: 0o600 });
function putToken(directory, stem) {
  put(join(directory, `${stem}.top`), '{"refresh_token":"abc"}');
  put(join(directory, `${stem}.use`), '{"access_token":"abc","issued_at":1000,"expires_at":4600}');
  put(
    join(directory, `${stem}.meta`),
    '{"client_id":"c","client_secret":"s","token_url":"https://x.example/"}',
  );
}
const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const milliseconds = (number) => `${number.toFixed(1)} ms`;

function directoryOf(name, fill) {
  const directory = join(root, name);
  mkdirSync(directory, { mode: 0o700 });
  fill(directory);
  return directory;
}

/**
 * Processor time of the first scan, of one that looks at every file again, and of one
 * where nothing changed.
 */
async function ordinary() {
  const directory = directoryOf('ordinary', (top) => {
    for (let user = 0; user < USERS; user += 1) {
      mkdirSync(join(top, `u${user}`), { mode: 0o700 });
      for (let n = 0; n < EACH; n += 1) putToken(join(top, `u${user}`), `mytok_h${n}`);
    }
  });
  const times = [[], [], []];
  for (let round = 0; round < ROUNDS; round += 1) {
    const store = openCredentialDirectory(directory, { defaultLifetime: 1200 });
    for (const [index, steady] of [0, 60, 70].entries()) {
      const before = process.cpuUsage();
      await store.scan({ wall: Date.now() / 1000, steady });
      const { user, system } = process.cpuUsage(before);
      times[index].push((user + system) / 1000);
    }
  }
  const [first, full, quick] = times.map(median).map(milliseconds);
  console.log(
    `${USERS * EACH} tokens of ${USERS} users, processor time: first ${first}, all files again ${full}, unchanged ${quick}`,
  );
}

/**
 * The longest time for which a scan keeps a timer waiting, and how soon it ends when it
 * is interrupted.
 */
async function large(name, fill) {
  const directory = directoryOf(name, fill);
  const store = openCredentialDirectory(directory, { defaultLifetime: 1200, locked: true });
  const delay = monitorEventLoopDelay({ resolution: 1 });
  delay.enable();
  const began = performance.now();
  await store.scan({ wall: Date.now() / 1000, steady: 0 });
  const whole = performance.now() - began;
  delay.disable();
  let asked = 0;
  const other = openCredentialDirectory(directory, { defaultLifetime: 1200, locked: true });
  const ends = [];
  for (const after of [5, 20, 50, 100]) {
    const start = performance.now();
    await other.scan(
      { wall: Date.now() / 1000, steady: 60 + after },
      { interrupted: () => performance.now() - start > after && (asked ||= performance.now()) > 0 },
    );
    ends.push(asked === 0 ? 0 : performance.now() - start - after);
    asked = 0;
  }
  console.log(
    `${name}: ${milliseconds(whole)}; the event loop waits p50 ${milliseconds(delay.percentile(50) / 1e6)}, longest ${milliseconds(delay.max / 1e6)}; ends ${ends.map(milliseconds).join(', ')} after an interruption`,
  );
}

try {
  await ordinary();
  await large(`${LARGE} tokens of one user`, (top) => {
    mkdirSync(join(top, 'alice'), { mode: 0o700 });
    for (let n = 0; n < LARGE; n += 1) put(join(top, 'alice', `scitokens_h${n}.top`), 'x');
  });
  await large(`${LARGE} other files in the root`, (top) => {
    for (let n = 0; n < LARGE; n += 1) put(join(top, `junk ${n}`), 'x');
  });
  await large(`${LARGE} left-over temporary files`, (top) => {
    mkdirSync(join(top, 'alice'), { mode: 0o700 });
    for (let n = 0; n < LARGE; n += 1)
      put(join(top, 'alice', `.t${n}.top.d999999999.${n}.credmon-tmp`), 'x');
  });
} finally {
  rmSync(root, { recursive: true });
}
