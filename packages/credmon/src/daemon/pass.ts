// One pass: scan the directory, recover leftovers, plan, and start what is due.
import { createYielder, inSlices, messageOf } from '@credmon/core/base';
import type { ManagedToken, Plan, Verdict } from '@credmon/core/renewal';
import { tokenId, instantOf, type Instant, type TokenSnapshot } from '@credmon/core/credential';
import type { Scan, ScanHabits } from '@credmon/core/store';
import {
  judgeScan,
  judgeToken,
  mayReadOf,
  MOST_URLS,
  type JudgedToken,
  type ProviderLookup,
} from './judge-scan.ts';
import { whyBusy } from './attempt.ts';
import { endOf, start, type Renewals } from './started-renewals.ts';
import type { PassMemory, PassContext } from './context.ts';
import { retryWrites } from './full-disk.ts';
import { forgetSuccessors, restoreSuccessors } from './successors.ts';
import { recoveries } from './cleanup.ts';

/**
 * A pass that has begun: its scan and its plan. `settled` resolves when its renewals have
 * ended, with the seconds until one of them is due again. `cut`: aborted for a wake-up
 * before anything was planned.
 */
export interface BegunPass {
  readonly cut: boolean;
  readonly scan: Scan;
  readonly plan: Plan;
  readonly started: number;
  readonly settled: Promise<number>;
}

/**
 * Maximum time in seconds for which wake-ups may abort passes before they plan; each
 * aborted pass still serves new tokens.
 */
const LONGEST_WITHOUT_PLAN = 2;

/** How a pass scans, and what it reports meanwhile. */
export interface PassOptions extends Omit<ScanHabits, 'found'> {
  /**
   * Called when one of its renewals has ended, also after the pass, with the seconds until
   * that token is due again.
   */
  readonly ended?: (nextIn: number) => void;
}

const NO_PLAN: Plan = { renew: [], verdicts: [], nextIn: 0 };

/**
 * Scans, recovers leftovers, plans, and starts every due renewal that is not yet in
 * progress.
 */
export async function beginPass(
  context: PassContext,
  lookup: ProviderLookup,
  memory: PassMemory,
  options: PassOptions = {},
): Promise<BegunPass> {
  const now = instantOf(context.clock);
  // The scan's view of a token is stale if its renewal ends meanwhile; the next pass
  // handles it.
  const before = new Set(memory.inFlight);
  const lateBefore = [...memory.late];
  retryWrites(context, memory);
  forgetSuccessors(memory, now.steady);
  const early = new Set<string>();
  const mayCut = now.steady - (memory.cutSince ?? now.steady) < LONGEST_WITHOUT_PLAN;
  const { hurry, interrupted, stopped = () => false, first, ended } = options;
  const renewals: Renewals = {
    context,
    memory,
    ended,
    started: 0,
    running: 0,
    soonest: Number.POSITIVE_INFINITY,
  };
  const isWoken = (): boolean => mayCut && interrupted?.() === true;
  const cut = (): boolean => stopped() || isWoken();
  const scanned = await context.store.scan(now, {
    lazy: true,
    hurry,
    first,
    interrupted: cut,
    stopped,
    found: (tokens) => {
      for (const token of tokens) {
        const due = dueEarly(lookup, memory, token, now);
        if (!due) continue;
        early.add(tokenId(token));
        start(renewals, due.verdict, due.owner.provider);
      }
    },
  });
  const judged = await judgeScan(
    scanned,
    {
      lookup,
      memory,
      store: context.store,
      now,
      mayRead: mayReadOf(scanned.tokens.length, !memory.hasPlanned || hurry?.() === true),
    },
    cut,
  );
  const cutSince = memory.cutSince ?? now.steady;
  memory.cutSince = judged ? undefined : cutSince;
  if (!judged) return { cut: true, scan: scanned, plan: NO_PLAN, ...endOf(renewals) };
  memory.hasPlanned = true;
  const { scan, plan, owner } = judged;
  const unrecovered = await recover(context, scan, now, stopped);
  restoreSuccessors(context, memory, scan.tokens);
  if (hurry?.() !== true) await forgetGone(memory, scan, now);
  noteUrls(memory, judged.metaUrls);
  await context.report({ type: 'scanned', scan, plan });
  const inProgress = (id: string): boolean =>
    [early, before, memory.inFlight].some((ids) => ids.has(id));
  const busy = (token: TokenSnapshot): string | undefined =>
    whyBusy(context, memory, { late: [...lateBefore, ...memory.late], unrecovered }, token);
  const managed = (id: string): ManagedToken | undefined => owner(id)?.managed;
  const asked = (context.asked?.size ?? 0) > 0 ? context.asked : undefined;
  const renew =
    asked?.choose({ scan, plan, now, inProgress, managed, whyBusy: busy }) ?? plan.renew;
  const startOne = (verdict: Verdict): void => {
    const id = tokenId(verdict.managed.snapshot);
    const provider = owner(id)?.provider;
    if (provider && !inProgress(id) && busy(verdict.managed.snapshot) === undefined)
      start(renewals, verdict, provider);
  };
  const isCut = await startAll(renew, plan.renew.length, isWoken, startOne);
  if (isCut) memory.cutSince = cutSince;
  return { cut: isCut, scan, plan, ...endOf(renewals) };
}

/**
 * Starts renewals. The first `planned` of `renew` are started until a wake-up comes; the
 * next pass starts the remaining ones. The others are always started, because users have
 * requested them, and a request is chosen in one pass only. Returns true if a wake-up
 * came.
 */
async function startAll(
  renew: readonly Verdict[],
  planned: number,
  isWoken: () => boolean,
  startOne: (verdict: Verdict) => void,
): Promise<boolean> {
  const yieldIfDue = createYielder();
  let isCut = false;
  for (const [index, verdict] of renew.entries()) {
    isCut ||= isWoken();
    if (isCut && index < planned) continue;
    startOne(verdict);
    await yieldIfDue();
  }
  return isCut;
}

/**
 * A job may be waiting for a missing token; a local token does not wait for the rest of
 * the scan.
 */
function dueEarly(
  lookup: ProviderLookup,
  memory: PassMemory,
  token: TokenSnapshot,
  now: Instant,
): JudgedToken | undefined {
  if (token.use.kind !== 'missing') return undefined;
  const id = tokenId(token);
  if (memory.inFlight.has(id) || memory.unwritten.has(id)) return undefined;
  const judged = judgeToken(token, { lookup, memory, now });
  const isDue = judged?.owner.provider.isLocal === true && judged.verdict.state === 'due';
  return isDue ? judged : undefined;
}

/** Adds token URLs. The URL of an unread `.meta` may be among the known ones: none is removed. */
function noteUrls(memory: PassMemory, found: ReadonlySet<string>): void {
  for (const url of found) if (memory.metaUrls.size < MOST_URLS) memory.metaUrls.add(url);
}

/** Forget tokens that are gone; a recreated token starts fresh. */
async function forgetGone(
  { failures, pauses }: PassMemory,
  scan: Scan,
  now: Instant,
): Promise<void> {
  for (const [id, { until, shortLives }] of pauses)
    if (until <= now.steady && shortLives === 0) pauses.delete(id);
  if (scan.partial === true || scan.problems.length > 0 || failures.size + pauses.size === 0)
    return;
  const present = new Set<string>();
  await inSlices(scan.tokens, (token) => present.add(tokenId(token)));
  for (const ids of [failures, pauses])
    for (const id of ids.keys()) if (!present.has(id)) ids.delete(id);
}

/**
 * Recovers leftovers. Returns the tokens whose rotated `.top` could not be put in place:
 * the `.top` on disk is spent.
 */
async function recover(
  context: PassContext,
  scan: Scan,
  now: Instant,
  stopped: () => boolean,
): Promise<ReadonlySet<string>> {
  const unrecovered = new Set<string>();
  const yieldIfDue = createYielder();
  for (const { path, target, id, why } of await recoveries(scan, now.wall)) {
    await yieldIfDue();
    if (stopped()) break;
    try {
      context.store.settle(path, target);
      context.report({ type: 'settled', path, why, finished: target !== undefined });
    } catch (error) {
      if (id !== undefined) unrecovered.add(id);
      const action = target === undefined ? 'remove' : 'complete';
      context.report({ type: 'problem', text: `cannot ${action} ${path}: ${messageOf(error)}` });
    }
  }
  return unrecovered;
}
