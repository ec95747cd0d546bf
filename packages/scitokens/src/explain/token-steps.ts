// The steps of an explanation: what a service checks, in its order, and the result; those
// about the token itself are the same for every service.
import { type Profile, checkTimes, checkTypes, profileOf } from '../token/claims.ts';
import type { CompactToken } from '../token/compact.ts';
import type { Authorization } from '../token/scope.ts';
import { authorizationsOf, checkAudience } from '../verify/enforce.ts';
import type { Setting } from './ini.ts';
import { durationText, isCoded, messageOf } from '@credmon/core/base';

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

/** A line of a configuration file, counted from 1. */
export interface Place {
  readonly file: string;
  readonly line: number;
}

/**
 * One check. `ok` lets the token pass, `refused` refuses it, and `note` decides nothing.
 */
export interface Step {
  /** The subject, one word. */
  readonly step: string;
  readonly state: 'ok' | 'refused' | 'note';
  /** A sentence without a full stop. It may contain claims of the token, never the token. */
  readonly text: string;
  readonly place?: Place;
}

/** The decision of a service about a token, and all steps to it. */
export interface Explanation {
  readonly accepted: boolean;
  readonly signature: SignatureCheck['state'];
  readonly steps: readonly Step[];
  /** The user to whom the service maps the token. */
  readonly user?: string;
  /** The decision in a sentence. */
  readonly verdict: string;
}

/** The result of the signature check, made before: it needs keys. */
export type SignatureCheck =
  | { readonly state: 'valid'; readonly algorithm: string }
  | { readonly state: 'invalid'; readonly reason: string }
  | { readonly state: 'not checked'; readonly reason: string };

/** Collects steps; `isRefused` is true from the first refusal on. */
export interface Steps {
  readonly all: readonly Step[];
  isRefused(): boolean;
  ok(step: string, text: string, place?: Place): void;
  refuse(step: string, text: string, place?: Place): void;
  note(step: string, text: string, place?: Place): void;
}

/** Creates an empty list of steps. */
export function createSteps(): Steps {
  const all: Step[] = [];
  const add =
    (state: Step['state']) =>
    (step: string, text: string, place?: Place): void => {
      all.push({ step, state, text, ...(place === undefined ? {} : { place }) });
    };
  return {
    all,
    isRefused: () => all.some(({ state }) => state === 'refused'),
    ok: add('ok'),
    refuse: add('refused'),
    note: add('note'),
  };
}

/** The end of a verdict about a token whose signature was not checked. */
export function signatureCaveat({ state }: SignatureCheck): string {
  return state === 'not checked' ? ', if the signature is valid: it was not checked' : '';
}
