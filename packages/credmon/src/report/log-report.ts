// Turns what happened into log lines: a failure once per change of state, never a secret,
// always what to do next.
import { inSlices, type CodedError } from '@credmon/core/base';
import { splitStem, tokenId, type RenewalState } from '@credmon/core/credential';
import type { ManagedToken, Plan } from '@credmon/core/renewal';
import type { Scan } from '@credmon/core/store';
import {
  reportOf,
  type FailureKind,
  type Report,
  type ScannedEvent,
  type TokenEvent,
} from './events.ts';
import type { ReaderHabits } from './remaining-lifetime.ts';
import { noLifeText, shortLifeText } from './remaining-lifetime.ts';
import { remediationFor } from './remediation.ts';
import type { Log } from '@credmon/core/log';
import { createRounds, createLogOnce, type LogOnce } from './log-once.ts';

/** So many texts that belong to no token are remembered as said. */
const MOST_TEXTS = 1000;

/** Says a warning once; no text is none. */
function warnOnceOf(log: Log, texts: LogOnce): (about: string, text: string | undefined) => void {
  return (about, text) => {
    if (text !== undefined) texts.once(about, '', () => log.warn(text));
  };
}

/** Problems of our own side: those of single renewals by token, and those of passes. */
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
      const say = (): void => log.error(text);
      if (token === undefined) ofPass.once(text, say);
      else ofRenewal.once(token, text, say);
    },
    endPass: () =>
      ofPass.end((count) => log.error(`${count} more problems of the same pass are not listed`)),
  };
}

/** Notes of renewals; one that two renewals in a row came without has ended. */
function createNotes(log: Log): {
  readonly size: number;
  add(this: void, id: string, note: string): void;
  renewed(id: string): void;
  keepOnly(stays: (id: string) => boolean): void;
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
    keepOnly: (stays) => {
      notes.keepOnly(stays);
      for (const id of latest) if (!stays(id)) latest.delete(id);
    },
  };
}

/** Says once why a token cannot be renewed at all, until it can. */
function sayWhyNot(log: Log, said: LogOnce, { snapshot, renewable }: ManagedToken): void {
  if (renewable.ok && said.size === 0) return;
  const id = tokenId(snapshot);
  if (renewable.ok) said.forget(id);
  else
    said.once(id, renewable.reason, () =>
      log.warn(`${id}: cannot be renewed: ${renewable.reason}`),
    );
}

/** What tokens share when they fail, by token: `fields.about` of the error. */
type Shared = Map<string, string>;

/**
 * Memory must not grow with every token that ever was, and one that comes back is news.
 */
async function forgetGone(
  scan: Scan,
  byToken: readonly Pick<LogOnce, 'keepOnly' | 'size'>[],
  shared: Shared,
): Promise<void> {
  if (scan.partial === true || scan.problems.length > 0) return;
  if (byToken.every(({ size }) => size === 0) && shared.size === 0) return;
  const there = new Set<string>();
  await inSlices(scan.tokens, (token) => there.add(tokenId(token)));
  for (const said of byToken) said.keepOnly((id) => there.has(id));
  for (const id of shared.keys()) if (!there.has(id)) shared.delete(id);
}

/** What the log has said of failures, by token, or by what several tokens share. */
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
    say: () => void,
  ): void;
  forget(this: void, id: string): void;
} {
  return {
    once: ({ token, error, type }, kind, say) => {
      const id = tokenId(token.snapshot);
      const key = `${type === 'postponed' ? type : kind} ${error.code}`;
      const { about } = error.fields;
      if (typeof about !== 'string') return ofToken.once(id, key, say);
      shared.set(id, about);
      texts.once(about, key, say);
    },
    forget: (id) => {
      ofToken.forget(id);
      texts.forget(shared.get(id) ?? '');
      shared.delete(id);
      ofRenewal.forget(id);
    },
  };
}

/** The part of the report that concerns whole passes. */
interface PassTexts {
  readonly texts: LogOnce;
  readonly ownProblems: ReturnType<typeof createProblems>;
  readonly unrenewable: LogOnce;
  /** What is remembered by token. */
  readonly byToken: readonly Pick<LogOnce, 'keepOnly' | 'size'>[];
  readonly shared: Shared;
}

/**
 * A report to a log. What it has said is remembered while the token is there, so that
 * only changes are said again.
 */
export function createReport(log: Log, readers: () => ReaderHabits): Report {
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
    scannedReport(log, readers, { texts, ownProblems, unrenewable, byToken, shared }),
    (event) => {
      switch (event.type) {
        case 'renewed': {
          const { token, times } = event;
          const id = tokenId(token.snapshot);
          failures.forget(id);
          notes.renewed(id);
          const life = times.expiresAt - times.issuedAt;
          log.info(renewedText(token, life, event.rotated));
          warnOnce(`no life ${token.snapshot.stem}`, noLifeText(token, life));
          return;
        }
        case 'failed': {
          const { token, kind, error, state } = event;
          const text = failureText(token, kind, error, state);
          failures.once(event, kind, () => log[kind === 'failed' ? 'warn' : 'error'](text));
          log.debug(
            `${tokenId(token.snapshot)}: attempt ${state.attempts} failed (${error.code}), next not before ${state.not_before}`,
          );
          return;
        }
        case 'postponed':
          failures.once(event, 'failed', () =>
            log.warn(failureText(event.token, 'failed', event.error, event.state)),
          );
          return;
        case 'noted':
          notes.add(event.id, event.note);
          return;
        case 'removed': {
          const id = tokenId(event.token.snapshot);
          failures.forget(id);
          log.warn(`Audit: removed ${id} (${event.token.provider}): ${withoutId(id, event.error)}`);
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
          log.info(`Successfully renewed ${event.id}: what was kept in memory is written now`);
          return;
        case 'problem':
          ownProblems.add(event.text, event.token);
      }
    },
  );
}

function scannedReport(
  log: Log,
  readers: () => ReaderHabits,
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
    const now = readers();
    await inSlices(plan.verdicts, ({ token }) => {
      warnOnce(`short life ${token.snapshot.stem}`, shortLifeText(token, now));
      sayWhyNot(log, unrenewable, token);
    });
  };
}

function scannedText({ tokens }: Scan, { verdicts, renew }: Plan): string {
  return `Scanned ${tokens.length} tokens: ${verdicts.length} are ours, ${renew.length} due`;
}

function renewedText({ snapshot, provider }: ManagedToken, life: number, rotated: boolean): string {
  const how = rotated ? ', refresh token rotated' : '';
  return `Successfully renewed ${tokenId(snapshot)} (${provider}), good for ${life} s${how}`;
}

function failureText(
  token: ManagedToken,
  kind: FailureKind,
  error: CodedError,
  state: RenewalState,
): string {
  const id = tokenId(token.snapshot);
  return `${id}: ${withoutId(id, error)}; ${advice(token, kind, error, state)}`;
}

/** Some messages begin with the token themselves. */
function withoutId(id: string, { message }: CodedError): string {
  return message.startsWith(`${id}: `) ? message.slice(id.length + 2) : message;
}

/**
 * Who must act, and whether anything is tried meanwhile: the state alone decides that, as
 * it does for `condor_credmon status`.
 */
function advice(
  { snapshot, provider }: ManagedToken,
  kind: FailureKind,
  { code }: CodedError,
  state: RenewalState,
): string {
  const next = state.stopped
    ? `not tried again${UNTIL[kind]}`
    : `tried again in ${Math.max(0, state.not_before - state.last_attempt)} s`;
  if (kind !== 'revoked') return `${next}${WHO[kind]}`;
  const { user, stem } = snapshot;
  const name = splitStem(stem, false) ?? { service: stem, handle: '' };
  return `${next}: ${remediationFor({ user, provider, ...name }, code) ?? `see ${code} in docs/errors.md`}`;
}

const UNTIL = {
  revoked: '',
  denied: ' until the client, its secret or the configuration changes',
  failed: ' until its files or the configuration change',
} as const;

const WHO = {
  denied: ': the administrator must act',
  failed: '',
} as const;
