// Turns events into log lines: a failure once per change of state, never a secret, always
// with the next step.
import { ERROR_CODES, inSlices, type CodedError } from '@credmon/core/base';
import { splitStem, tokenId, type RenewalState } from '@credmon/core/credential';
import { isNeverDue, type ManagedToken, type Plan, type Verdict } from '@credmon/core/renewal';
import type { Scan } from '@credmon/core/store';
import {
  reportOf,
  type FailureKind,
  type Report,
  type ScannedEvent,
  type TokenEvent,
} from './events.ts';
import { type ReaderOptions, shortLifetimeText, shortRemainingText } from './remaining-lifetime.ts';
import { STANDING_LOGIN } from '../providers/standing/ports.ts';
import { loginCommand, remediationFor } from './remediation.ts';
import type { Log } from '@credmon/core/log';
import { createRounds, createLogOnce, type LogOnce } from './log-once.ts';

/** Maximum number of remembered texts without a token. */
const MOST_TEXTS = 1000;

/** Returns a function that logs a warning once. */
function warnOnceOf(log: Log, texts: LogOnce): (about: string, text: string | undefined) => void {
  return (about, text) => {
    if (text !== undefined) texts.once(about, '', () => log.warn(text));
  };
}

/** Problems on our side: of single renewals by token, and of passes. */
function createProblems(log: Log): {
  readonly ofRenewal: LogOnce;
  add(this: void, text: string, token?: string): void;
  endPass(): void;
} {
  const ofRenewal = createLogOnce();
  const ofPass = createRounds(MOST_TEXTS);
  return {
    ofRenewal,
    add: (text, token) => {
      const logIt = (): void => log.error(text);
      if (token === undefined) ofPass.once(text, logIt);
      else ofRenewal.once(token, text, logIt);
    },
    endPass: () =>
      ofPass.end((count) => log.error(`${count} more problems of the same pass are not listed`)),
  };
}

/** Notes of renewals; a note ends when two renewals in a row come without it. */
function createNotes(log: Log): {
  readonly size: number;
  add(this: void, id: string, note: string): void;
  renewed(id: string): void;
  keepOnly(keep: (id: string) => boolean): void;
} {
  const notes = createLogOnce();
  const latest = new Set<string>();
  return {
    get size() {
      return notes.size;
    },
    add: (id, note) => {
      latest.add(id);
      notes.once(id, note, () => log.warn(`${id}: ${note}`));
    },
    renewed: (id) => {
      if (!latest.delete(id)) notes.forget(id);
    },
    keepOnly: (keep) => {
      notes.keepOnly(keep);
      for (const id of latest) if (!keep(id)) latest.delete(id);
    },
  };
}

/** Logs once why a token cannot be renewed, until it can, or need not be. */
function logUnrenewable(log: Log, logged: LogOnce, verdict: Verdict): void {
  const { snapshot, renewable, provider } = verdict.managed;
  const isTrouble = !renewable.ok && !isNeverDue(verdict);
  if (!isTrouble && logged.size === 0) return;
  const id = tokenId(snapshot);
  if (!isTrouble) return logged.forget(id);
  // The user reads the next step in `condor_credmon status`; the administrator here.
  const step =
    provider === STANDING_LOGIN ? `; fix: run this as root: ${loginCommand(snapshot.stem)}` : '';
  const text = `${id}: cannot be renewed: ${renewable.reason}${step}`;
  logged.once(id, renewable.reason, () => log.warn(text));
}

/** What failing tokens have in common, by token: `fields.about` of the error. */
type Shared = Map<string, string>;

/** Forget tokens that are gone; a recreated token is reported again. */
async function forgetGone(
  scan: Scan,
  byToken: readonly Pick<LogOnce, 'keepOnly' | 'size'>[],
  shared: Shared,
): Promise<void> {
  if (scan.partial === true || scan.problems.length > 0) return;
  if (byToken.every(({ size }) => size === 0) && shared.size === 0) return;
  const present = new Set<string>();
  await inSlices(scan.tokens, (token) => present.add(tokenId(token)));
  for (const logged of byToken) logged.keepOnly((id) => present.has(id));
  for (const id of shared.keys()) if (!present.has(id)) shared.delete(id);
}

/** What was logged about failures, by token or by what several tokens have in common. */
function failuresOf(
  ofToken: LogOnce,
  texts: LogOnce,
  ofRenewal: LogOnce,
  shared: Shared,
): {
  once(
    this: void,
    event: Extract<TokenEvent, { type: 'failed' | 'postponed' }>,
    kind: FailureKind,
    logIt: () => void,
  ): void;
  forget(this: void, id: string): void;
} {
  return {
    once: ({ managed, error, type }, kind, logIt) => {
      const id = tokenId(managed.snapshot);
      const key = `${type === 'postponed' ? type : kind} ${error.code}`;
      const { about } = error.fields;
      if (typeof about !== 'string') return ofToken.once(id, key, logIt);
      shared.set(id, about);
      texts.once(about, key, logIt);
    },
    forget: (id) => {
      ofToken.forget(id);
      texts.forget(shared.get(id) ?? '');
      shared.delete(id);
      ofRenewal.forget(id);
    },
  };
}

/** The state of the report that concerns whole passes. */
interface PassTexts {
  readonly texts: LogOnce;
  readonly ownProblems: ReturnType<typeof createProblems>;
  readonly unrenewable: LogOnce;
  /** What is remembered by token. */
  readonly byToken: readonly Pick<LogOnce, 'keepOnly' | 'size'>[];
  readonly shared: Shared;
}

/**
 * Creates a report to a log. What was logged is remembered while the token exists, so
 * that only changes are logged again.
 */
export function createReport(log: Log, readerOptions: () => ReaderOptions): Report {
  const ofToken = createLogOnce();
  const notes = createNotes(log);
  const texts = createLogOnce(MOST_TEXTS);
  const ownProblems = createProblems(log);
  const unrenewable = createLogOnce();
  const shared: Shared = new Map();
  const byToken = [ofToken, notes, ownProblems.ofRenewal, unrenewable];
  const warnOnce = warnOnceOf(log, texts);

  const failures = failuresOf(ofToken, texts, ownProblems.ofRenewal, shared);

  return reportOf(
    scannedReport(log, readerOptions, { texts, ownProblems, unrenewable, byToken, shared }),
    (event) => {
      switch (event.type) {
        case 'renewed': {
          const { managed, times } = event;
          const id = tokenId(managed.snapshot);
          failures.forget(id);
          notes.renewed(id);
          const lifetime = times.expiresAt - times.issuedAt;
          log.info(renewedText(managed, lifetime, event.rotated));
          warnOnce(`no lifetime ${managed.snapshot.stem}`, shortLifetimeText(managed, lifetime));
          return;
        }
        case 'failed': {
          const { managed, kind, error, state } = event;
          const text = failureText(managed, kind, error, state);
          failures.once(event, kind, () => log[kind === 'failed' ? 'warn' : 'error'](text));
          log.debug(
            `${tokenId(managed.snapshot)}: attempt ${state.attempts} failed ` +
              `(${error.code}), next not before ${state.not_before}`,
          );
          return;
        }
        case 'postponed':
          failures.once(event, 'failed', () =>
            log.warn(failureText(event.managed, 'failed', event.error, event.state)),
          );
          return;
        case 'noted':
          notes.add(event.id, event.note);
          return;
        case 'removed': {
          const id = tokenId(event.managed.snapshot);
          failures.forget(id);
          log.warn(
            `Audit: removed ${id} (${event.managed.provider}): ${withoutId(id, event.error)}`,
          );
          return;
        }
        case 'settled':
          log.info(`${event.finished ? 'Finished' : 'Removed'} ${event.path}: ${event.why}`);
          return;
        case 'unwritten':
          ofToken.once(event.id, `unwritten ${event.why}`, () =>
            log.error(`${event.why}; kept in memory; retrying every 5 s`),
          );
          return;
        case 'rewritten':
          failures.forget(event.id);
          log.info(
            event.renewal
              ? `Successfully renewed ${event.id}: pending files written`
              : `${event.id}: pending files written`,
          );
          return;
        case 'superseded':
          log.info(event.text);
          return;
        case 'problem':
          ownProblems.add(event.text, event.id);
      }
    },
  );
}

function scannedReport(
  log: Log,
  readerOptions: () => ReaderOptions,
  { texts, ownProblems, unrenewable, byToken, shared }: PassTexts,
): (event: ScannedEvent) => Promise<void> {
  const warnOnce = warnOnceOf(log, texts);
  let problems: ReadonlySet<string> = new Set();
  return async ({ scan, plan }) => {
    ownProblems.endPass();
    log.debug(scannedText(scan, plan));
    for (const problem of scan.problems) if (!problems.has(problem)) log.error(problem);
    problems = new Set([...(scan.partial === true ? problems : []), ...scan.problems]);
    await forgetGone(scan, byToken, shared);
    const now = readerOptions();
    await inSlices(plan.changed ?? plan.verdicts, (verdict) => {
      const { managed } = verdict;
      const text = shortRemainingText(managed, now);
      if (text !== undefined) warnOnce(`short lifetime ${managed.snapshot.stem}`, text);
      logUnrenewable(log, unrenewable, verdict);
    });
  };
}

function scannedText({ tokens }: Scan, { verdicts, renew }: Plan): string {
  return `Scanned ${tokens.length} tokens: ${verdicts.length} managed, ${renew.length} due`;
}

function renewedText(
  { snapshot, provider }: ManagedToken,
  lifetime: number,
  rotated: boolean,
): string {
  const how = rotated ? ', refresh token rotated' : '';
  const life = Number.isFinite(lifetime) ? `good for ${lifetime} s` : 'does not expire';
  return `Successfully renewed ${tokenId(snapshot)} (${provider}), ${life}${how}`;
}

function failureText(
  managed: ManagedToken,
  kind: FailureKind,
  error: CodedError,
  state: RenewalState,
): string {
  const id = tokenId(managed.snapshot);
  return `${id}: ${withoutId(id, error)}; ${advice(managed, kind, error, state)}`;
}

/** Removes the token's id if the message begins with it. */
function withoutId(id: string, { message }: CodedError): string {
  return message.startsWith(`${id}: `) ? message.slice(id.length + 2) : message;
}

/**
 * Says who must act and whether the token is retried: decided by the state alone, as in
 * `condor_credmon status`.
 */
function advice(
  { snapshot, provider }: ManagedToken,
  kind: FailureKind,
  { code }: CodedError,
  state: RenewalState,
): string {
  const until = kind === 'denied' && provider === 'local' ? UNTIL.local : UNTIL[kind];
  const next = state.stopped
    ? `not tried again${until}`
    : `tried again in ${Math.max(0, state.not_before - state.last_attempt)} s`;
  const { user, stem } = snapshot;
  const name = splitStem(stem, false) ?? { service: stem, handle: '' };
  const step = remediationFor({ user, provider, ...name }, code);
  if (kind === 'revoked') return `${next}: ${step ?? `see ${code} in docs/errors.md`}`;
  if (ERROR_CODES[code].intended) return next;
  const named = code === 'CLIENT_REFUSED' && step !== undefined ? `; ${step}` : '';
  return `${next}${ACTOR[kind]}${named}`;
}

const UNTIL = {
  revoked: '',
  denied: ' until the client, its secret or the configuration changes',
  local: ' until the rules, the map file or the request change',
  failed: ' until its files or the configuration change',
} as const;

const ACTOR = {
  denied: ': the administrator must act',
  failed: '',
} as const;
