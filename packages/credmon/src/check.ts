// `condor_credmon check`: findings as data, and their text. Pure; the looking is in cli/check.
import { isRecord } from '@credmon/core';

/** One finding: what was looked at, how it is, and a sentence. */
export interface Finding {
  readonly what: string;
  readonly state: 'ok' | 'warning' | 'error';
  readonly text: string;
}

/** The findings as lines of at most 80 columns where names allow, the worst kind telling the exit code: 1 for an error. */
export function findingsText(findings: readonly Finding[]): string {
  const width = Math.max(...findings.map(({ what }) => what.length));
  return findings
    .map(({ what, state, text }) => `${state.toUpperCase().padEnd(7)} ${what.padEnd(width)}  ${text}`)
    .join('\n');
}

/** True when something would keep tokens from being renewed. */
export function foundWrong(findings: readonly Finding[]): boolean {
  return findings.some(({ state }) => state === 'error');
}

/** Clocks further apart than this, in seconds, make issuers refuse or tokens look expired. */
const CLOCK_TOLERANCE = 30;

/** Compares an issuer's `Date` header (epoch seconds; `undefined` when it sent none) with our clock. */
export function judgeClock(issuerTime: number | undefined, now: number): Finding | undefined {
  if (issuerTime === undefined || Number.isNaN(issuerTime)) return undefined;
  const apart = Math.round(now - issuerTime);
  const text =
    Math.abs(apart) <= 1
      ? 'agrees with the issuer'
      : `is ${Math.abs(apart)} s ${apart > 0 ? 'ahead of' : 'behind'} the issuer`;
  return { what: 'clock', state: Math.abs(apart) > CLOCK_TOLERANCE ? 'warning' : 'ok', text };
}

/** Compares an issuer's discovery document with what is configured. @see OpenID Connect Discovery 1.0, section 4.3 */
export function judgeMetadata(
  provider: string,
  issuer: string,
  tokenUrl: string,
  document: unknown,
): Finding {
  const what = `issuer of ${provider}`;
  if (!isRecord(document))
    return { what, state: 'warning', text: `${issuer} publishes no discovery document` };
  if (document['issuer'] !== issuer) {
    return {
      what,
      state: 'error',
      text: `calls itself otherwise than CREDMON_${provider}_ISSUER says: logins will be refused`,
    };
  }
  if (document['token_endpoint'] !== tokenUrl) {
    return { what, state: 'warning', text: `publishes another token endpoint than ${provider}_TOKEN_URL` };
  }
  return { what, state: 'ok', text: 'publishes what is configured' };
}
