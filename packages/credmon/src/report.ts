// Turns what happened into log lines: a failure once per change of state, never a secret, always what to do next.
import {
  splitStem,
  tokenId,
  type CodedError,
  type ManagedToken,
  type Plan,
  type RenewalState,
  type Scan,
  type TokenTimes,
} from '@credmon/core';
import type { ReaderHabits } from './life-left.ts';
import { noLifeText, shortLifeText } from './life-texts.ts';
import { nextStep } from './next-step.ts';
import type { Log } from '@credmon/core/log';
import { createSaid, type Said } from './said.ts';

/** What the passes tell. */
export interface Report {
  scanned(scan: Scan, plan: Plan): void;
  renewed(token: ManagedToken, times: TokenTimes, rotated: boolean): void;
  failed(
    token: ManagedToken,
    kind: 'revoked' | 'denied' | 'failed',
    error: CodedError,
    state: RenewalState,
  ): void;
  /** A renewal that was not tried for the sake of its issuer. */
  postponed(token: ManagedToken, error: CodedError, state: RenewalState): void;
  /** A renewal that went well, but not quite as asked. */
  noted(id: string, note: string): void;
  removed(token: ManagedToken, error: CodedError): void;
  settled(path: string, why: string, finished: boolean): void;
  unwritten(id: string, why: string): void;
  rewritten(id: string): void;
  trouble(text: string): void;
}

/** So many texts that belong to no token are remembered as said. */
const MOST_TEXTS = 1000;

/** Says a warning once; no text is none. */
function warnOnceOf(log: Log, texts: Said): (about: string, text: string | undefined) => void {
  return (about, text) => {
    if (text !== undefined) texts.once(about, '', () => log.warn(text));
  };
}

/** A report to a log. What it has said is remembered while the token is there, so that only changes are said again. */
export function createReport(log: Log, habits: () => ReaderHabits): Report {
  const ofToken = createSaid();
  const notes = createSaid();
  const texts = createSaid(MOST_TEXTS);
  let problems: ReadonlySet<string> = new Set();
  /** What tokens share when they fail: `fields.about` of the error, by token. */
  const shared = new Map<string, string>();

  const warnOnce = warnOnceOf(log, texts);

  /** Memory must not grow with every token that ever was, and one that comes back is news. */
  const forgetGone = (scan: Scan): void => {
    if (scan.partial === true || scan.problems.length > 0) return;
    if (ofToken.size + notes.size + shared.size === 0) return;
    const there = new Set(scan.tokens.map(tokenId));
    for (const said of [ofToken, notes]) said.keepOnly((id) => there.has(id));
    for (const id of shared.keys()) if (!there.has(id)) shared.delete(id);
  };

  const onceOf = (id: string, kind: string, { code, fields }: CodedError, say: () => void): void => {
    const { about } = fields;
    if (typeof about !== 'string') return ofToken.once(id, `${kind} ${code}`, say);
    shared.set(id, about);
    texts.once(about, `${kind} ${code}`, say);
  };

  const forgetFailure = (id: string): void => {
    ofToken.forget(id);
    texts.forget(shared.get(id) ?? '');
    shared.delete(id);
  };

  return {
    scanned: (scan, plan) => {
      const { tokens } = scan;
      log.debug(
        `Scanned ${tokens.length} tokens: ${plan.verdicts.length} are ours, ${plan.renew.length} due`,
      );
      for (const problem of scan.problems) if (!problems.has(problem)) log.error(problem);
      problems = new Set([...(scan.partial === true ? problems : []), ...scan.problems]);
      forgetGone(scan);
      for (const { token, state } of plan.verdicts) {
        const id = tokenId(token.snapshot);
        warnOnce(`short life ${token.snapshot.stem}`, shortLifeText(token, habits()));
        if (state !== 'unrenewable' || token.renewable.ok) continue;
        const { reason } = token.renewable;
        ofToken.once(id, reason, () => log.warn(`${id}: cannot be renewed: ${reason}`));
      }
    },
    renewed: (token, { issuedAt, expiresAt }, rotated) => {
      const id = tokenId(token.snapshot);
      forgetFailure(id);
      const how = rotated ? ', refresh token rotated' : '';
      const life = expiresAt - issuedAt;
      log.info(`Successfully renewed ${id} (${token.provider}), good for ${life} s${how}`);
      warnOnce(`no life ${token.snapshot.stem}`, noLifeText(token, life));
    },
    failed: (token, kind, error, state) => {
      const id = tokenId(token.snapshot);
      const text = failureText(token, kind, error, state);
      onceOf(id, kind, error, () => log[kind === 'failed' ? 'warn' : 'error'](text));
      log.debug(
        `${id}: attempt ${state.attempts} failed (${error.code}), next not before ${state.not_before}`,
      );
    },
    postponed: (token, error, state) => {
      const id = tokenId(token.snapshot);
      onceOf(id, 'postponed', error, () => log.warn(failureText(token, 'failed', error, state)));
    },
    noted: (id, note) => notes.once(id, note, () => log.warn(`${id}: ${note}`)),
    removed: (token, error) => {
      const id = tokenId(token.snapshot);
      forgetFailure(id);
      log.warn(`Audit: removed ${id} (${token.provider}): ${withoutId(id, error)}`);
    },
    settled: (path, why, finished) => log.info(`${finished ? 'Finished' : 'Removed'} ${path}: ${why}`),
    unwritten: (id, why) =>
      ofToken.once(id, `unwritten ${why}`, () =>
        log.error(`${why}; what is missing is kept in memory and written as soon as that works`),
      ),
    rewritten: (id) => {
      ofToken.forget(id);
      log.info(`Successfully renewed ${id}: what was kept in memory is written now`);
    },
    trouble: (text) => texts.once(`trouble ${text}`, '', () => log.error(text)),
  };
}

function failureText(
  token: ManagedToken,
  kind: 'revoked' | 'denied' | 'failed',
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

/** Who must act, and whether anything is tried meanwhile: the state alone decides that, as it does for `condor_credmon status`. */
function advice(
  { snapshot, provider }: ManagedToken,
  kind: 'revoked' | 'denied' | 'failed',
  { code }: CodedError,
  state: RenewalState,
): string {
  const next = state.stopped
    ? `not tried again${UNTIL[kind]}`
    : `tried again in ${Math.max(0, state.not_before - state.last_attempt)} s`;
  if (kind !== 'revoked') return `${next}${WHO[kind]}`;
  const { user, stem } = snapshot;
  const name = splitStem(stem, false) ?? { service: stem, handle: '' };
  return `${next}: ${nextStep({ user, provider, ...name }, code) ?? `see ${code} in docs/errors.md`}`;
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
