// The steps about the token itself, which are the same for every service.
import { durationText, isCoded, messageOf } from '@credmon/core/base';
import { checkTimes, checkTypes, profileOf, type Profile } from '../token/claims.ts';
import type { CompactToken } from '../token/compact.ts';
import type { Authorization } from '../token/scope.ts';
import { authorizationsOf, checkAudience } from '../verify/enforce.ts';
import type { Setting } from './ini.ts';
import type { SignatureCheck, Steps } from './step.ts';

/** The token in question, and the time in epoch seconds. */
export interface TokenQuestion {
  readonly token: CompactToken;
  readonly signature: SignatureCheck;
  readonly now: number;
}

/** The audiences of a service. `file` is where they are set; without it, an option. */
export interface Audiences {
  readonly values: readonly Setting[];
  readonly file?: string;
}

/** What the later steps need; a member is missing if its step refuses the token. */
export interface TokenFacts {
  readonly subject: string | undefined;
  readonly acls: readonly Authorization[] | undefined;
}

/**
 * Adds the steps signature, profile, times, audience, subject and scopes. Without
 * `audiences` the audience is not checked.
 */
export function addTokenSteps(
  steps: Steps,
  { token, signature, now }: TokenQuestion,
  audiences: Audiences | undefined,
): TokenFacts {
  addSignature(steps, signature);
  const profile = attempt(steps, 'profile', () => {
    const found = profileOf(token.header, token.claims);
    steps.ok('profile', found);
    return found;
  });
  if (profile === undefined) return { subject: undefined, acls: undefined };
  attempt(steps, 'times', () => {
    const { exp } = checkTimes(token, profile, { now });
    steps.ok('times', `expires in ${durationText(exp - now)}`);
  });
  addAudience(steps, profile, token, audiences);
  return { subject: subjectOf(steps, token), acls: aclsOf(steps, profile, token) };
}

function addSignature(steps: Steps, signature: SignatureCheck): void {
  if (signature.state === 'valid') steps.ok('signature', `valid, ${signature.algorithm}`);
  else if (signature.state === 'invalid') steps.refuse('signature', signature.reason);
  else steps.note('signature', `NOT CHECKED: ${signature.reason}`);
}

/** Returns the result of `work`; a coded error refuses the step. */
function attempt<T>(steps: Steps, step: string, work: () => T): T | undefined {
  try {
    return work();
  } catch (error) {
    if (!isCoded(error)) throw error;
    steps.refuse(step, messageOf(error));
    return undefined;
  }
}

function addAudience(
  steps: Steps,
  profile: Profile,
  { claims }: CompactToken,
  audiences: Audiences | undefined,
): void {
  const meant = stringsOf(claims['aud']);
  const shown = meant.length === 0 ? 'none' : meant.map((one) => JSON.stringify(one)).join(', ');
  if (audiences === undefined)
    return steps.note('audience', `not checked: ${shown}; to check it, use --audience`);
  const { values, file } = audiences;
  const placeOf = (one: Setting | undefined): { file: string; line: number } | undefined =>
    one === undefined || file === undefined ? undefined : { file, line: one.line };
  const aud = claims['aud'] === undefined ? undefined : meant;
  try {
    checkAudience(
      profile,
      aud,
      values.map(({ value }) => value),
    );
    const match = values.find(({ value }) => meant.includes(value));
    steps.ok('audience', match === undefined ? `${shown} matches` : match.value, placeOf(match));
  } catch {
    const accepted = values.map(({ value }) => JSON.stringify(value)).join(', ') || 'none';
    const text = `the token's audience is ${shown}, accepted is ${accepted}`;
    steps.refuse('audience', text, placeOf(values[0]));
  }
}

function subjectOf(steps: Steps, { claims }: CompactToken): string | undefined {
  const { sub } = claims;
  if (typeof sub === 'string') {
    steps.ok('subject', sub);
    return sub;
  }
  steps.refuse('subject', sub === undefined ? 'sub is missing' : 'sub is not a string');
  return undefined;
}

function aclsOf(
  steps: Steps,
  profile: Profile,
  { claims }: CompactToken,
): readonly Authorization[] | undefined {
  return attempt(steps, 'scopes', () => {
    const { iss = '', exp = 0, iat = 0 } = claims as { iss?: string; exp?: number; iat?: number };
    const { scope } = checkTypes(profile, { ...claims, iss, exp, iat });
    const acls = authorizationsOf(profile, scope);
    const names = acls.map(({ authz, path }) => `${authz}:${path}`);
    steps.ok('scopes', names.join(' ') || 'none');
    return acls;
  });
}

/** Returns the strings of a claim that may be a string or a list of strings. */
export function stringsOf(claim: unknown): readonly string[] {
  if (typeof claim === 'string') return [claim];
  return Array.isArray(claim) ? claim.filter((one) => typeof one === 'string') : [];
}
