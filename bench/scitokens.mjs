// Measures issuing and verifying whole tokens on one core, with `openssl speed` beside
// it: run `npx tsc -b && node bench/scitokens.mjs`.
import { execFileSync } from 'node:child_process';
import { performance } from 'node:perf_hooks';
import { systemRandom } from '@credmon/core/base';
import {
  createKey,
  enforce,
  issueToken,
  readKeySet,
  verifyWithKeys,
  writeKey,
} from '@credmon/scitokens';

const SECONDS = 1;
const ROUNDS = 7;
const NOW = 1_790_000_000;
const REQUEST = {
  profile: 'scitoken:2.0',
  issuer: 'https://issuer.example.org/vo',
  subject: 'alice',
  scope: 'read:/user/alice write:/user/alice',
  audience: ['https://storage.example.org'],
  lifetime: 1200,
};

/** How often a second `work` runs, after a warm-up. */
function rate(work) {
  for (let n = 0; n < 500; n += 1) work();
  const started = performance.now();
  let count = 0;
  while (performance.now() - started < SECONDS * 1000) {
    for (let n = 0; n < 100; n += 1) work();
    count += 100;
  }
  return (count * 1000) / (performance.now() - started);
}

/** Signatures and verifications a second, as OpenSSL's own benchmark counts them. */
function openssl() {
  const output = execFileSync(
    'openssl',
    ['speed', '-seconds', String(SECONDS), '-mr', 'ecdsap256'],
    {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    },
  );
  const [, , , sign, verify] = /^\+F4:(.*)$/m.exec(output)?.[0].split(':') ?? [];
  return { sign: Number(sign), verify: Number(verify) };
}

const median = (numbers) => numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)];
const keyOf = (algorithm) => {
  const made = createKey({ algorithm, kid: algorithm });
  const jwk = JSON.parse(
    writeKey({ kid: made.kid, algorithm, key: made.privateKey }, 'jwk-public'),
  );
  return { made, set: readKeySet({ keys: [jwk] }) };
};
const ec = keyOf('ES256');
const rsa = keyOf('RS256');
const moment = { now: NOW, random: systemRandom };
const options = { now: NOW + 1, issuers: [REQUEST.issuer] };
const tokens = {
  ec: issueToken(ec.made, REQUEST, moment),
  rsa: issueToken(rsa.made, REQUEST, moment),
};
const measures = {
  'ES256 sign': () => issueToken(ec.made, REQUEST, moment),
  'ES256 verify': () => verifyWithKeys(tokens.ec, ec.set, options),
  'ES256 verify and enforce': () =>
    enforce(verifyWithKeys(tokens.ec, ec.set, options), { audience: REQUEST.audience }).test(
      'read',
      '/user/alice/f',
    ),
  'RS256 sign': () => issueToken(rsa.made, REQUEST, moment),
  'RS256 verify': () => verifyWithKeys(tokens.rsa, rsa.set, options),
};

// Alternating rounds: whatever else the machine does hits both sides.
const results = new Map(
  [...Object.keys(measures), 'openssl sign', 'openssl verify'].map((name) => [name, []]),
);
for (let round = 0; round < ROUNDS; round += 1) {
  const { sign, verify } = openssl();
  results.get('openssl sign').push(sign);
  results.get('openssl verify').push(verify);
  for (const [name, work] of Object.entries(measures)) results.get(name).push(rate(work));
}
for (const [name, rates] of results) console.log(`${name}: ${Math.round(median(rates))}/s`);
const share = (ours, theirs) => median(results.get(ours)) / median(results.get(theirs));
const [signing, verifying] = [
  share('ES256 sign', 'openssl sign'),
  share('ES256 verify', 'openssl verify'),
];
console.log(
  `sign: ${signing.toFixed(2)} times openssl (bound 0.45), verify: ${verifying.toFixed(2)} (bound 0.40)`,
);
process.exitCode = signing >= 0.45 && verifying >= 0.4 ? 0 : 1;
