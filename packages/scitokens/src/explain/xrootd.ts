// Which rule of an XRootD configuration accepts or refuses a token, and why.
import { normalisePath, type Authorization } from '../token/scope.ts';
import type { Setting } from './ini.ts';
import { findRule } from './name-mapfile.ts';
import {
  createSteps,
  signatureCaveat,
  type Explanation,
  type Place,
  type Steps,
  addTokenSteps,
  stringsOf,
  type TokenFacts,
  type TokenQuestion,
} from './token-steps.ts';
import type { XrootdConfig, XrootdIssuer } from './xrootd-config.ts';
import { isReading, olderAllows, OPERATIONS, pathRules, ruleFor } from './xrootd-rules.ts';

/** A request to the storage. `path` is the storage's, with the base path. */
export interface XrootdRequest {
  readonly path: string;
  /** One of {@link OPERATIONS}. */
  readonly operation: string;
}

/** The question to an XRootD configuration. */
export interface XrootdQuestion extends TokenQuestion {
  readonly config: XrootdConfig;
  /** Without it, only the token is judged. */
  readonly request?: XrootdRequest | undefined;
  /** Used instead of those of the configuration. */
  readonly audience?: readonly string[] | undefined;
}

/** What is known when the token itself is judged. */
interface Known {
  readonly issuer: XrootdIssuer | undefined;
  readonly facts: TokenFacts;
  readonly place: (setting: Setting | undefined) => Place | undefined;
}

/**
 * Explains the decision of XRootD 5.7 and later, and names where older versions decide
 * differently.
 */
export function explainXrootd(question: XrootdQuestion): Explanation {
  const { config, request, signature, audience } = question;
  const steps = createSteps();
  const place = (setting: Setting | undefined): Place | undefined =>
    setting === undefined ? undefined : { file: config.file, line: setting.line };
  const section = config.issuers.find(
    ({ issuer }) => issuer.value === question.token.claims['iss'],
  );
  addConfigSteps(steps, config, section);
  const issuer = addIssuer(steps, question, section);
  const audiences =
    audience === undefined
      ? { values: config.audiences, file: config.file }
      : { values: audience.map((value) => ({ value, line: 0 })) };
  const facts = addTokenSteps(steps, question, audiences);
  addOlderNotes(steps, question);
  const known = { issuer, facts, place };
  const found = steps.isRefused() ? undefined : decide(steps, question, known);
  const isLoaded = config.errors.length === 0;
  const isAllowedAnyway = isLoaded && steps.isRefused() && config.onMissing.value === 'allow';
  const wanted = request === undefined ? 'the token' : `${request.operation} ${request.path}`;
  if (steps.isRefused() && isLoaded) addOnMissing(steps, question, known);
  const accepted = isAllowedAnyway || !steps.isRefused();
  // Without a scope that allows the request, only a rule of a map file gives a user.
  const isUser = !steps.isRefused() || (found?.isMapped && issuer?.strategies.includes('mapping'));
  const user = accepted && isUser ? found?.user : undefined;
  const verdict = isAllowedAnyway
    ? `accepted: onmissing = allow allows every request`
    : accepted
      ? `accepted: ${wanted}${user === undefined ? '' : ` as ${user}`}${signatureCaveat(signature)}`
      : `refused: ${wanted} (${reasonOf(steps)})`;
  return {
    accepted,
    signature: signature.state,
    steps: steps.all,
    ...(user === undefined ? {} : { user }),
    verdict,
  };
}

function reasonOf({ all }: Steps): string {
  const first = all.find(({ state }) => state === 'refused');
  return first === undefined ? '' : first.step;
}

/** Warnings about other issuers' sections are left out, if the token's issuer is known. */
function addConfigSteps(
  steps: Steps,
  { file, errors, warnings }: XrootdConfig,
  issuer: XrootdIssuer | undefined,
): void {
  for (const { line, problem } of errors)
    steps.refuse('config', `${problem}: XRootD does not load the configuration`, { file, line });
  for (const { line, problem, section = '' } of warnings) {
    const isOther = /^issuer /i.test(section) && issuer !== undefined;
    if (!isOther || section === issuer.section) steps.note('config', problem, { file, line });
  }
}

function addIssuer(
  steps: Steps,
  { token, config }: XrootdQuestion,
  found: XrootdIssuer | undefined,
): XrootdIssuer | undefined {
  const { iss } = token.claims;
  if (typeof iss !== 'string') {
    steps.refuse('issuer', 'iss is missing or not a string');
    return undefined;
  }
  if (found !== undefined) {
    const { file } = config;
    steps.ok('issuer', `${iss} is [${found.section}]`, { file, line: found.issuer.line });
    return found;
  }
  const near = config.issuers.find(
    ({ issuer }) => withoutSlash(issuer.value) === withoutSlash(iss),
  );
  if (near === undefined) steps.refuse('issuer', `${iss} is not configured`);
  else
    steps.refuse(
      'issuer',
      `${iss} is not configured; ${near.issuer.value} differs in the slash at its end`,
      { file: config.file, line: near.issuer.line },
    );
  return undefined;
}

const withoutSlash = (url: string): string => url.replace(/\/$/, '');

/** Where libscitokens 0.7 and 1.1 or XRootD 5.5 reads the token differently. */
function addOlderNotes(steps: Steps, { token }: XrootdQuestion): void {
  const { nbf, iat, exp, scope } = token.claims;
  if (nbf === undefined)
    steps.note('older', 'libscitokens 0.7 refuses a token without nbf, also a WLCG token');
  if ([nbf, iat, exp].some((time) => time !== undefined && !Number.isSafeInteger(time)))
    steps.note('older', 'libscitokens 0.7 refuses times that are not whole seconds');
  if (typeof scope === 'string' && /[%\\]/.test(scope))
    steps.note('older', 'libscitokens 0.7 and 1.1 take "%" and "\\" in scopes for letters');
}

/** A user, and whether a rule of a map file gives it. */
interface FoundUser {
  readonly user: string;
  readonly isMapped: boolean;
}

/** Adds the steps path and user. Returns the user, if there is one. */
function decide(steps: Steps, question: XrootdQuestion, known: Known): FoundUser | undefined {
  const { issuer, facts } = known;
  if (issuer === undefined || facts.acls === undefined) return undefined;
  const user = userOf(steps, question, known, issuer);
  if (steps.isRefused()) return undefined;
  if (question.request === undefined) addPaths(steps, issuer, facts.acls, known);
  else addRequest(steps, question, question.request, known, issuer, facts.acls);
  return user;
}

function addPaths(
  steps: Steps,
  issuer: XrootdIssuer,
  acls: readonly Authorization[],
  { place }: Known,
): void {
  const rules = pathRules(issuer, acls);
  for (const { acl, path, base, restricted } of rules)
    steps.ok('permits', `${acl.authz} on ${path}`, place(restricted ?? base));
  if (rules.length === 0)
    steps.refuse(
      'permits',
      'nothing: no scope is for a path of this storage',
      place(issuer.restrictedPaths[0] ?? issuer.basePaths[0]),
    );
}

function addRequest(
  steps: Steps,
  { config }: XrootdQuestion,
  { path: asked, operation }: XrootdRequest,
  { place }: Known,
  issuer: XrootdIssuer,
  acls: readonly Authorization[],
): void {
  if (!asked.startsWith('/') || asked.split('/').includes('..'))
    return steps.refuse('path', `${asked} is not an absolute path without ".."`);
  const path = normalisePath(asked);
  const class_ = isReading(operation) ? 'read' : 'write';
  const other = config.issuers.find(
    ({ issuer: one, required }) =>
      one.value !== issuer.issuer.value && (required === 'all' || required === class_),
  );
  if (other !== undefined)
    steps.refuse('path', `a token of ${other.issuer.value} is also required`, place(other.issuer));
  if (issuer.acceptable !== 'all' && issuer.acceptable !== class_)
    steps.refuse('path', `acceptable_authorization of [${issuer.section}] is ${issuer.acceptable}`);
  const rules = pathRules(issuer, acls);
  const rule = issuer.strategies.includes('capability')
    ? ruleFor(rules, operation, path)
    : undefined;
  if (rule === undefined) {
    steps.refuse(
      'path',
      whyNot(issuer, acls, operation, path),
      place(issuer.restrictedPaths[0] ?? issuer.basePaths[0]),
    );
  } else {
    const below = rule.restricted === undefined ? '' : `, restricted_path ${rule.restricted.value}`;
    const { acl, base } = rule;
    const text = `${operation} on ${path}: ${acl.authz}:${acl.path} below base_path ${base.value}${below}`;
    steps.ok('path', text, place(rule.restricted ?? rule.base));
  }
  const older = olderAllows(issuer, acls, operation, path);
  if (older !== (rule !== undefined))
    steps.note('older', `XRootD 5.5 ${older ? 'allows' : 'does not allow'} this path`);
}

function whyNot(
  issuer: XrootdIssuer,
  acls: readonly Authorization[],
  operation: string,
  path: string,
): string {
  if (!issuer.strategies.includes('capability'))
    return `authorization_strategy of [${issuer.section}] has no capability: scopes do not count`;
  const names = OPERATIONS[operation] ?? [];
  const scopes = acls.filter(({ authz }) => names.includes(authz));
  if (scopes.length === 0) return `no scope allows ${operation} (needs ${names.join(' or ')})`;
  const paths = pathRules(issuer, acls)
    .filter(({ acl }) => names.includes(acl.authz))
    .map((rule) => rule.path);
  if (paths.length === 0) {
    const restricted = issuer.restrictedPaths.map(({ value }) => value).join(', ');
    return `restricted_path ${restricted} excludes ${scopes.map((acl) => acl.path).join(', ')}`;
  }
  return `${operation} is allowed on ${[...new Set(paths)].join(', ')}, not on ${path}`;
}

/** Adds the step user. @returns the user, if the token has one */
function userOf(
  steps: Steps,
  { token, request, config }: XrootdQuestion,
  { facts, place }: Known,
  issuer: XrootdIssuer,
): FoundUser | undefined {
  const { usernameClaim: claim, mapSubject, defaultUser, names } = issuer;
  const named = claim === undefined ? undefined : token.claims[claim.value];
  if (claim !== undefined && typeof named !== 'string') {
    steps.refuse('user', `the claim ${claim.value} is missing or not a string`, place(claim));
    return undefined;
  }
  const fallback =
    typeof named === 'string' ? named : mapSubject ? facts.subject : defaultUser?.value;
  const source = claim ?? mapSubject ?? defaultUser;
  if (claim !== undefined) steps.note('older', 'XRootD 5.5 ignores username_claim', place(claim));
  if (names !== undefined && names.rules.length > 0) {
    if (request === undefined)
      steps.note('user', `${names.file} decides by the path; name --path and --op`);
    else {
      const rule = findRule(names, {
        sub: facts.subject ?? '',
        username: fallback ?? '',
        groups: stringsOf(token.claims[issuer.groupsClaim]),
        path: normalisePath(request.path),
        basePaths: issuer.basePaths.map(({ value }) => value),
      });
      if (rule !== undefined) {
        steps.ok('user', rule.result, { file: names.file, line: rule.line });
        return { user: rule.result, isMapped: true };
      }
      steps.note('user', `no rule of ${names.file} matches`);
    }
  }
  const how = claim ? `from ${claim.value}` : mapSubject ? 'from sub' : 'default_user';
  if (fallback === undefined || fallback === '') {
    const where = { file: config.file, line: issuer.line };
    steps.note('user', `none: [${issuer.section}] maps the token to no user`, where);
    return undefined;
  }
  steps.ok('user', `${fallback}, ${how}`, place(source));
  return { user: fallback, isMapped: false };
}

/** What happens to a request that the token does not allow. */
function addOnMissing(
  steps: Steps,
  { token, config: { onMissing } }: XrootdQuestion,
  { issuer, place }: Known,
): void {
  const groups = issuer?.strategies.includes('group')
    ? stringsOf(token.claims[issuer.groupsClaim])
    : [];
  if (groups.length > 0 && onMissing.value === 'passthrough')
    steps.note('groups', `${groups.join(', ')}: for the next plugin of ofs.authlib`);
  const text = {
    allow: 'onmissing = allow: the request is allowed without the token',
    deny: 'onmissing = deny: the request is refused',
    passthrough:
      'onmissing = passthrough: refused, unless ofs.authlib has another plugin that allows it',
  }[onMissing.value];
  const isSet = onMissing.line > 0;
  steps.note('onmissing', text ?? onMissing.value, isSet ? place(onMissing) : undefined);
}
