// Checks the configuration itself: errors, knobs that are not used, scope templates with
// commas or with macros that are expanded before there is a user; and the clients that
// work without a browser (client credentials and token exchange).
import { readSecretFile } from '../host/secret-file.ts';
import type { TokenClient } from '../settings/clients.ts';
import { type Settings, programFolder, readLists, settingsOf } from '../settings/read.ts';
import type { Check, CheckContext } from './context.ts';
import { checkClientId, checkIssuer, checkOrigin, checkSecret } from './issuer.ts';
import { loginNames } from './logins.ts';
import {
  type Finding,
  hasErrors,
  isCoded,
  messageOf,
  messageWithFix,
  ok,
  systemRandom,
  warning,
  wrong,
} from '@credmon/core/base';
import {
  type Config,
  type OldKnob,
  type QuotedKnob,
  createKnobReader,
  oldKnobs,
  originText,
  ownKnob,
  quotedKnobs,
  setKnobs,
  setUnusedKnobs,
  unusedKnobs,
  withoutQuoted,
} from '@credmon/core/config';
import { clientAssertion } from '@credmon/core/oauth';
import { fetchIssuerKeys } from '@credmon/scitokens';

const WHAT = 'configuration';

/**
 * Returns the settings, unless they are invalid, and the findings about the
 * configuration.
 */
export function checkConfig(
  config: Config,
  command: { readonly credDir: string | undefined },
): { readonly settings?: Settings; readonly findings: readonly Finding[] } {
  const findings: Finding[] = [];
  const attempt = <Value>(work: () => Value): Value | undefined => {
    try {
      return work();
    } catch (error) {
      for (const text of mistakesOf(error))
        if (!findings.some((known) => known.text === text)) findings.push(wrong(WHAT, text));
      return undefined;
    }
  };
  const old = attempt(() => oldKnobs(config, programFolder(process.argv[1]))) ?? [];
  const settings = attempt(() => settingsOf(config, command, process.argv[1]));
  if (settings) {
    const warnings = settings.warnings.filter(
      (text) => !REPORTED_ELSEWHERE.test(text) && !old.some((one) => one.text === text),
    );
    for (const text of warnings) findings.push(warning(WHAT, text));
  }
  const quoted = attempt(() => quotedKnobs(config)) ?? [];
  const odd = attempt(() => checkKnobs(config, old)) ?? [];
  const templates = attempt(() => checkTemplates(config)) ?? [];
  const mistakes = withoutQuoted(findings, quoted);
  const all = [...mistakes, ...[...old, ...quoted].map(plainFinding), ...odd, ...templates];
  const sources = config.sources.join(', ') || 'only the environment';
  return {
    ...(settings ? { settings } : {}),
    findings: hasErrors(all) ? all : [ok(WHAT, `${sources}: no errors`), ...all],
  };
}

function plainFinding({ state, text }: QuotedKnob | OldKnob): Finding {
  return { what: WHAT, state, text };
}

/**
 * Splits an error of the configuration into its mistakes, each with the lines that show
 * it.
 */
export function mistakesOf(error: unknown): string[] {
  const text = messageOf(error);
  if (!isCoded(error, 'CONFIG_INVALID')) return [text];
  // Indented lines belong to the mistake above them.
  const [first = '', ...mistakes] = text.split(/\n(?! )/);
  return mistakes.length === 0 ? [first] : mistakes;
}

/** Warnings that a provider's own check reports better. */
const REPORTED_ELSEWHERE = /no usable token will be signed|are renewed only if they have a \.meta/;

/**
 * Finds knobs that are set but not used. A macro that another value uses counts as used.
 */
function checkKnobs(config: Config, old: readonly OldKnob[]): Finding[] {
  const read = createKnobReader(config);
  const lists = readLists(read);
  const standing = read.list('CREDMON_STANDING_TOKENS') ?? [];
  // The provider may be local or a client: this is known only from its knobs, which may
  // be misspelt.
  const ofStanding = [
    read.string('CREDMON_STANDING_PROVIDER'),
    ...standing.map((name) => read.string(ownKnob('CREDMON_STANDING_PROVIDER', name))),
  ].filter((provider) => provider !== undefined);
  const maps = [
    ...(read.list('CLASSAD_USER_MAP_NAMES') ?? []),
    ...(read.list(ownKnob('CLASSAD_USER_MAP_NAMES', config.subsystem)) ?? []),
  ];
  const others = setUnusedKnobs(config).filter(
    ({ written }) => !old.some(({ name }) => name === written),
  );
  return unusedKnobs(others, {
    ...lists,
    local: [...lists.local, ...ofStanding],
    client: [...lists.client, ...ofStanding],
    logins: [...loginNames(config, { lists }), ...(lists.vault === '*' ? [] : lists.vault)],
    standing,
    maps,
    subsystem: config.subsystem,
  });
}

/**
 * Returns warnings about the scope templates and expressions of all kinds of providers.
 * @see RFC 6749, section 3.3: blanks separate scopes, and a comma is part of one
 * @throws CodedError `CONFIG_LIMIT` on endless expansion
 */
export function checkTemplates(config: Config): Finding[] {
  return setKnobs(config).flatMap(({ written, name, place }) => {
    const form = formOf(name);
    if (!form) return [];
    const value = config.get(written) ?? '';
    return [
      ...macroTexts(config, config.raw(written) ?? '', form),
      ...(form.isExpression ? [] : [...commaTexts(value), ...dollarTexts(value, form)]),
    ].map((text) => warning(WHAT, `${place}: ${name}: ${text}`));
  });
}

/** How a knob names the user or the group. */
interface Form {
  readonly isExpression: boolean;
  readonly field: string;
}

const TEMPLATE =
  /^(?:LOCAL|CLIENT|EXCHANGE|PELICAN)_CREDMON_(?:.+_)?AUTHZ_(?:(GROUP_)?TEMPLATE(_EXPR)?|GROUP_(REQUIREMENT))$/i;

function formOf(name: string): Form | undefined {
  const [found, ofGroup, expression, requirement] = TEMPLATE.exec(name) ?? [];
  if (found === undefined) return undefined;
  if (expression !== undefined || requirement !== undefined)
    return { isExpression: true, field: 'Username or Groups' };
  return { isExpression: false, field: ofGroup === undefined ? '{username}' : '{groupname}' };
}

/** Names of macros that people write for the user of a job. */
const FOR_USER = /^(?:REAL_?)?(?:USER_?(?:NAME)?|OWNER|LOGNAME|GROUP_?(?:NAME)?S?)$/i;
const MACRO = /\$(\w*)\(\s*([\w.]+)[^()]*\)/g;

/** Finds macros for the user, also inside the macros that the value uses. */
function macroTexts(config: Config, raw: string, { field }: Form, seen: string[] = []): string[] {
  return [...raw.matchAll(MACRO)].flatMap(([, func = '', macro = '']) => {
    const ofEnvironment = /^ENV$/i.test(func);
    if (FOR_USER.test(macro)) return [macroText(config, macro, ofEnvironment, field)];
    const key = macro.toLowerCase();
    const inner = ofEnvironment || seen.includes(key) ? undefined : config.raw(macro);
    return inner === undefined
      ? []
      : macroTexts(config, inner, { field, isExpression: false }, [...seen, key]);
  });
}

function macroText(config: Config, macro: string, ofEnvironment: boolean, field: string): string {
  const shown = ofEnvironment ? `$ENV(${macro})` : `$(${macro})`;
  const origin = config.origin(macro);
  const value = config.expand(shown);
  const what =
    ofEnvironment || origin?.kind === 'detected'
      ? `is the user of the daemon (${value})`
      : origin === undefined
        ? 'is not set and expands to nothing'
        : `is set in ${originText(origin)}`;
  return `${shown} ${what}, the same for all users; fix: write ${field}`;
}

/** Finds commas that were meant to separate scopes; inside a path they may be meant. */
function commaTexts(value: string): string[] {
  return value
    .split(/\s+/)
    .filter((scope) => /,$|,[a-z][\w.]*:|^[\w.-]+(?:,[\w.-]+)+$/i.test(scope))
    .map(
      (scope) =>
        `the comma in "${scope}" is part of the scope and its path; fix: separate scopes by blanks`,
    );
}

/** Finds fields in the syntax of shells: `$username` is text, and `${username}` keeps its $. */
function dollarTexts(value: string, { field }: Form): string[] {
  return [...value.matchAll(/\$+(?:\{+\w*\}*|\(\w*\)?|\w+)/g)].map(
    ([found]) => `the $ of "${found}" is part of the scope; fix: write ${field}`,
  );
}

const KINDS = {
  CLIENT: 'client credentials',
  EXCHANGE: 'token exchange',
  PELICAN: 'token exchange for Pelican',
} as const;

/** Returns one check for each client. */
export function clientChecks(context: CheckContext): Check[] {
  return context.settings.tokenClients.map((client) => {
    const what = `${client.name} (${KINDS[client.kind]})`;
    const own = client.kind === 'PELICAN' ? { ...context, send: context.pelicanSend } : context;
    return { what, run: () => checkClient(what, client, own) };
  });
}

async function checkClient(
  what: string,
  client: TokenClient,
  context: CheckContext,
): Promise<Finding[]> {
  const { kind, issuers, tokenUrl } = client;
  const remote = issuers.map(async (issuer) => {
    const finding = await checkIssuer(what, issuer, tokenUrl, context);
    if (kind === 'CLIENT' || finding.state === 'error') return [finding];
    return [finding, await checkIssuerKeys(what, issuer, context)];
  });
  if (issuers.length === 0 && tokenUrl !== undefined)
    remote.push(checkOrigin(what, tokenUrl, context).then((finding) => [finding]));
  return [
    ...doing(what, client, context),
    ...checkClientId(what, client.clientId),
    checkProof(what, client, context),
    ...(await Promise.all(remote)).flat(),
  ];
}

/** Says what a client is used for: jobs, standing tokens, or both. */
function doing(what: string, client: TokenClient, { settings }: CheckContext): Finding[] {
  const as = `as client ${client.clientId} (${client.proof})`;
  const standing = settings.standing.flatMap((token) =>
    token.kind === 'fetched' && client.kind === 'CLIENT' && token.client.name === client.name
      ? [
          `${token.name} (${requestText(token.scope.join(' '), [...token.audience, ...token.resources])})`,
        ]
      : [],
  );
  const serves = `the standing token${standing.length === 1 ? '' : 's'} ${standing.join(', ')}`;
  if (client.kind === 'CLIENT' && !settings.lists.client.includes(client.name))
    return [ok(what, `serves ${serves}, ${as}; not for jobs`)];
  const forJobs = ok(what, usage(client, as));
  return standing.length === 0 ? [forJobs] : [forJobs, ok(what, `also serves ${serves}`)];
}

function usage({ kind, scopes, audience, resources }: TokenClient, as: string): string {
  const services = [...audience, ...resources];
  if (kind === 'CLIENT')
    return `fetches a token for each user that requests one, ${as}: ${requestText(scopes, services)}`;
  const asked = `the scopes that the user requested${scopes === '' ? '' : `, else scopes "${scopes}"`}`;
  return `exchanges the token that a user stored, ${as}: ${asked}${audienceText(services)}; then refreshes it`;
}

function requestText(scopes: string, audience: readonly string[]): string {
  return `${scopes === '' ? "the issuer's default scopes" : `scopes "${scopes}"`}${audienceText(audience)}`;
}

const audienceText = (audience: readonly string[]): string =>
  audience.length === 0 ? '' : `, for ${audience.join(' ')}`;

/** Signs a test assertion with a key for private_key_jwt and discards it. */
function checkProof(what: string, client: TokenClient, { now, settings }: CheckContext): Finding {
  const { proof, secretFile, clientId, keyId } = client;
  if (proof !== 'private_key_jwt') return checkSecret(what, secretFile, settings);
  const finding = checkSecret(what, secretFile, settings, 'whole');
  const secret = readSecretFile(secretFile ?? '', 'whole');
  if (finding.state !== 'ok' || !secret.ok) return finding;
  try {
    clientAssertion(
      { clientId, keyId, pem: secret.value },
      client.issuers[0] ?? '',
      now.wall,
      systemRandom,
    );
    return ok(what, `its private key in ${secretFile ?? ''} is readable and can sign`);
  } catch (error) {
    return wrong(what, `${secretFile ?? ''}: ${messageOf(error)}`);
  }
}

/** Fetches the keys that verify stored tokens before the secret is sent anywhere. */
async function checkIssuerKeys(
  what: string,
  issuer: string,
  { settings, send }: CheckContext,
): Promise<Finding> {
  try {
    const { kids } = await fetchIssuerKeys(issuer, { send, insecure: settings.allowLoopbackHttp });
    const named = kids.length === 0 ? 'without names' : kids.join(', ');
    return ok(what, `the keys of ${issuer} can be fetched (${named})`);
  } catch (error) {
    return wrong(
      what,
      `failed to fetch the keys of ${issuer}, needed to verify stored tokens: ${messageWithFix(error)}`,
    );
  }
}
