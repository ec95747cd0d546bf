// The steps of an explanation: what a service checks, in its order, and the result.

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
