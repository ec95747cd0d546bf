// What `--check` finds: data, and its lines.

/** One finding: what was looked at, how it is, and a sentence without its full stop. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly text: string;
}

/** All is well. */
export const ok = (what: string, text: string): Finding => ({ what, state: 'ok', text });
/** Odd, or wrong for somebody; other users can sign in all the same. */
export const warning = (what: string, text: string): Finding => ({ what, state: 'warning', text });
/** Keeps users from signing in. */
export const wrong = (what: string, text: string): Finding => ({ what, state: 'error', text });

const LABELS = { ok: 'ok', warning: 'WARNING', error: 'ERROR' } as const;

/** A line for each finding, and a last one that counts what is not well. */
export function findingsText(findings: readonly Finding[]): string {
  const count = (state: Finding['state']): number =>
    findings.filter((one) => one.state === state).length;
  const lines = findings.map(
    ({ what, state, text }) => `${LABELS[state].padEnd(9)}${what}: ${text}`,
  );
  return [...lines, `${count('error')} errors, ${count('warning')} warnings`].join('\n');
}

/** True when something keeps users from signing in. */
export function foundWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'error');
}
