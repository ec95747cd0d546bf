// Simulates many Access Points that renew tokens at one issuer, in virtual time, with the
// planner and the throttle of the daemon: run `npm run simulate-fleet` (`--quick` for a
// smaller fleet, `--json` for the numbers only). docs/scale.md explains the result.
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { CodedError } from '../packages/core/dist/base/index.js';
import { instantOf } from '../packages/core/dist/credential/index.js';
import {
  DEFAULT_POLICY,
  afterFailure,
  afterWaiting,
  jitterOf,
  judge,
} from '../packages/core/dist/renewal/index.js';
import { createLimiter } from '../packages/credmon/dist/throttle/issuer-queues.js';

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
 * Simulates `accessPoints` with `users` tokens each, of `lifetime` seconds: three lifetimes in
 * steady state, an outage of the issuer of `outage` seconds, and one lifetime after it.
 * Returns ratios of the requests in the busiest minute to the mean, and what expired.
 */
export async function simulate({ accessPoints, users, lifetime, outage, atOnce = false }) {
  const calendar = new Map();
  const at = (time, work) => {
    const step = Math.ceil(time / STEP);
    const works = calendar.get(step);
    if (works) works.push(work);
    else calendar.set(step, [work]);
  };
  let now = 0;
  const clock = { now: () => now, steady: () => now };
  const policy = DEFAULT_POLICY;
  const steadyEnd = (atOnce ? 8 : 3) * lifetime;
  const end = steadyEnd + outage + 2 * lifetime;
  const isDown = () => now >= steadyEnd && now < steadyEnd + outage;
  const answered = Array.from({ length: Math.ceil(end / MINUTE) + 1 }, () => 0);
  const refused = answered.map(() => 0);
  let expiredAvoidably = 0;
  let expiredInOutage = 0;
  let longestExpired = 0;

  const snapshotOf = ({ user, issuedAt, renewal }) => ({
    user,
    stem: 'service',
    top: { kind: 'valid', value: {}, identity: { ino: 1, mtime: issuedAt, size: 1 } },
    use: {
      kind: 'valid',
      value: { issuedAt, expiresAt: issuedAt + lifetime },
      identity: { ino: 2, mtime: issuedAt, size: 1 },
    },
    meta: { kind: 'missing' },
    renewal,
    seen: { wall: issuedAt, steady: issuedAt },
  });
  const managed = (token) => ({
    snapshot: snapshotOf(token),
    provider: 'service',
    renewable: { ok: true, value: true },
    basis: () => 'basis',
    policy,
  });

  /** One daemon: looks at a token when the planner says so, and renews it by its throttle. */
  const createAccessPoint = () => {
    const limiter = createLimiter({ cap: () => CAP, steady: () => now });
    const look = (token) => {
      const { state, dueIn } = judge(managed(token), instantOf(clock));
      if (state === 'due') return renew(token);
      at(now + Math.max(PASS, dueIn), () => look(token));
      return undefined;
    };
    const renew = (token) => {
      const expiresAt = token.issuedAt + lifetime;
      void limiter
        .add({
          issuer: 'issuer',
          user: token.user,
          id: token.user,
          deadline: expiresAt > now ? expiresAt : Number.POSITIVE_INFINITY,
          run: () => ask(token),
          skip: (error, seconds) => {
            const waiting = { basis: () => 'basis', now, seconds };
            token.renewal = afterWaiting(token.renewal, error, waiting);
          },
        })
        .then(() => look(token));
    };
    const ask = (token) =>
      new Promise((resolve) => {
        const down = isDown();
        (down ? refused : answered)[Math.floor(now / MINUTE)] += 1;
        at(now + STEP, () => {
          const expiresAt = token.issuedAt + lifetime;
          if (down) {
            const error = new CodedError('ISSUER_UNREACHABLE', 'no answer');
            const failure = { id: token.user, error, basis: 'basis', now, expiresAt };
            token.renewal = afterFailure(token.renewal, failure, policy);
            resolve(error);
            return;
          }
          if (now > expiresAt) {
            // A token that expired before the issuer answered again could not be renewed.
            const backAt = steadyEnd + outage;
            if (expiresAt > steadyEnd && expiresAt < backAt) expiredInOutage += 1;
            else expiredAvoidably += 1;
            longestExpired = Math.max(longestExpired, now - Math.max(expiresAt, backAt));
          }
          token.issuedAt = now;
          token.renewal = undefined;
          resolve(undefined);
        });
      });
    return look;
  };

  for (let point = 0; point < accessPoints; point += 1) {
    const look = createAccessPoint();
    for (let number = 0; number < users; number += 1) {
      const user = `ap${point}-user${number}`;
      // Logins at any time of the day, or all of them together.
      const age = atOnce ? 0 : jitterOf(`login ${user}`) * policy.fraction * lifetime;
      const token = { user, issuedAt: -age, renewal: undefined };
      at(0, () => look(token));
    }
  }
  const last = Math.ceil(end / STEP);
  for (let step = 0; step <= last; step += 1) {
    const works = calendar.get(step);
    if (!works) continue;
    calendar.delete(step);
    now = step * STEP;
    for (const work of works) work();
    // The throttle decides in promises; none of them waits for anything else.
    await new Promise((resolve) => setImmediate(resolve));
    for (let again = calendar.get(step); again; again = calendar.get(step)) {
      calendar.delete(step);
      for (const work of again) work();
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
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
  const backAt = steadyEnd + outage;
  return {
    perSecond: perMinute / MINUTE,
    windowMinutes: size,
    steadyPeak: peak(inSteady),
    afterOutagePeak: peak(minutes(answered, backAt, backAt + 2 * lifetime)),
    attemptsInOutage: mean(minutes(refused, steadyEnd + MINUTE, backAt)) / perMinute,
    expiredAvoidably,
    expiredInOutage,
    longestExpired,
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

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
