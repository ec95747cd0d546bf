// The findings of `check`, as data for people and programs.

/** One finding: the subject, the state, and a sentence without full stop. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly text: string;
}

/** No problem. */
export const ok = (what: string, text: string): Finding => ({ what, state: 'ok', text });
/** Unusual, or soon a problem; tokens are still renewed. */
export const warning = (what: string, text: string): Finding => ({ what, state: 'warning', text });
/** Prevents renewals, or makes tokens useless. */
export const wrong = (what: string, text: string): Finding => ({ what, state: 'error', text });

/** True when a finding prevents renewals. */
export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'error');
}
