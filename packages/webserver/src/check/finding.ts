// The findings of `--check` and their text form.

/** One finding: the subject, its state, and a sentence without a full stop. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly text: string;
}

export const ok = (what: string, text: string): Finding => ({ what, state: 'ok', text });
/** A problem that does not keep all users from signing in. */
export const warning = (what: string, text: string): Finding => ({ what, state: 'warning', text });
/** A problem that keeps users from signing in. */
export const wrong = (what: string, text: string): Finding => ({ what, state: 'error', text });

const LABELS = { ok: 'ok', warning: 'WARNING', error: 'ERROR' } as const;

/**
 * Returns one line per finding, and a last line with the number of errors and warnings.
 */
export function findingsText(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number =>
    findings.filter((one) => one.state === state).length;
  const lines = findings.map(
    ({ what, state, text }) => `${LABELS[state].padEnd(9)}${what}: ${text}`,
  );
  return [...lines, `${count('error')} errors, ${count('warning')} warnings`].join('\n');
}

/** True if a finding is an error. */
export function foundWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'error');
}
