// Measures reading and expanding a configuration of 5,000 lines: run `npx tsc -b && node
// bench/config.mjs`.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { loadConfig } from '@credmon/core/config';

const LINES = 5000;
const RUNS = 25;

/**
 * A pool's configuration, made large: comments, plain values, references, defaults,
 * conditions, lists, functions.
 */
function generate(lines) {
  const text = [
    'LOCAL_DIR = /var/lib/condor',
    'use FEATURE : OAUTH',
    'DAEMON_LIST = $(DAEMON_LIST) SCHEDD CREDD',
  ];
  for (let n = 0; text.length < lines; n += 1) {
    text.push(`# provider ${n}`);
    text.push(`P${n}_CLIENT_ID = client-${n}`);
    text.push(`P${n}_CLIENT_SECRET_FILE = $(LOCAL_DIR)/secrets/p${n}`);
    text.push(`P${n}_TOKEN_URL = https://issuer${n}.example.test/$(P${n}_PATH:token)`);
    text.push(
      `P${n}_LOG = $(LOG)/$BASENAME(P${n}_CLIENT_SECRET_FILE)`,
      `PROVIDERS = $(PROVIDERS) p${n}`,
    );
    text.push(
      `if defined P${n}_CLIENT_ID`,
      `  P${n}_LIFETIME = ${n} * 60`,
      'else',
      `  P${n}_OFF = true`,
      'endif',
    );
  }
  return `${text.slice(0, lines - 5).join('\n')}\n${'endif\n'.repeat(openIfs(text.slice(0, lines - 5)))}`;
}

function openIfs(lines) {
  return (
    lines.filter((line) => line.startsWith('if ')).length -
    lines.filter((line) => line === 'endif').length
  );
}

const directory = mkdtempSync(join(tmpdir(), 'credmon-bench-'));
const file = join(directory, 'condor_config');
writeFileSync(file, generate(LINES));
const times = [];
let first = 0;
let knobs = 0;
for (let run = 0; run < RUNS; run += 1) {
  const started = performance.now();
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: file },
    facts: { fullHostname: () => 'ap.example.test' },
  });
  for (const name of config.names()) config.get(name);
  const taken = performance.now() - started;
  if (run === 0) first = taken;
  else times.push(taken);
  knobs = config.names().length;
}
rmSync(directory, { recursive: true });
times.sort((a, b) => a - b);
const figure = (ms) => `${ms.toFixed(1)} ms`;
console.log(`${LINES} lines read, ${knobs} knobs expanded, defaults included`);
console.log(
  `first run in the process: ${figure(first)}; then median ${figure(times[times.length >> 1])}, worst ${figure(times.at(-1))} of ${times.length}`,
);
