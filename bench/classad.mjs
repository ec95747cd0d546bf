// Measures evaluating a scope template after it was parsed: run `npx tsc -b && node
// bench/classad.mjs`. Exits 1 below the bound.
import { performance } from 'node:perf_hooks';
import { evaluate, parseAd, parseExpression, printExpression } from '@credmon/core/classad';

const BOUND = 500_000;
const ROUNDS = 9;
const ROUND_MS = 400;
const SOURCE = 'strcat("read:/user/", substr(Username, 0, 1), "/", Username)';

const users = ['alice', 'bob', 'carol', 'dave'].map((name) => ({
  name,
  ad: parseAd(`[ Username = "${name}"; Group = "physics" ]`),
}));
const scope = parseExpression(SOURCE);
const expected = (name) => `read:/user/${name.slice(0, 1)}/${name}`;
const regexp = parseExpression('regexps("^([a-z])(.*)$", Username, "/user/\\\\1/\\\\0")');
const arithmetic = parseExpression('(Cpus * 2 + 1) % 7 > 3 && Memory >= 1024');
const machine = parseAd('[ Cpus = 16; Memory = 2048 ]');
/**
 * What the same text costs without any language: the floor under every evaluator that
 * makes strings.
 */
const plain = [({ name }) => `read:/user/${name.slice(0, 1)}/${name}`];

const kinds = {
  'evaluate strcat(... substr ...)': (user) => evaluate(scope, { my: user.ad, now: 0 }).value,
  'baseline: the same in JavaScript': (user) => plain[0](user),
  'evaluate arithmetic': () => evaluate(arithmetic, { my: machine, now: 0 }).value,
  'evaluate regexps(...)': (user) => evaluate(regexp, { my: user.ad, now: 0 }).value,
  'parse the expression': () => parseExpression(SOURCE).depth,
  'print the expression': () => printExpression(scope).length,
};

/** Runs per second in one round. */
function rate(run) {
  let done = 0;
  let sink = 0;
  const start = performance.now();
  let now = start;
  while (now - start < ROUND_MS) {
    for (let i = 0; i < 1000; i += 1) sink += String(run(users[i & 3])).length;
    done += 1000;
    now = performance.now();
  }
  if (sink === 0) throw new Error('nothing was computed');
  return (done * 1000) / (now - start);
}

for (const user of users) {
  const { value } = evaluate(scope, { my: user.ad, now: 0 });
  if (value !== expected(user.name)) throw new Error(`wrong answer for ${user.name}: ${value}`);
}

const rates = new Map(Object.keys(kinds).map((kind) => [kind, []]));
for (let round = 0; round < ROUNDS; round += 1) {
  for (const [kind, run] of Object.entries(kinds)) rates.get(kind).push(rate(run));
}
const median = (values) => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
for (const [kind, values] of rates)
  console.log(`${kind}: ${Math.round(median(values.slice(1)))}/s`);

const reached = median(rates.get('evaluate strcat(... substr ...)').slice(1));
console.log(`bound ${BOUND}/s: ${reached >= BOUND ? 'held' : 'MISSED'}`);
process.exitCode = reached >= BOUND ? 0 : 1;
