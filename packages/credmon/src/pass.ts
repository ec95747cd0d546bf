// One pass: look at the directory, plan, start what is due, and write what comes back. The one switch over outcomes is here.
import {
  ANY_BASIS,
  CodedError,
  afterFailure,
  dueByLifetime,
  forgottenAtStart,
  isCoded,
  judge,
  messageOf,
  planRenewals,
  renewalText,
  spreadOf,
  tokenId,
  type Clock,
  type CredentialStore,
  type FileIdentity,
  type Instant,
  type ManagedToken,
  type Parsed,
  type Plan,
  type RenewalState,
  type Scan,
  type ScanHabits,
  type Send,
  type TokenChange,
  type TokenSnapshot,
  type TokenWrite,
  type Verdict,
} from '@credmon/core';
import { REWRITE_INTERVAL, UNEXPECTED_INTERVAL } from './intervals.ts';
import type { Limiter } from './limiter.ts';
import type { Outcome, Provider } from './providers/provider.ts';
import type { Report } from './report.ts';
import { rewrite } from './rewrite.ts';
import { settlements } from './sweep.ts';

/** The world as a pass sees it. `managed` gives a token's owner, or `undefined` when nobody owns it. */
export interface PassWorld {
  readonly clock: Clock;
  readonly store: CredentialStore;
  readonly send: Send;
  readonly limiter: Limiter;
  readonly report: Report;
  readonly readSecret: (path: string, form?: 'line' | 'whole') => Parsed<string>;
}

/** Who renews what, from the settings of the moment. */
export interface Ownership {
  readonly manage: (
    token: TokenSnapshot,
  ) => { readonly managed: ManagedToken; readonly provider: Provider } | undefined;
}

/** What lives from pass to pass: renewals under way, failures, and rotated tokens that could not be written yet; `since` when it began (epoch seconds). */
export interface PassMemory {
  readonly since: number;
  readonly inFlight: Set<string>;
  readonly failures: Map<string, RenewalState>;
  readonly unwritten: Map<string, TokenChange>;
}

/** A memory of nothing. */
export function emptyMemory(since: number): PassMemory {
  return { since, inFlight: new Set(), failures: new Map(), unwritten: new Map() };
}

/** A pass that has begun: what it found and planned. `settled` ends with its renewals, and tells in how many seconds one of them is due again. */
export interface BegunPass {
  readonly scan: Scan;
  readonly plan: Plan;
  readonly started: number;
  readonly settled: Promise<number>;
}

/** Scans, settles leftovers, plans, and starts every due renewal that is not under way yet. */
export async function beginPass(
  world: PassWorld,
  ownership: Ownership,
  memory: PassMemory,
  habits: Omit<ScanHabits, 'found'> = {},
): Promise<BegunPass> {
  const now = instant(world.clock);
  rewrite(world, memory.unwritten);
  const early = new Map<string, Promise<number>>();
  const scan = await world.store.scan(now, {
    ...habits,
    found: (tokens) => {
      for (const token of tokens) {
        const begun = startEarly(world, ownership, memory, token, now);
        if (begun) early.set(tokenId(token), begun);
      }
    },
  });
  settle(world, scan, now);
  const owned = new Map<string, { readonly managed: ManagedToken; readonly provider: Provider }>();
  for (const token of scan.tokens) {
    const owner = ownership.manage(withFailure(token, memory));
    if (owner) owned.set(tokenId(token), owner);
  }
  const plan = planRenewals(
    [...owned.values()].map(({ managed }) => managed),
    now,
  );
  world.report.scanned(scan, plan);
  const started: Promise<number>[] = [...early.values()];
  for (const verdict of plan.renew) {
    const id = tokenId(verdict.token.snapshot);
    const provider = owned.get(id)?.provider;
    if (provider && !early.has(id) && !memory.inFlight.has(id) && !memory.unwritten.has(id))
      started.push(start(world, memory, verdict, provider));
  }
  return {
    scan,
    plan,
    started: started.length,
    settled: Promise.all(started).then((nexts) => Math.min(...nexts, Number.POSITIVE_INFINITY)),
  };
}

/** Somebody may be waiting for a token that is not there at all; one that needs nobody else does not wait for the rest of the scan. */
function startEarly(
  world: PassWorld,
  ownership: Ownership,
  memory: PassMemory,
  token: TokenSnapshot,
  now: Instant,
): Promise<number> | undefined {
  const id = tokenId(token);
  if (token.use.kind !== 'missing' || memory.inFlight.has(id) || memory.unwritten.has(id)) return undefined;
  const owner = ownership.manage(withFailure(token, memory));
  if (!owner || owner.provider.asksNobody !== true) return undefined;
  const verdict = judge(owner.managed, now);
  return verdict.state === 'due' ? start(world, memory, verdict, owner.provider) : undefined;
}

/** The present moment on both lines. */
export function instant(clock: Clock): Instant {
  return { wall: clock.now(), steady: clock.steady() };
}

/** A failure that could not be written to the directory still counts. */
function withFailure(token: TokenSnapshot, memory: PassMemory): TokenSnapshot {
  const remembered = memory.failures.get(tokenId(token));
  const { renewal } = token;
  if (!remembered && renewal && renewal.last_attempt < memory.since && forgottenAtStart(renewal))
    return { ...token, renewal: undefined };
  if (!remembered || (token.renewal && token.renewal.last_attempt >= remembered.last_attempt)) return token;
  return { ...token, renewal: remembered };
}

function settle(world: PassWorld, scan: Scan, now: Instant): void {
  for (const { path, target, why } of settlements(scan, now.wall)) {
    try {
      world.store.settle(path, target);
      world.report.settled(path, why, target !== undefined);
    } catch (error) {
      world.report.trouble(
        `cannot ${target === undefined ? 'remove' : 'finish'} ${path}: ${messageOf(error)}`,
      );
    }
  }
}

async function start(
  world: PassWorld,
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
      run: async () => {
        const result = await attempt(world, memory, verdict, provider);
        ({ nextIn } = result);
        return result.error;
      },
      skip: (error) => {
        nextIn = failed(world, memory, verdict, 'failed', notTried(error));
      },
    });
  } catch (error) {
    // A mistake of ours with one token must not end the renewal of all others.
    world.report.trouble(`${id}: unexpected: ${messageOf(error)}`);
    nextIn = UNEXPECTED_INTERVAL;
  } finally {
    memory.inFlight.delete(id);
  }
  return nextIn;
}

function notTried(error: Error): CodedError {
  const because = `not tried, because of another token of the same issuer: ${error.message}`;
  return isCoded(error)
    ? new CodedError(error.code, because, error.fields)
    : new CodedError('ISSUER_UNREACHABLE', because);
}

/** How an attempt ended for the queue: the error, if any, and the seconds until the token is due again. */
interface Attempted {
  readonly error?: Error;
  readonly nextIn: number;
}

async function attempt(
  world: PassWorld,
  memory: PassMemory,
  verdict: Verdict,
  provider: Provider,
): Promise<Attempted> {
  const { snapshot } = verdict.token;
  const files = world.store.read(snapshot.user, snapshot.stem);
  const context = {
    send: world.send,
    now: world.clock.now(),
    readSecret: world.readSecret,
    readToken: (user: string, stem: string) => world.store.read(user, stem),
  };
  const outcome = await provider.obtain(snapshot, files, context);
  switch (outcome.kind) {
    case 'issued':
      return { nextIn: write(world, memory, verdict, outcome, files.topIdentity) };
    case 'gone':
      return {
        error: outcome.error,
        nextIn: remove(world, memory, verdict, outcome.error, files.topIdentity),
      };
    case 'revoked':
    case 'denied':
    case 'failed':
      return {
        error: outcome.error,
        nextIn: failed(world, memory, verdict, outcome.kind, outcome.error, outcome.writes),
      };
  }
}

function write(
  world: PassWorld,
  memory: PassMemory,
  { token }: Verdict,
  outcome: Outcome & { kind: 'issued' },
  from: FileIdentity | undefined,
): number {
  const { user, stem, renewal } = token.snapshot;
  const id = tokenId(token.snapshot);
  const forget = renewal === undefined ? [] : [{ kind: 'renewal', text: undefined, durable: false } as const];
  const change: TokenChange = { user, stem, from, writes: [...outcome.writes, ...forget] };
  memory.failures.delete(id);
  try {
    world.store.apply(change);
    world.report.renewed(token, outcome.times, outcome.rotated);
    if (outcome.note !== undefined) world.report.noted(id, outcome.note);
    return dueByLifetime(outcome.times, token.policy, spreadOf(id)) - world.clock.now();
  } catch (error) {
    if (isCoded(error, 'CRED_SUPERSEDED')) {
      world.report.trouble(error.message);
      return 0;
    }
    memory.unwritten.set(id, change);
    world.report.unwritten(id, messageOf(error));
    return REWRITE_INTERVAL;
  }
}

/** Removes a token that its issuer has revoked, unless a newer one came meanwhile. */
function remove(
  world: PassWorld,
  memory: PassMemory,
  verdict: Verdict,
  error: CodedError,
  from: FileIdentity | undefined,
): number {
  const { user, stem } = verdict.token.snapshot;
  const kinds = ['use', 'top', 'renewal'] as const;
  const writes = kinds.map((kind) => ({ kind, text: undefined, durable: false }));
  try {
    world.store.apply({ user, stem, from, writes });
  } catch (trouble) {
    world.report.trouble(messageOf(trouble));
    return isCoded(trouble, 'CRED_SUPERSEDED') ? 0 : failed(world, memory, verdict, 'revoked', error);
  }
  memory.failures.delete(tokenId(verdict.token.snapshot));
  world.report.removed(verdict.token, error);
  return Number.POSITIVE_INFINITY;
}

function failed(
  world: PassWorld,
  memory: PassMemory,
  { token }: Verdict,
  kind: 'revoked' | 'denied' | 'failed',
  error: CodedError,
  writes: readonly TokenWrite[] = [],
): number {
  const { snapshot, policy } = token;
  // A `.top` that is written with the failure would make it count no longer: the issuer would be asked at once, again and again.
  const basis = writes.some(({ kind: file }) => file === 'top') ? ANY_BASIS : token.basis();
  const id = tokenId(snapshot);
  const expiresAt = snapshot.use.kind === 'valid' ? snapshot.use.value.expiresAt : undefined;
  const state = afterFailure(
    snapshot.renewal,
    { id, error, basis, now: world.clock.now(), expiresAt },
    policy,
  );
  memory.failures.set(id, state);
  world.report.failed(token, kind, error, state);
  keepState(world, memory, snapshot, state, writes);
  return state.stopped ? Number.POSITIVE_INFINITY : state.not_before - world.clock.now();
}

/** Without the file a restart would begin at once again; the renewal itself does not depend on it. */
function keepState(
  world: PassWorld,
  memory: PassMemory,
  { user, stem, top }: TokenSnapshot,
  state: RenewalState,
  writes: readonly TokenWrite[],
): void {
  const from = top.kind === 'missing' ? undefined : top.identity;
  const change: TokenChange = {
    user,
    stem,
    from,
    writes: [...writes, { kind: 'renewal', text: renewalText(state), durable: false }],
  };
  try {
    world.store.apply(change);
  } catch (error) {
    if (isCoded(error, 'CRED_SUPERSEDED')) return;
    world.report.trouble(messageOf(error));
    if (writes.length > 0) memory.unwritten.set(tokenId({ user, stem }), change);
  }
}
