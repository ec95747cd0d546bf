// One pass: look at the directory, settle leftovers, plan, and start what is due.
import { smallest, createYielder, inSlices, messageOf } from '@credmon/core/base';
import {
  forgottenAtStart,
  judge,
  localNow,
  planOf,
  type ManagedToken,
  type Plan,
  type Verdict,
} from '@credmon/core/renewal';
import {
  identityOf,
  sameIdentity,
  tokenId,
  instantOf,
  type Instant,
  type TokenSnapshot,
} from '@credmon/core/credential';
import type { Scan, ScanHabits } from '@credmon/core/store';
import { attempt, type Attempted } from './attempt.ts';
import { postponed } from './record-outcome.ts';
import { UNEXPECTED_INTERVAL } from '../settings/policy.ts';
import type { Job } from '../throttle/issuer-queues.ts';
import type { LateRenewal, PassMemory, PassContext } from './context.ts';
import type { Provider } from '../providers/common/provider.ts';
import { rewrite } from './pending-writes.ts';
import { forgetSuccessors, refreshTokenIn, restoreSuccessors } from './successors.ts';
import { recoveries } from './cleanup.ts';

/** Who renews what, from the settings of the moment. */
export interface ProviderLookup {
  readonly manage: (
    token: TokenSnapshot,
  ) => { readonly managed: ManagedToken; readonly provider: Provider } | undefined;
}

/**
 * A pass that has begun: what it found and planned. `settled` ends with its renewals, and
 * tells in how many seconds one of them is due again. With `cut` it was broken off for a
 * newer call, before anything was planned.
 */
export interface BegunPass {
  readonly cut: boolean;
  readonly scan: Scan;
  readonly plan: Plan;
  readonly started: number;
  readonly settled: Promise<number>;
}

/**
 * For so many seconds calls may keep all tokens from being judged, each with a look at
 * what is new.
 */
const LONGEST_WITHOUT_PLAN = 2;
/** So many token URLs are told apart: any user may name one. */
const MOST_URLS = 1024;
const NO_PLAN: Plan = { renew: [], verdicts: [], nextIn: 0 };

/**
 * Scans, settles leftovers, plans, and starts every due renewal that is not under way
 * yet.
 */
export async function beginPass(
  world: PassContext,
  ownership: ProviderLookup,
  memory: PassMemory,
  habits: Omit<ScanHabits, 'found'> = {},
): Promise<BegunPass> {
  const now = instantOf(world.clock);
  // What is seen of a token whose renewal ends meanwhile is old; the next pass sees it.
  const underWay = new Set(memory.inFlight);
  const lateBefore = [...memory.late];
  rewrite(world, memory);
  forgetSuccessors(memory, now.steady);
  const early = new Map<string, Promise<number>>();
  const mayCut = now.steady - (memory.cutSince ?? now.steady) < LONGEST_WITHOUT_PLAN;
  const { hurry, interrupted, stopped = () => false } = habits;
  const cut = (): boolean => stopped() || (mayCut && interrupted?.() === true);
  const scan = await world.store.scan(now, {
    ...(hurry ? { hurry } : {}),
    interrupted: cut,
    stopped,
    found: (tokens) => {
      for (const token of tokens) {
        const begun = startEarly(world, ownership, memory, token, now);
        if (begun) early.set(tokenId(token), begun);
      }
    },
  });
  const started: Promise<number>[] = [...early.values()];
  const settled = async (): Promise<number> => smallest(await Promise.all(started));
  const owned = await ownersOf(scan, ownership, memory, cut);
  memory.cutSince = owned ? undefined : (memory.cutSince ?? now.steady);
  if (!owned)
    return { cut: true, scan, plan: NO_PLAN, started: started.length, settled: settled() };
  const unsettled = await settle(world, scan, now, stopped);
  restoreSuccessors(world, memory, scan.tokens);
  if (hurry?.() !== true) await forgetGone(memory, scan, now);
  const verdicts: Verdict[] = [];
  const metaUrls = new Set<string>();
  await inSlices(owned.values(), ({ managed }) => {
    verdicts.push(judge(managed, now));
    const { meta } = managed.snapshot;
    if (meta.kind === 'valid' && metaUrls.size < MOST_URLS) metaUrls.add(meta.value.tokenUrl);
  });
  if (scan.partial !== true) memory.metaUrls = metaUrls;
  const plan = await planOf(verdicts);
  await world.report({ type: 'scanned', scan, plan });
  const yieldIfDue = createYielder();
  for (const verdict of plan.renew) {
    const id = tokenId(verdict.token.snapshot);
    const provider = owned.get(id)?.provider;
    const busy =
      [early, underWay, memory.inFlight, memory.unwritten].some((ids) => ids.has(id)) ||
      isAwaited(world, [...lateBefore, ...memory.late], verdict.token.snapshot);
    if (provider && !busy && !unsettled.has(id))
      started.push(start(world, memory, verdict, provider));
    await yieldIfDue();
  }
  return { cut: false, scan, plan, started: started.length, settled: settled() };
}

/** Every token's owner; nothing when the work was cut short. */
async function ownersOf(
  scan: Scan,
  ownership: ProviderLookup,
  memory: PassMemory,
  cut: () => boolean,
): Promise<Map<string, Owner> | undefined> {
  const owned = new Map<string, Owner>();
  const yieldIfDue = createYielder();
  for (const token of scan.tokens) {
    const owner = ownership.manage(withFailure(token, memory));
    if (owner) owned.set(tokenId(token), paused(owner, token, memory));
    const breath = yieldIfDue();
    if (!breath) continue;
    await breath;
    if (cut()) return undefined;
  }
  return cut() ? undefined : owned;
}

/**
 * Somebody may be waiting for a token that is not there at all; one that needs nobody
 * else does not wait for the rest of the scan.
 */
function startEarly(
  world: PassContext,
  ownership: ProviderLookup,
  memory: PassMemory,
  token: TokenSnapshot,
  now: Instant,
): Promise<number> | undefined {
  const id = tokenId(token);
  if (token.use.kind !== 'missing' || memory.inFlight.has(id) || memory.unwritten.has(id))
    return undefined;
  const owner = ownership.manage(withFailure(token, memory));
  if (!owner || owner.provider.isLocal !== true) return undefined;
  const verdict = judge(owner.managed, now);
  return verdict.state === 'due' ? start(world, memory, verdict, owner.provider) : undefined;
}

/**
 * Memory must not grow with every token that ever was, and a new one of an old name
 * starts again.
 */
async function forgetGone(
  { failures, pauses }: PassMemory,
  scan: Scan,
  now: Instant,
): Promise<void> {
  for (const [id, { until, shortLives }] of pauses)
    if (until <= now.steady && shortLives === 0) pauses.delete(id);
  if (scan.partial === true || scan.problems.length > 0 || failures.size + pauses.size === 0)
    return;
  const there = new Set<string>();
  await inSlices(scan.tokens, (token) => there.add(tokenId(token)));
  for (const ids of [failures, pauses])
    for (const id of ids.keys()) if (!there.has(id)) ids.delete(id);
}

/** Who owns a token, and what its owner says of it. */
type Owner = NonNullable<ReturnType<ProviderLookup['manage']>>;

/**
 * A token that was renewed a moment ago is left alone, unless it was spoilt, or a new
 * login has come since.
 */
function paused(owner: Owner, token: TokenSnapshot, { pauses }: PassMemory): Owner {
  const pause = pauses.get(tokenId(token));
  if (!pause || token.use.kind !== 'valid' || !sameIdentity(pause.top, identityOf(token.top)))
    return owner;
  return { ...owner, managed: { ...owner.managed, pausedUntil: pause.until } };
}

/** A failure that could not be written to the directory still counts. */
function withFailure(token: TokenSnapshot, memory: PassMemory): TokenSnapshot {
  const remembered = memory.failures.get(tokenId(token));
  const { renewal } = token;
  if (!remembered && renewal && renewal.last_attempt < memory.since && forgottenAtStart(renewal))
    return { ...token, renewal: undefined };
  if (!remembered || (token.renewal && token.renewal.last_attempt >= remembered.last_attempt))
    return token;
  return { ...token, renewal: remembered };
}

/**
 * Settles leftovers, and tells which tokens could not get their rotated `.top`: the one
 * in its place is spent.
 */
async function settle(
  world: PassContext,
  scan: Scan,
  now: Instant,
  stopped: () => boolean,
): Promise<ReadonlySet<string>> {
  const unsettled = new Set<string>();
  const yieldIfDue = createYielder();
  for (const { path, target, id, why } of await recoveries(scan, now.wall)) {
    await yieldIfDue();
    if (stopped()) break;
    try {
      world.store.settle(path, target);
      world.report({ type: 'settled', path, why, finished: target !== undefined });
    } catch (error) {
      if (id !== undefined) unsettled.add(id);
      const doing = target === undefined ? 'remove' : 'finish';
      world.report({ type: 'problem', text: `cannot ${doing} ${path}: ${messageOf(error)}` });
    }
  }
  return unsettled;
}

async function start(
  world: PassContext,
  memory: PassMemory,
  verdict: Verdict,
  provider: Provider,
): Promise<number> {
  const { snapshot } = verdict.token;
  const id = tokenId(snapshot);
  let nextIn = Number.POSITIVE_INFINITY;
  memory.inFlight.add(id);
  try {
    await world.limiter.add({
      issuer: provider.issuerOf(snapshot),
      user: snapshot.user,
      token: id,
      asked: () => provider.issuerOf(snapshot),
      deadline: deadlineOf(snapshot, instantOf(world.clock)),
      ...(provider.isLocal === true
        ? { local: snapshot.use.kind === 'missing' ? ('awaited' as const) : ('due' as const) }
        : {}),
      run: async () => {
        if (world.lockState() !== 'held') {
          nextIn = 0;
          return undefined;
        }
        const { error, late, ...result } = await attempt(world, memory, verdict, provider);
        ({ nextIn } = result);
        const { user } = snapshot;
        if (late)
          void followLate(world, { issuer: provider.issuerOf(snapshot), user, token: id }, late);
        return error;
      },
      skip: (error, seconds) => {
        nextIn = postponed(world, memory, verdict, error, seconds);
      },
    });
  } catch (error) {
    // A mistake of ours with one token must not end the renewal of all others.
    world.report({ type: 'problem', text: `${id}: unexpected: ${messageOf(error)}`, token: id });
    nextIn = UNEXPECTED_INTERVAL;
  } finally {
    memory.inFlight.delete(id);
  }
  return nextIn;
}

/**
 * A refresh token whose answer may still come must not be sent again; that of a newer
 * login may.
 */
function isAwaited(
  { store }: PassContext,
  late: readonly LateRenewal[],
  token: TokenSnapshot,
): boolean {
  const id = tokenId(token);
  return late.some(({ from, sent, ...one }) => {
    if (one.id !== id) return false;
    if (sameIdentity(from, identityOf(token.top))) return true;
    return sent !== undefined && refreshTokenIn(store.read(token.user, token.stem).top) === sent;
  });
}

/** Waits for a late answer, and tells the limiter whether the issuer answered. */
async function followLate(
  world: PassContext,
  job: Pick<Job, 'issuer' | 'user' | 'token'>,
  late: NonNullable<Attempted['late']>,
): Promise<void> {
  try {
    const answer = await late;
    if (answer) world.limiter.answered(job, answer.error);
  } catch (error) {
    const text = `${job.token}: unexpected error with a late answer: ${messageOf(error)}`;
    world.report({ type: 'problem', text, token: job.token });
  }
}

/**
 * When the access token in place expires, in steady seconds; infinite when that is past,
 * or none is there.
 */
function deadlineOf(token: TokenSnapshot, now: Instant): number {
  const left = token.use.kind === 'valid' ? token.use.value.expiresAt - localNow(token, now) : 0;
  return left > 0 ? now.steady + left : Number.POSITIVE_INFINITY;
}
