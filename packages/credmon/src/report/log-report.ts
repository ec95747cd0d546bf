// Turns what happened into log lines: a failure once per change of state, never a secret,
// always what to do next.
import { inSlices, type CodedError } from '@credmon/core/base';
import { splitStem, tokenId, type RenewalState, type TokenTimes } from '@credmon/core/credential';
import type { ManagedToken, Plan } from '@credmon/core/renewal';
import type { Scan } from '@credmon/core/store';
import type { ReaderHabits } from './remaining-lifetime.ts';
import { noLifeText, shortLifeText } from './remaining-lifetime.ts';
import { remediationFor } from './remediation.ts';
import type { Log } from '@credmon/core/log';
import { createRounds, createLogOnce, type LogOnce } from './log-once.ts';

/** What the passes tell. */
export interface Report {
  /** Awaited: with 100,000 tokens it gives way to the event loop. */
  scanned(scan: Scan, plan: Plan): Promise<void>;
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
  /**
   * A problem of our own side. It is said once, and again when it recurs after it has
   * ended: a problem of the renewal of `token` (its id) ends when that token is renewed
   * or gone, every other one when a whole pass has not met it.
   */
  trouble(text: string, token?: string): void;
}

/** So many texts that belong to no token are remembered as said. */
const MOST_TEXTS = 1000;

/** Says a warning once; no text is none. */
function warnOnceOf(log: Log, texts: LogOnce): (about: string, text: string | undefined) => void {
  return (about, text) => {
    if (text !== undefined) texts.once(about, '', () => log.warn(text));
  };
}

/** Problems of our own side: those of single renewals by token, and those of passes. */
function createTroubles(log: Log): {
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

/**
 * A report to a log. What it has said is remembered while the token is there, so that
 * only changes are said again.
 */
export function createReport(log: Log, habits: () => ReaderHabits): Report {
  const ofToken = createLogOnce();
  const notes = createNotes(log);
  const texts = createLogOnce(MOST_TEXTS);
  const troubles = createTroubles(log);
  const unrenewable = createLogOnce();
  const byToken = [ofToken, notes, troubles.ofRenewal, unrenewable];
  let problems: ReadonlySet<string> = new Set();
  const shared: Shared = new Map();

  const warnOnce = warnOnceOf(log, texts);
  const onceOf = (
    id: string,
    kind: string,
    { code, fields }: CodedError,
    say: () => void,
  ): void => {
    const { about } = fields;
    if (typeof about !== 'string') return ofToken.once(id, `${kind} ${code}`, say);
    shared.set(id, about);
    texts.once(about, `${kind} ${code}`, say);
  };

  const forgetFailure = (id: string): void => {
    ofToken.forget(id);
    texts.forget(shared.get(id) ?? '');
    shared.delete(id);
    troubles.ofRenewal.forget(id);
  };

  return {
    scanned: async (scan, plan) => {
      troubles.endPass();
      log.debug(scannedText(scan, plan));
      for (const problem of scan.problems) if (!problems.has(problem)) log.error(problem);
      problems = new Set([...(scan.partial === true ? problems : []), ...scan.problems]);
      await forgetGone(scan, byToken, shared);
      const readers = habits();
      await inSlices(plan.verdicts, ({ token }) => {
        warnOnce(`short life ${token.snapshot.stem}`, shortLifeText(token, readers));
        sayWhyNot(log, unrenewable, token);
      });
    },
    renewed: (token, { issuedAt, expiresAt }, rotated) => {
      const id = tokenId(token.snapshot);
      forgetFailure(id);
      notes.renewed(id);
      const life = expiresAt - issuedAt;
      log.info(renewedText(token, life, rotated));
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
      const say = (): void => log.warn(failureText(token, 'failed', error, state));
      onceOf(tokenId(token.snapshot), 'postponed', error, say);
    },
    noted: notes.add,
    removed: (token, error) => {
      const id = tokenId(token.snapshot);
      forgetFailure(id);
      log.warn(`Audit: removed ${id} (${token.provider}): ${withoutId(id, error)}`);
    },
    settled: (path, why, finished) =>
      log.info(`${finished ? 'Finished' : 'Removed'} ${path}: ${why}`),
    unwritten: (id, why) =>
      ofToken.once(id, `unwritten ${why}`, () =>
        log.error(`${why}; kept in memory; retrying every 5 s`),
      ),
    rewritten: (id) => {
      forgetFailure(id);
      log.info(`Successfully renewed ${id}: what was kept in memory is written now`);
    },
    trouble: troubles.add,
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

/**
 * Who must act, and whether anything is tried meanwhile: the state alone decides that, as
 * it does for `condor_credmon status`.
 */
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
