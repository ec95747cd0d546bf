// The libraries in a process of their own: the first word names the measurement; prints
// rates and times as JSON.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemRandom } from '@credmon/core/base';
import { evaluate, parseAd, parseExpression, printExpression } from '@credmon/core/classad';
import { loadConfig } from '@credmon/core/config';
import { openCredentialDirectory } from '@credmon/core/store';
import {
  createKey,
  enforce,
  issueToken,
  readKeySet,
  verifyWithKeys,
  writeKey,
} from '@credmon/scitokens';

/** CPU milliseconds of this process, which do not depend on other load. */
const cpuMilliseconds = (): number => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/**
 * How often `work` runs in a CPU second, as `openssl speed` counts; measured for
 * `milliseconds`, after a warm-up of as long.
 */
function rate(work: () => unknown, milliseconds: number): number {
  const measure = (): number => {
    const began = cpuMilliseconds();
    let [count, now] = [0, began];
    while (now - began < milliseconds) {
      for (let n = 0; n < 50; n += 1) work();
      count += 50;
      now = cpuMilliseconds();
    }
    return (count * 1000) / (now - began);
  };
  measure();
  return measure();
}

type Works = Readonly<Record<string, () => unknown>>;

function scitokens(): Works {
  const keyOf = (algorithm: 'ES256' | 'RS256') => {
    const made = createKey({ algorithm, kid: algorithm });
    const text = writeKey({ kid: made.kid, algorithm, key: made.privateKey }, 'jwk-public');
    return { made, set: readKeySet({ keys: [JSON.parse(text)] }) };
  };
  const request = {
    profile: 'scitoken:2.0' as const,
    issuer: 'https://issuer.example.org/vo',
    subject: 'alice',
    scope: 'read:/user/alice write:/user/alice',
    audience: ['https://storage.example.org'],
    lifetime: 1200,
  };
  const NOW = 1_790_000_000;
  const [ec, rsa] = [keyOf('ES256'), keyOf('RS256')];
  const moment = { now: NOW, random: systemRandom };
  const options = { now: NOW + 1, issuers: [request.issuer] };
  const tokens = {
    ec: issueToken(ec.made, request, moment),
    rsa: issueToken(rsa.made, request, moment),
  };
  return {
    'ES256 sign': () => issueToken(ec.made, request, moment),
    'ES256 verify': () => verifyWithKeys(tokens.ec, ec.set, options),
    'ES256 verify and enforce': () =>
      enforce(verifyWithKeys(tokens.ec, ec.set, options), { audience: request.audience }).test(
        'read',
        '/user/alice/f',
      ),
    'RS256 sign': () => issueToken(rsa.made, request, moment),
    'RS256 verify': () => verifyWithKeys(tokens.rsa, rsa.set, options),
  };
}

function classad(): Works {
  const source = 'strcat("read:/user/", substr(Username, 0, 1), "/", Username)';
  const users = ['alice', 'bob', 'carol', 'dave'].map((name) => ({
    name,
    ad: parseAd(`[ Username = "${name}"; Group = "physics" ]`),
  }));
  const scope = parseExpression(source);
  const regexp = parseExpression('regexps("^([a-z])(.*)$", Username, "/user/\\\\1/\\\\0")');
  const arithmetic = parseExpression('(Cpus * 2 + 1) % 7 > 3 && Memory >= 1024');
  const machine = parseAd('[ Cpus = 16; Memory = 2048 ]');
  let turn = 0;
  const user = (): (typeof users)[number] => {
    const next = users[(turn = (turn + 1) & 3)];
    if (next === undefined) throw new Error('no user');
    return next;
  };
  for (const { name, ad } of users) {
    const value = evaluate(scope, { my: ad, now: 0 });
    if (!('value' in value) || value.value !== `read:/user/${name.slice(0, 1)}/${name}`)
      throw new Error(`wrong answer for ${name}: ${JSON.stringify(value)}`);
  }
  return {
    'the same text in JavaScript': () => {
      const { name } = user();
      return `read:/user/${name.slice(0, 1)}/${name}`;
    },
    'evaluate strcat(... substr ...)': () => evaluate(scope, { my: user().ad, now: 0 }),
    'evaluate arithmetic': () => evaluate(arithmetic, { my: machine, now: 0 }),
    'evaluate regexps(...)': () => evaluate(regexp, { my: user().ad, now: 0 }),
    'parse an expression': () => parseExpression(source).depth,
    'print an expression': () => printExpression(scope).length,
  };
}

/** A pool's configuration, made large. */
function configurationText(lines: number): string {
  const text = ['LOCAL_DIR = /var/lib/condor', 'use FEATURE : OAUTH'];
  for (let n = 0; text.length < lines; n += 1)
    text.push(
      `# provider ${n}`,
      `P${n}_CLIENT_ID = client-${n}`,
      `P${n}_CLIENT_SECRET_FILE = $(LOCAL_DIR)/secrets/p${n}`,
      `P${n}_TOKEN_URL = https://issuer${n}.example.test/$(P${n}_PATH:token)`,
      `P${n}_LOG = $(LOG)/$BASENAME(P${n}_CLIENT_SECRET_FILE)`,
      `PROVIDERS = $(PROVIDERS) p${n}`,
      `if defined P${n}_CLIENT_ID`,
      `  P${n}_LIFETIME = ${n} * 60`,
      'else',
      `  P${n}_OFF = true`,
      'endif',
    );
  return `${text.join('\n')}\n`;
}

/** CPU milliseconds to read a configuration of 5,000 lines and to expand each knob. */
function configuration(): Readonly<Record<string, number>> {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-bench-'));
  const file = join(directory, 'condor_config');
  const text = configurationText(5000);
  writeFileSync(file, text);
  const times: number[] = [];
  let floor = 0;
  try {
    for (let run = 0; run < 15; run += 1) {
      const began = cpuMilliseconds();
      const config = loadConfig({
        subsystem: 'CREDMON_OAUTH',
        env: { CONDOR_CONFIG: file },
        facts: { fullHostname: () => 'ap.example.test' },
      });
      for (const name of config.names()) config.get(name);
      times.push(cpuMilliseconds() - began);
      const split = cpuMilliseconds();
      // The least that reads it: lines, names and values.
      const knobs = new Map<string, string>();
      for (const line of text.split('\n')) {
        const at = line.indexOf('=');
        if (at > 0) knobs.set(line.slice(0, at).trim().toUpperCase(), line.slice(at + 1).trim());
      }
      floor = cpuMilliseconds() - split;
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  const later = times.slice(1).sort((a, b) => a - b);
  return { first: times[0] ?? 0, median: later[later.length >> 1] ?? 0, floor };
}

/** CPU seconds to look at every file of a credential directory, when nothing has changed. */
async function looks(directory: string): Promise<Readonly<Record<string, number>>> {
  const store = openCredentialDirectory(directory, { defaultLifetime: 1200 });
  const times: number[] = [];
  // Later than the longest time between two full looks.
  for (const steady of [0, 1000, 2000]) {
    const now = { wall: Date.now() / 1000 + steady, steady };
    const began = cpuMilliseconds();
    await store.scan(now, { lazy: true });
    times.push((cpuMilliseconds() - began) / 1000);
  }
  return { look: times[2] ?? 0 };
}

const [kind = '', milliseconds = '200', directory = ''] = process.argv.slice(2);
const rates = (works: Works): Readonly<Record<string, number>> =>
  Object.fromEntries(
    Object.entries(works).map(([name, work]) => [name, rate(work, Number(milliseconds))]),
  );
type Figures = Readonly<Record<string, number>>;
const KINDS: Readonly<Record<string, () => Figures | Promise<Figures>>> = {
  scitokens: () => rates(scitokens()),
  classad: () => rates(classad()),
  config: configuration,
  look: () => looks(directory),
};
const measured = await KINDS[kind]?.();
if (measured === undefined) throw new Error(`unknown measurement: ${kind}`);
process.stdout.write(`${JSON.stringify(measured)}\n`);
