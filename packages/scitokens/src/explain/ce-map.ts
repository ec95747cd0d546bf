// Which line of a map file of HTCondor or HTCondor-CE maps a token to a user, and why.
import { findMapping, type MapFile, type Mapping } from '@credmon/core/classad';
import { createSteps, signatureCaveat, type Explanation, type Place, type Steps } from './step.ts';
import { addTokenSteps, type TokenQuestion } from './token-steps.ts';

/** The question to a map file. */
export interface MapQuestion extends TokenQuestion {
  readonly map: MapFile;
  /** The path of the map file; included files have their own. */
  readonly file: string;
  /** `SCITOKENS_SERVER_AUDIENCE`; without it the audience is not checked. */
  readonly audience?: readonly string[] | undefined;
  /** An authorization of HTCondor that the token must have: READ, WRITE... */
  readonly operation?: string | undefined;
}

/** The method of the lines for SciTokens and WLCG tokens. */
const METHOD = 'SCITOKENS';

/**
 * Explains the decision of a daemon with this `CERTIFICATE_MAPFILE`. It asks no list of
 * issuers: every issuer that a line matches is trusted.
 * @see https://htcondor.readthedocs.io/en/latest/admin-manual/security.html
 */
export function explainMap(question: MapQuestion): Explanation {
  const { map, file, token, audience, operation, signature } = question;
  const steps = createSteps();
  for (const { file: included, line, problem } of map.problems)
    steps.note('map', `the line is ignored: ${problem}`, { file: included ?? file, line });
  const { iss } = token.claims;
  if (typeof iss === 'string') steps.ok('issuer', iss);
  else steps.refuse('issuer', 'iss is missing or not a string');
  const audiences =
    audience === undefined ? undefined : { values: audience.map((value) => ({ value, line: 0 })) };
  const { subject, acls } = addTokenSteps(steps, question, audiences);
  const user =
    typeof iss === 'string' && subject !== undefined
      ? addMapping(steps, question, iss, subject)
      : undefined;
  const permitted = acls?.flatMap(({ authz, path }) =>
    authz === 'condor' && path !== '/' ? [path.slice(1)] : [],
  );
  if (permitted !== undefined) addPermissions(steps, permitted, operation);
  const accepted = !steps.isRefused();
  const refusal = steps.all.find(({ state }) => state === 'refused');
  const verdict = accepted
    ? `accepted: the token is ${user ?? ''}${signatureCaveat(signature)}`
    : `refused: the token (${refusal?.step ?? ''})`;
  return {
    accepted,
    signature: signature.state,
    steps: steps.all,
    ...(accepted && user !== undefined ? { user } : {}),
    verdict,
  };
}

/** @returns the user, if a line matches */
function addMapping(
  steps: Steps,
  { map, file }: MapQuestion,
  issuer: string,
  subject: string,
): string | undefined {
  const identity = `${issuer},${subject}`;
  steps.ok('identity', identity);
  const placeOf = ({ entry }: Mapping): Place => ({
    file: entry.file ?? file,
    line: entry.line,
  });
  const found = findMapping(map, METHOD, identity);
  if (found !== undefined) {
    steps.ok('user', found.canonical, placeOf(found));
    if (found.canonical.startsWith('PLUGIN:'))
      steps.note('user', 'the user comes from a plugin of SEC_SCITOKENS_PLUGIN_NAMES');
    return found.canonical;
  }
  const count = map.entries.filter(({ method }) => method === METHOD.toLowerCase()).length;
  const lines = count === 0 ? 'the file has no SCITOKENS line' : `no line of ${count} matches`;
  steps.refuse('user', `${lines}: the token is not mapped`);
  const other = issuer.endsWith('/') ? issuer.slice(0, -1) : `${issuer}/`;
  for (const [near, what] of [
    [`${other},${subject}`, `an issuer that differs in the slash at its end: ${other}`],
    [`${identity}/`, 'a slash at the end (see SEC_SCITOKENS_ALLOW_EXTRA_SLASH)'],
    [issuer, 'the issuer alone, without a comma and the subject'],
  ] as const) {
    const match = findMapping(map, METHOD, near);
    if (match !== undefined) steps.note('user', `a line matches ${what}`, placeOf(match));
  }
  return undefined;
}

/** The authorizations of the token limit the user's own. */
function addPermissions(
  steps: Steps,
  permitted: readonly string[],
  operation: string | undefined,
): void {
  const shown = [...new Set(permitted)].join(', ');
  if (operation === undefined) {
    if (shown === '')
      steps.note('permits', 'no condor:/READ or condor:/WRITE, and no compute scopes for them');
    else steps.ok('permits', shown);
  } else if (permitted.includes(operation)) steps.ok('permits', operation);
  else
    steps.refuse(
      'permits',
      `no ${operation}: the scopes give ${shown === '' ? 'nothing' : shown}` +
        (operation === 'WRITE'
          ? ' (needs compute.modify, compute.create and compute.cancel, or condor:/WRITE)'
          : ''),
    );
}
