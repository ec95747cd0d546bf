// Simulates many Access Points that renew tokens at one issuer, in virtual time, with the
// planner and the throttle of the daemon: run `npm run simulate-fleet` (`--quick` for a
// smaller fleet, `--json` for the numbers only). docs/scale.md explains the result.
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { CodedError } from '../packages/core/dist/base/index.js';
import {
  DEFAULT_POLICY,
  afterFailure,
  afterWaiting,
  jitterOf,
  judge,
} from '../packages/core/dist/renewal/index.js';
import { createLimiter } from '../packages/credmon/dist/throttle/limiter.js';

/** Seconds. A response takes one step; nothing is faster. */
const STEP = 0.25;
/** Renewals at the same time at one issuer: CREDMON_RENEWALS_PER_ISSUER. */
const CAP = 16;
/** Seconds between the earliest two passes of a daemon. */
const PASS = 1;
const MINUTE = 60;
/** Requests in a window at least: then chance is 3 % (one standard deviation). */
const ENOUGH = 1000;
const HOUR = 3600;
/**
 * Tokens that are simulated at the same time. An Access Point knows nothing of another one, so
 * groups of them are simulated one after the other, with the memory of one group.
 */
const GROUP = 10_000;

/** When the outage begins and ends, and the end of the simulation, in seconds. */
function timesOf({ lifetime, outage, atOnce = false }) {
  const steadyEnd = (atOnce ? 8 : 3) * lifetime;
  const backAt = steadyEnd + outage;
  return { steadyEnd, backAt, end: backAt + 2 * lifetime };
}

/** MiB for new objects in a thread: almost all of them are garbage within a step. */
const YOUNG = 64;

/** What the issuer sees: requests in each minute, and tokens that expired. */
function emptyCounts(fleet) {
  const minutes = Math.ceil(timesOf(fleet).end / MINUTE) + 1;
  return {
    answered: new Float64Array(minutes),
    refused: new Float64Array(minutes),
    expiredAvoidably: 0,
    expiredInOutage: 0,
    longestExpired: 0,
  };
}

/** Adds the counts of a group to those of all. */
function addCounts(all, group) {
  group.answered.forEach((count, minute) => (all.answered[minute] += count));
  group.refused.forEach((count, minute) => (all.refused[minute] += count));
  all.expiredAvoidably += group.expiredAvoidably;
  all.expiredInOutage += group.expiredInOutage;
  all.longestExpired = Math.max(all.longestExpired, group.longestExpired);
}

/**
 * Simulates the Access Points `from` (inclusive) to `to` (exclusive): three lifetimes in steady
 * state, an outage of the issuer, and two lifetimes after it.
 */
async function simulateGroup(fleet, from, to) {
  const { users, lifetime, atOnce } = fleet;
  const { steadyEnd, backAt, end } = timesOf(fleet);
  const last = Math.ceil(end / STEP);
  /** What is due at each step. */
  const calendar = Array.from({ length: last + 1 });
  const at = (time, work) => {
    const step = Math.ceil(time / STEP);
    if (step > last) return;
    const works = calendar[step];
    if (works) works.push(work);
    else calendar[step] = [work];
  };
  let now = 0;
  let instant = { wall: 0, steady: 0 };
  const policy = DEFAULT_POLICY;
  const counts = emptyCounts(fleet);
  const basis = () => 'basis';

  const snapshotOf = (user, issuedAt) => ({
    user,
    stem: 'service',
    top: { kind: 'valid', value: {}, identity: { ino: 1, mtime: issuedAt, size: 1 } },
    use: {
      kind: 'valid',
      value: { issuedAt, expiresAt: issuedAt + lifetime },
      identity: { ino: 2, mtime: issuedAt, size: 1 },
    },
    meta: { kind: 'missing' },
    renewal: undefined,
    seen: { wall: issuedAt, steady: issuedAt },
  });

  /** One daemon: looks at a token when the planner says so, and renews it by its throttle. */
  const createAccessPoint = () => {
    const limiter = createLimiter({ cap: () => CAP, steady: () => now });
    return (user, issuedAt) => {
      const managed = {
        snapshot: snapshotOf(user, issuedAt),
        provider: 'service',
        renewable: { ok: true, value: true },
        basis,
        policy,
      };
      const expiresAt = () => managed.snapshot.use.value.expiresAt;
      const look = () => {
        const { state, dueIn } = judge(managed, instant);
        if (state === 'due') renew();
        else at(now + Math.max(PASS, dueIn), look);
      };
      const renew = () => {
        const deadline = expiresAt();
        void limiter
          .add({
            issuer: 'issuer',
            user,
            id: user,
            deadline: deadline > now ? deadline : Number.POSITIVE_INFINITY,
            run: ask,
            skip,
          })
          .then(look);
      };
      const skip = (error, seconds) => {
        const { snapshot } = managed;
        snapshot.renewal = afterWaiting(snapshot.renewal, error, { basis, now, seconds });
      };
      const ask = () =>
        new Promise((resolve) => {
          const down = now >= steadyEnd && now < backAt;
          (down ? counts.refused : counts.answered)[Math.floor(now / MINUTE)] += 1;
          at(now + STEP, () => resolve(down ? failed() : answered()));
        });
      const failed = () => {
        const { snapshot } = managed;
        const error = new CodedError('ISSUER_UNREACHABLE', 'no answer');
        const failure = { id: user, error, basis: 'basis', now, expiresAt: expiresAt() };
        snapshot.renewal = afterFailure(snapshot.renewal, failure, policy);
        return error;
      };
      const answered = () => {
        const expired = expiresAt();
        if (now > expired) {
          // A token that expired before the issuer answered again could not be renewed.
          if (expired > steadyEnd && expired < backAt) counts.expiredInOutage += 1;
          else counts.expiredAvoidably += 1;
          counts.longestExpired = Math.max(counts.longestExpired, now - Math.max(expired, backAt));
        }
        managed.snapshot = snapshotOf(user, now);
        return undefined;
      };
      return look;
    };
  };

  for (let point = from; point < to; point += 1) {
    const tokenOf = createAccessPoint();
    for (let number = 0; number < users; number += 1) {
      const user = `ap${point}-user${number}`;
      // Logins at any time of the day, or all of them together.
      const age = atOnce ? 0 : jitterOf(`login ${user}`) * policy.fraction * lifetime;
      at(0, tokenOf(user, -age));
    }
  }
  for (let step = 0; step <= last; step += 1) {
    if (!calendar[step]) continue;
    now = step * STEP;
    instant = { wall: now, steady: now };
    for (let works = calendar[step]; works; works = calendar[step]) {
      calendar[step] = undefined;
      for (const work of works) work();
      // The throttle decides in promises; none of them waits for anything else.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return counts;
}

/**
 * Simulates `accessPoints` with `users` tokens each, of `lifetime` seconds, and an outage of the
 * issuer of `outage` seconds, in groups: as many at the same time as the machine has cores.
 * Returns ratios of the requests in the busiest minute to the mean, and what expired.
 */
export async function simulate(fleet) {
  const { accessPoints, users } = fleet;
  const size = Math.max(1, Math.floor(GROUP / users));
  const groups = [];
  for (let from = 0; from < accessPoints; from += size)
    groups.push([from, Math.min(accessPoints, from + size)]);
  const counts = emptyCounts(fleet);
  const workers = Math.min(groups.length, availableParallelism());
  if (workers < 2)
    for (const group of groups) addCounts(counts, await simulateGroup(fleet, ...group));
  else
    await Promise.all(
      Array.from({ length: workers }, async () => {
        for (let group = groups.shift(); group; group = groups.shift())
          addCounts(counts, await inWorker(fleet, group));
      }),
    );
  return ratiosOf(fleet, counts);
}

/** The counts of a group that is simulated in a thread of its own. */
function inWorker(fleet, group) {
  return new Promise((resolve, reject) => {
    const worker = new Worker(fileURLToPath(import.meta.url), {
      workerData: { fleet, group },
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG },
    });
    worker.once('message', resolve);
    worker.once('error', reject);
  });
}

function ratiosOf(fleet, { answered, refused, ...expired }) {
  const { lifetime } = fleet;
  const { steadyEnd, backAt } = timesOf(fleet);
  const mean = (numbers) => numbers.reduce((sum, one) => sum + one, 0) / numbers.length;
  const highest = (numbers) => numbers.reduce((most, one) => Math.max(most, one), 0);
  const minutes = (counts, from, to) =>
    counts.slice(Math.ceil(from / MINUTE), Math.floor(to / MINUTE));
  const inSteady = minutes(answered, steadyEnd - lifetime, steadyEnd);
  const perMinute = mean(inSteady);
  // So many minutes together that chance alone makes no peak.
  const size = Math.max(1, Math.ceil(ENOUGH / perMinute));
  const peak = (counts) => {
    const sums = [];
    for (let start = 0; start + size <= counts.length; start += 1)
      sums.push(mean(counts.slice(start, start + size)));
    return highest(sums) / perMinute;
  };
  return {
    perSecond: perMinute / MINUTE,
    windowMinutes: size,
    steadyPeak: peak(inSteady),
    afterOutagePeak: peak(minutes(answered, backAt, backAt + 2 * lifetime)),
    attemptsInOutage: mean(minutes(refused, steadyEnd + MINUTE, backAt)) / perMinute,
    ...expired,
  };
}

const FORMAT = new Intl.NumberFormat('en', { maximumFractionDigits: 2 });

async function main() {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
      'access-points': { type: 'string' },
      users: { type: 'string' },
      lifetime: { type: 'string' },
      outage: { type: 'string' },
      'at-once': { type: 'boolean', default: false },
    },
  });
  const { quick } = values;
  const fleet = {
    accessPoints: Number(values['access-points'] ?? (quick ? 100 : 1000)),
    users: Number(values.users ?? (quick ? 300 : 1000)),
    lifetime: Number(values.lifetime ?? 6 * HOUR),
    outage: Number(values.outage ?? HOUR),
    atOnce: values['at-once'],
  };
  const found = await simulate(fleet);
  if (values.json) return console.log(JSON.stringify({ ...fleet, ...found }));
  console.log(
    `${fleet.accessPoints} Access Points, ${fleet.users} users each, tokens of ${fleet.lifetime} s, outage of ${fleet.outage} s`,
  );
  for (const [name, value] of Object.entries(found))
    console.log(`${name.padEnd(18)} ${FORMAT.format(value)}`);
  return undefined;
}

if (!isMainThread)
  parentPort.postMessage(await simulateGroup(workerData.fleet, ...workerData.group), []);
else if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
