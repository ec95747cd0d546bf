// Turns what happened into log lines: a failure once per change of state, never a secret, always what to do next.
import {
  LONGEST_PAUSE,
  SHORTEST_LIFETIME,
  tokenId,
  type CodedError,
  type ManagedToken,
  type Plan,
  type RenewalState,
  type Scan,
  type TokenTimes,
} from '@credmon/core';
import { worstLifeLeft, type ReaderHabits } from './life-left.ts';
import type { Log } from './log.ts';

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
  /** A renewal that went well, but not quite as asked. */
  noted(id: string, note: string): void;
  removed(token: ManagedToken, error: CodedError): void;
  settled(path: string, why: string, finished: boolean): void;
  unwritten(id: string, why: string): void;
  rewritten(id: string): void;
  trouble(text: string): void;
}

/** A report to a log. What it has said is remembered by token, so that only changes are said again. */
export function createReport(log: Log, habits: () => ReaderHabits): Report {
  const said = new Map<string, string>();
  /** What tokens share when they fail: `fields.about` of the error, by token. */
  const shared = new Map<string, string>();
  /** Says `text` unless it was the last thing said about `about`. */
  const once = (about: string, key: string, say: () => void): void => {
    if (said.get(about) === key) return;
    said.set(about, key);
    say();
  };

  const warnOfShortLife = (token: ManagedToken): void => {
    const left = worstLifeLeft(token, habits());
    if (left === undefined || left >= habits().floor) return;
    const about = `short life ${token.snapshot.stem}`;
    const text = `a job may read ${token.snapshot.stem} with only ${Math.max(0, left)} s left; ask the issuer for longer lifetimes, or lower SEC_CREDENTIAL_REFRESH`;
    once(about, about, () => log.warn(text));
  };

  const warnOfNoLife = (token: ManagedToken, life: number): void => {
    const { stem } = token.snapshot;
    if (life >= SHORTEST_LIFETIME) return;
    const text = `the tokens that the issuer of ${stem} gives live ${life} s, too short for any job: they are renewed every ${LONGEST_PAUSE} s only; ask the issuer for longer lifetimes`;
    once(`no life ${stem}`, '', () => log.warn(text));
  };

  return {
    scanned: (scan, plan) => {
      const { tokens, problems } = scan;
      log.debug(
        `Scanned ${tokens.length} tokens: ${plan.verdicts.length} are ours, ${plan.renew.length} due`,
      );
      for (const problem of problems) once(problem, problem, () => log.error(problem));
      for (const { token, state } of plan.verdicts) {
        const id = tokenId(token.snapshot);
        warnOfShortLife(token);
        if (state !== 'unrenewable' || token.renewable.ok) continue;
        const { reason } = token.renewable;
        once(id, reason, () => log.warn(`${id}: cannot be renewed: ${reason}`));
      }
      forgetGone(said, scan);
    },
    renewed: (token, { issuedAt, expiresAt }, rotated) => {
      const id = tokenId(token.snapshot);
      said.delete(id);
      said.delete(shared.get(id) ?? '');
      shared.delete(id);
      const how = rotated ? ', refresh token rotated' : '';
      const life = expiresAt - issuedAt;
      log.info(`Successfully renewed ${id} (${token.provider}), good for ${life} s${how}`);
      warnOfNoLife(token, life);
    },
    failed: (token, kind, error, state) => {
      const id = tokenId(token.snapshot);
      const { about } = error.fields;
      if (typeof about === 'string') shared.set(id, about);
      once(typeof about === 'string' ? about : id, `${kind} ${error.code}`, () =>
        log[kind === 'failed' ? 'warn' : 'error'](`${id}: ${error.message}; ${advice(kind, state)}`),
      );
      log.debug(
        `${id}: attempt ${state.attempts} failed (${error.code}), next not before ${state.not_before}`,
      );
    },
    noted: (id, note) => once(`note ${id}`, note, () => log.warn(`${id}: ${note}`)),
    removed: (token, error) => {
      const id = tokenId(token.snapshot);
      said.delete(id);
      log.warn(`Audit: removed ${id} (${token.provider}): ${error.message}`);
    },
    settled: (path, why, finished) => log.info(`${finished ? 'Finished' : 'Removed'} ${path}: ${why}`),
    unwritten: (id, why) =>
      once(id, `unwritten ${why}`, () =>
        log.error(`${why}; what is missing is kept in memory and written as soon as that works`),
      ),
    rewritten: (id) => {
      said.delete(id);
      log.info(`Successfully renewed ${id}: what was kept in memory is written now`);
    },
    trouble: (text) => once(`trouble ${text}`, text, () => log.error(text)),
  };
}

function advice(kind: 'revoked' | 'denied' | 'failed', state: RenewalState): string {
  switch (kind) {
    case 'revoked':
      return 'not tried again: the user must remove it (condor_store_cred delete-oauth) and log in again by submitting a job';
    case 'denied':
      return 'not tried again until the client, its secret or the configuration changes: the administrator must act';
    case 'failed':
      return `tried again in ${Math.max(0, state.not_before - state.last_attempt)} s`;
  }
}

/** Memory must not grow with every token that ever was. */
function forgetGone(said: Map<string, string>, scan: Scan): void {
  if (said.size < 1000 || said.size < scan.tokens.length * 2) return;
  const there = new Set(scan.tokens.map(tokenId));
  for (const about of said.keys()) if (!there.has(about)) said.delete(about);
}
