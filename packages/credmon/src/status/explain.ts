// Everything that decides the next step of one token, as data. Pure.
import { type ErrorCode, ERROR_CODES, durationText, utcText } from '@credmon/core/base';
import {
  type LazyState,
  type Instant,
  type TokenSnapshot,
  tokenFileName,
} from '@credmon/core/credential';
import {
  type DueReason,
  type ManagedToken,
  type RenewalPolicy,
  dueOf,
  localNow,
} from '@credmon/core/renewal';
import { remediationFor } from '../report/remediation.ts';
import { SKIPPED } from '../throttle/circuit-breaker.ts';
import { createFairQueue } from '../throttle/fair-queue.ts';
import type { StatusRow } from './rows.ts';

/** A file of a token. Times in epoch seconds, sizes in bytes. */
export interface FileFact {
  readonly name: string;
  readonly state: 'valid' | 'missing' | 'broken';
  /** What it contains, or what is wrong; `null` if there is nothing to say. */
  readonly note: string | null;
  readonly modified: number | null;
  readonly size: number | null;
}

/** The provider of a token. `profile` and `issuer` are `null` if it has none. */
export interface ProviderFacts {
  readonly kind: string;
  readonly profile: string | null;
  /** The server that a renewal asks. */
  readonly issuer: string | null;
}

/**
 * The facts about a token. Those that only the credential directory shows are `null` for
 * a user who sees no more than the daemon's status file. Times in epoch seconds.
 */
export interface TokenFacts {
  readonly row: StatusRow;
  readonly now: Instant;
  /** The daemon's process id, or why it does not run. */
  readonly daemon: number | string;
  readonly token: TokenSnapshot | null;
  readonly managed: ManagedToken | null;
  readonly provider: ProviderFacts | null;
  /** Tokens of the same issuer that are due now, this one included; `cap`: at a time. */
  readonly queue: { readonly due: readonly TokenSnapshot[]; readonly cap: number } | null;
  /** The token as the daemon last published it. */
  readonly published: { readonly row: StatusRow; readonly writtenAt: number } | null;
}

/** An explanation, as `--json` prints it: docs/schemas/explain.json. */
export interface Explanation extends Omit<StatusRow, 'provider' | 'last_error'> {
  readonly checked_at: number;
  readonly daemon: number | null;
  readonly provider: ProviderFacts | null;
  readonly files: readonly FileFact[] | null;
  readonly issued_at: number | null;
  readonly due: { readonly at: number | null; readonly reason: string } | null;
  readonly policy: Omit<RenewalPolicy, 'defaultLifetime'> | null;
  /** A failure that counts, and what ends the wait. */
  readonly backoff: {
    readonly attempts: number;
    readonly last_attempt: number;
    readonly until: number | null;
    readonly ends_with: string;
  } | null;
  /** The open circuit breaker of its issuer, as the daemon last published it. */
  readonly circuit_breaker: {
    readonly message: string;
    readonly until: number | null;
    readonly written_at: number;
  } | null;
  /**
   * The place of a due token among those of its issuer, as the files show it: `before` of
   * `due` tokens have their turn first, `cap` are renewed at a time.
   */
  readonly queue: {
    readonly due: number;
    readonly before: number;
    readonly cap: number;
  } | null;
  readonly last_error:
    (NonNullable<StatusRow['last_error']> & { readonly remedy: string | null }) | null;
  /** An earlier failure that no longer counts, because its cause may be gone. */
  readonly ignored_error: string | null;
  readonly actor: 'user' | 'administrator' | 'nobody';
  readonly next_step: string;
}

/** Explains one token. */
export function explain(facts: TokenFacts): Explanation {
  const { token, managed, now, daemon, provider, published } = facts;
  const due = managed ? dueFact(managed, now) : null;
  const breaker = openCircuit(facts);
  const row = breaker && published ? { ...facts.row, ...waitingAs(published.row) } : facts.row;
  const { last_error: error, ...rest } = row;
  const remedy = error === null ? null : (remediationFor(row, error.code) ?? null);
  const stored = token?.renewal;
  const step = nextStep(row, { now: now.wall, due, daemon, remedy });
  return {
    ...rest,
    checked_at: Math.floor(now.wall),
    daemon: typeof daemon === 'number' ? daemon : null,
    provider,
    files: token && filesOf(token),
    issued_at: token?.use.kind === 'valid' ? Math.floor(token.use.value.issuedAt) : null,
    due,
    policy: managed && policyFacts(managed.policy),
    backoff: backoffOf(row),
    circuit_breaker: breaker,
    queue: row.state === 'due' || breaker ? placeInQueue(facts) : null,
    last_error: error && { ...error, remedy },
    ignored_error:
      stored && error?.message !== stored.message && breaker === null
        ? `${stored.code}: ${stored.message}`
        : null,
    ...step,
  };
}

/** The turns of the issuer's queue if the daemon found these files now. */
function placeInQueue({ token, queue }: TokenFacts): Explanation['queue'] {
  if (token === null || queue === null) return null;
  const expiry = ({ use }: TokenSnapshot): number =>
    use.kind === 'valid' ? use.value.expiresAt : Number.NEGATIVE_INFINITY;
  const turns = createFairQueue<{ user: string; stem: string; deadline: number }>();
  for (const one of queue.due.toSorted((a, b) => expiry(a) - expiry(b)))
    turns.add({ user: one.user, stem: one.stem, deadline: expiry(one) });
  for (let before = 0; ; before += 1) {
    const next = turns.take();
    if (next === undefined) return null;
    if (next.user === token.user && next.stem === token.stem)
      return { due: queue.due.length, before, cap: queue.cap };
  }
}

function policyFacts(policy: RenewalPolicy): Explanation['policy'] {
  const { defaultLifetime: _, ...facts } = policy;
  return facts;
}

/** Failures of other tokens are only in the daemon's memory. */
function openCircuit({ row, published, now }: TokenFacts): Explanation['circuit_breaker'] {
  const seen = published?.row;
  const counts =
    seen?.last_error?.message.startsWith(SKIPPED) === true &&
    (row.state === 'due' || row.state === 'waiting') &&
    (seen.next_renewal ?? 0) > now.wall;
  if (!counts || !published || !seen?.last_error) return null;
  const { message } = seen.last_error;
  return { message, until: seen.next_renewal, written_at: published.writtenAt };
}

const waitingAs = ({ next_renewal, last_error, attempts }: StatusRow): Partial<StatusRow> => ({
  state: 'waiting',
  next_renewal,
  last_error,
  attempts,
});

function dueFact({ snapshot, policy }: ManagedToken, now: Instant): Explanation['due'] {
  const due = dueOf(snapshot, policy, now.wall);
  // A token's own clock does not follow steps of the wall clock.
  const at = Math.ceil(now.wall + due.at - localNow(snapshot, now));
  return {
    at: Number.isFinite(at) ? at : null,
    reason:
      due.at === Number.POSITIVE_INFINITY
        ? 'it does not expire'
        : reasonText(due.reason, snapshot, policy),
  };
}

function reasonText(
  reason: DueReason,
  { stem, use }: TokenSnapshot,
  { fraction, jitter, margin, refreshEvery }: RenewalPolicy,
): string {
  switch (reason) {
    case 'use-missing':
      return `${stem}.use is missing`;
    case 'use-broken':
      return `${stem}.use ${use.kind === 'broken' ? use.reason : 'is invalid'}`;
    case 'newer-top':
      return `${stem}.top is newer than ${stem}.use (a new login or credential)`;
    case 'clock-stepped':
      return `${stem}.use is dated in the future (a clock was wrong)`;
    case 'lifetime': {
      const every =
        refreshEvery === undefined ? '' : `, and every ${durationText(refreshEvery)} at the latest`;
      const late =
        margin === undefined
          ? ''
          : `, not before it has ${durationText(margin)} left (its issuer revokes the old token)`;
      return `${share(fraction - jitter)} to ${share(fraction)} of its lifetime${every}${late}`;
    }
  }
}

const share = (value: number): string => `${Math.round(Math.max(0, value) * 100)} %`;

function backoffOf({
  state,
  attempts,
  last_error: error,
  next_renewal,
}: StatusRow): Explanation['backoff'] {
  if (error === null || (state !== 'waiting' && state !== 'stopped')) return null;
  const ends_with = state === 'stopped' ? changeThatEnds(error.code) : 'the next attempt';
  return { attempts, last_attempt: error.at, until: next_renewal, ends_with };
}

function changeThatEnds(code: string): string {
  const retry = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode].retry : '';
  const change = 'a change of its .top file, its client or the secret';
  return retry === 'until-restart' ? `${change}, or a restart of condor_credmon` : change;
}

type Step = Pick<Explanation, 'actor' | 'next_step'>;

function nextStep(
  row: StatusRow,
  facts: {
    readonly now: number;
    readonly due: Explanation['due'];
    readonly daemon: number | string;
    readonly remedy: string | null;
  },
): Step {
  const { now, due, daemon, remedy } = facts;
  const { state, last_error: error, next_renewal: at } = row;
  const because = due === null ? '' : `: ${due.reason}`;
  const when = at === null ? 'never' : `at ${utcText(at)} (in ${durationText(at - now)})`;
  if (state === 'unmanaged')
    return {
      actor: 'administrator',
      next_step: `not renewed: ${row.why ?? 'no provider owns it'}`,
    };
  if (state === 'stopped' || state === 'unrenewable') {
    const why = `${error?.message ?? 'the reason is unknown'}${remedy === null ? '' : `; ${remedy}`}`;
    const until = error && state === 'stopped' ? ` until ${changeThatEnds(error.code)}` : '';
    return { actor: actorOf(error?.code), next_step: `not renewed${until}: ${why}` };
  }
  if (typeof daemon === 'string')
    return {
      actor: 'administrator',
      next_step: `not renewed: ${daemon}; fix: start condor_credmon (condor_on -daemon CREDMON_OAUTH)`,
    };
  if (state === 'due')
    return { actor: 'nobody', next_step: `the next pass of condor_credmon renews it${because}` };
  if (state === 'fresh')
    return {
      actor: 'nobody',
      next_step: at === null ? `no renewal${because}` : `renewed ${when}${because}`,
    };
  const actor = actorOf(error?.code);
  const step = remedy === null || actor === 'nobody' ? '' : `; ${remedy}`;
  return { actor, next_step: `tried again ${when}${step}` };
}

function actorOf(code: string | undefined): Explanation['actor'] {
  if (code === undefined || !Object.hasOwn(ERROR_CODES, code)) return 'administrator';
  const { actor, intended = false } = ERROR_CODES[code as ErrorCode];
  return actor === 'time' || intended ? 'nobody' : actor;
}

function filesOf(token: TokenSnapshot): FileFact[] {
  const { stem, top, use, meta, renewal, issued } = token;
  const refresh = { present: 'has a refresh token', empty: 'has an empty refresh token' } as const;
  return [
    fileFact(`${stem}.top`, top, ({ opaque, refreshToken }) =>
      opaque
        ? 'not a JSON object'
        : refreshToken === 'absent'
          ? 'has no refresh token'
          : refresh[refreshToken],
    ),
    fileFact(`${stem}.use`, use, ({ expiresAt }) =>
      token.assumed === true
        ? `expires ${utcText(expiresAt)} by the default lifetime: neither issuer nor token says when`
        : `expires ${utcText(expiresAt)}`,
    ),
    fileFact(`${stem}.meta`, meta, ({ clientId, tokenUrl }) => `client ${clientId} at ${tokenUrl}`),
    ...(issued ? [fileFact(tokenFileName(stem, 'issued'), issued, () => null)] : []),
    ...(renewal
      ? [
          {
            name: tokenFileName(stem, 'renewal'),
            state: 'valid',
            note: `last failure: ${renewal.code}`,
            modified: null,
            size: null,
          } as const,
        ]
      : []),
  ];
}

function fileFact<T>(
  name: string,
  file: LazyState<T>,
  note: (value: T) => string | null,
): FileFact {
  if (file.kind === 'missing')
    return { name, state: 'missing', note: null, modified: null, size: null };
  return {
    name,
    // This look is not lazy: a file that was not read does not occur.
    state: file.kind === 'unread' ? 'valid' : file.kind,
    note: file.kind === 'valid' ? note(file.value) : file.kind === 'broken' ? file.reason : null,
    modified: file.identity ? Math.floor(file.identity.mtime) : null,
    size: file.identity?.size ?? null,
  };
}
