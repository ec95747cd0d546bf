// What `check` finds: data that a person or a program reads.

/** One finding: what was looked at, how it is, and a sentence without its full stop. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly text: string;
}

/** All is well. */
export const ok = (what: string, text: string): Finding => ({ what, state: 'ok', text });
/** Odd, or soon wrong; tokens are renewed all the same. */
export const warning = (what: string, text: string): Finding => ({ what, state: 'warning', text });
/** Keeps tokens from being renewed, or makes them useless. */
export const wrong = (what: string, text: string): Finding => ({ what, state: 'error', text });

/** True when something would keep tokens from being renewed. */
export function foundWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'error');
}
