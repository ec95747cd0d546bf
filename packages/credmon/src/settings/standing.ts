// Settings of standing tokens, CREDMON_STANDING_TOKENS: tokens of services that belong to
// no job.
import { isAbsolute, normalize, relative } from 'node:path';
import { isCredName } from '@credmon/core/credential';
import { defaultLifetimeOf } from '@credmon/core/profiles';
import {
  knob,
  ownIfSet,
  ownKnob,
  type Config,
  type KnobReader,
  type NamedKnob,
  type PlainKnobName,
  type SharedKnobName,
} from '@credmon/core/config';
import { type ConfiguredClient, type TokenClient, scopesFor } from './clients.ts';
import { readIssuer, type LocalIssuer } from './local.ts';
import type { ProviderLists } from './lists.ts';
import { standingSource, type StandingSources } from './token-source.ts';

/**
 * The file and contents of a standing token. `mode`: permission bits; `owner`: a user
 * name, or `undefined` for the daemon's own user.
 */
interface StandingPlace {
  readonly name: string;
  readonly path: string;
  readonly owner: string | undefined;
  readonly mode: number;
  readonly format: 'jwt' | 'json';
  readonly scope: readonly string[];
  readonly audience: readonly string[];
}

/** A standing token that is signed locally. `lifetime` in seconds. */
export interface SignedStanding extends StandingPlace {
  readonly kind: 'signed';
  readonly issuer: LocalIssuer;
  readonly subject: string;
  readonly lifetime: number;
}

/**
 * A standing token that is fetched by client credentials; `subject`: its required
 * subject, if known.
 */
export interface FetchedStanding extends StandingPlace {
  readonly kind: 'fetched';
  readonly client: TokenClient;
  readonly subject: string | undefined;
  readonly resources: readonly string[];
  /** The lifetime, in seconds, of a token that does not contain it. */
  readonly defaultLifetime: number;
}

/**
 * A standing token that is renewed with the refresh token of a login. `provider`: its
 * name as configured; `subject`: the required subject, if known; `defaultLifetime` in
 * seconds, of a token that does not contain it.
 */
export interface LoginStanding extends StandingPlace {
  readonly kind: 'login';
  readonly provider: string;
  readonly client: ConfiguredClient;
  readonly subject: string | undefined;
  readonly defaultLifetime: number;
}

/** A standing token. */
export type StandingToken = SignedStanding | FetchedStanding | LoginStanding;

/** The knob for one token: its own if set, otherwise the shared one. */
type OwnOf = <Name extends StandingKnobName>(shared: Name) => NamedKnob<Name>;
type StandingKnobName = Extract<PlainKnobName & SharedKnobName, `CREDMON_STANDING_${string}`>;

function ownOf(config: Config, name: string): OwnOf {
  return (shared) => ownIfSet(config, shared, name);
}

function namesOf(read: KnobReader): string[] {
  return [...new Set(read.list('CREDMON_STANDING_TOKENS') ?? [])];
}

/**
 * Returns the providers of standing tokens that are clients: listed in
 * CLIENT_CREDMON_PROVIDER_NAMES, or with their own CLIENT_ID, which is not for jobs.
 */
export function standingClientNames(
  config: Config,
  read: KnobReader,
  lists: ProviderLists,
): string[] {
  const isClient = (provider: string): boolean =>
    lists.client.includes(provider) ||
    (!lists.local.includes(provider) &&
      config.origin(ownKnob('<KIND>_CREDMON_CLIENT_ID', 'CLIENT', provider).name) !== undefined);
  return namesOf(read).flatMap((name) => {
    const provider = read.string(ownOf(config, name)('CREDMON_STANDING_PROVIDER'));
    return provider !== undefined && isClient(provider) ? [provider] : [];
  });
}

/** The input besides the knobs; `defaultLifetime` in seconds. */
export interface StandingFacts extends StandingSources {
  readonly credDir: string;
  readonly defaultLifetime: number;
}

/** Reads the standing tokens. Mistakes are added to `read`. */
export function readStandingTokens(
  config: Config,
  read: KnobReader,
  facts: StandingFacts,
): readonly StandingToken[] {
  const reported = new Set<string>();
  const tokens = namesOf(read).flatMap((name): readonly StandingToken[] => {
    const { place, provider } = readPlace(config, read, name);
    const source =
      provider === undefined ? ({ kind: 'signer' } as const) : standingSource(provider, facts);
    if (source.kind === 'client')
      return [readFetched(config, read, place, source.client, facts.defaultLifetime)];
    if (source.kind === 'login') {
      const { client } = source;
      const { defaultLifetime } = facts;
      return [
        readLogin(config, read, place, { provider: provider ?? '', client, defaultLifetime }),
      ];
    }
    if (source.kind === 'signer') return [readSigned(config, read, place, provider ?? name)];
    const knob = ownOf(config, name)('CREDMON_STANDING_PROVIDER').name;
    if (!reported.has(knob)) read.mistake(knob, source.why);
    reported.add(knob);
    return [];
  });
  checkPaths(read, tokens, facts.credDir);
  return tokens;
}

function checkPaths(read: KnobReader, tokens: readonly StandingToken[], credDir: string): void {
  const paths = new Set<string>();
  for (const { path, name } of tokens) {
    if (path === '') continue;
    const knob = `CREDMON_STANDING_${name}_PATH`;
    const below = relative(credDir, path);
    if (credDir !== '' && !isAbsolute(below) && !/^\.\.(?:\/|$)/.test(below))
      read.mistake(
        knob,
        `is in the credential directory ${credDir}, whose files belong to jobs; choose another directory`,
      );
    const plain = normalize(path);
    if (paths.has(plain)) read.mistake(knob, 'is the path of another standing token');
    paths.add(plain);
  }
}

function readPlace(
  config: Config,
  read: KnobReader,
  name: string,
): { readonly place: StandingPlace; readonly provider: string | undefined } {
  const own = ownOf(config, name);
  const pathKnob = knob('CREDMON_STANDING_<TOKEN>_PATH', name);
  if (!isCredName(name))
    read.mistake(
      'CREDMON_STANDING_TOKENS',
      `names ${JSON.stringify(name)}: use letters, digits and "+=_.-" only`,
    );
  const place: StandingPlace = {
    name,
    path: read.path(pathKnob) ?? '',
    owner: read.string(own('CREDMON_STANDING_OWNER')),
    mode: readMode(read, own('CREDMON_STANDING_MODE')),
    format: readFormat(read, own('CREDMON_STANDING_FORMAT')),
    scope: words(read.string(own('CREDMON_STANDING_SCOPE'))),
    audience: words(read.string(own('CREDMON_STANDING_AUDIENCE'))),
  };
  if (!read.isSet(pathKnob)) missing(read, name, 'PATH');
  const provider = read.string(own('CREDMON_STANDING_PROVIDER'));
  if (provider === undefined) missing(read, name, 'PROVIDER');
  return { place, provider };
}

function readSigned(
  config: Config,
  read: KnobReader,
  place: StandingPlace,
  provider: string,
): SignedStanding {
  const { name, scope, audience } = place;
  const own = ownOf(config, name);
  const issuer = readIssuer(config, read, provider);
  const token: SignedStanding = {
    ...place,
    kind: 'signed',
    issuer,
    subject: read.string(knob('CREDMON_STANDING_<TOKEN>_SUBJECT', name)) ?? '',
    lifetime: Math.floor(read.duration(own('CREDMON_STANDING_LIFETIME'))),
  };
  if (token.subject === '') missing(read, name, 'SUBJECT');
  if (scope.length === 0) missing(read, name, 'SCOPE');
  if (audience.length === 0 && issuer.profile !== 'scitoken:1.0') missing(read, name, 'AUDIENCE');
  return token;
}

/**
 * Takes missing values from the client; a token with its own audience does not use the
 * client's audience and resources.
 */
function readFetched(
  config: Config,
  read: KnobReader,
  place: StandingPlace,
  client: TokenClient,
  defaultLifetime: number,
): FetchedStanding {
  const { name } = place;
  const own = ownOf(config, name);
  const resources = words(read.string(own('CREDMON_STANDING_RESOURCE')));
  const asClient = place.audience.length === 0 && resources.length === 0;
  if (place.scope.length === 0 && client.scopes.includes('{username}'))
    read.mistake(
      `CREDMON_STANDING_${name}_SCOPE`,
      `is not set, and the scopes of ${client.name} are for a user: they contain {username}`,
    );
  warnOfLifetime(config, read, name);
  return {
    ...place,
    kind: 'fetched',
    client,
    subject: read.string(knob('CREDMON_STANDING_<TOKEN>_SUBJECT', name)),
    scope: place.scope.length > 0 ? place.scope : words(scopesFor(client.scopes, '')),
    audience: asClient ? client.audience : place.audience,
    resources: asClient ? client.resources : resources,
    defaultLifetime: defaultLifetimeOf(client.policy, defaultLifetime),
  };
}

/**
 * Takes missing values from the knobs of the provider, as condor_credential_storer does
 * for users.
 */
function readLogin(
  config: Config,
  read: KnobReader,
  place: StandingPlace,
  login: Pick<LoginStanding, 'provider' | 'client' | 'defaultLifetime'>,
): LoginStanding {
  const { name, scope, audience } = place;
  const { provider } = login;
  const resource = `CREDMON_STANDING_${name}_RESOURCE`;
  if (config.origin(resource) !== undefined)
    read.warning(
      resource,
      `ignored: a login uses CREDMON_STANDING_${name}_AUDIENCE, and sends it as ` +
        `CREDMON_${provider}_AUDIENCE_PARAMETER says`,
    );
  warnOfLifetime(config, read, name);
  const orElse = (own: readonly string[], text: string | undefined): readonly string[] =>
    own.length > 0 ? own : words(text);
  return {
    ...place,
    ...login,
    kind: 'login',
    subject: read.string(knob('CREDMON_STANDING_<TOKEN>_SUBJECT', name)),
    scope: orElse(scope, read.string(knob('<PROVIDER>_DEFAULT_SCOPES', provider))),
    audience: orElse(audience, read.string(knob('<PROVIDER>_DEFAULT_AUDIENCE', provider))),
  };
}

function warnOfLifetime(config: Config, read: KnobReader, name: string): void {
  const lifetime = `CREDMON_STANDING_${name}_LIFETIME`;
  if (config.origin(lifetime) !== undefined)
    read.warning(lifetime, 'ignored: the issuer decides the lifetime of its tokens');
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(/[\s,]+/).filter(Boolean);
}

function missing(read: KnobReader, name: string, what: string): void {
  read.mistake(
    `CREDMON_STANDING_${name}_${what}`,
    `is not set, and the standing token ${name} needs it`,
  );
}

/**
 * Reads octal permissions as chmod does. Others must not have access: reading a token is
 * enough to use it.
 */
function readMode(read: KnobReader, knob: NamedKnob<'CREDMON_STANDING_MODE'>): number {
  const text = read.string(knob);
  const mode = /^0?[0-7]{3}$/.test(text) ? Number.parseInt(text, 8) : -1;
  if (mode >= 0 && (mode & 0o400) !== 0 && (mode & 0o137) === 0) return mode;
  read.mistake(
    knob.name,
    `is ${JSON.stringify(text)}; it must be octal, such as 0600 or 0640, without access for others`,
  );
  return 0o600;
}

function readFormat(read: KnobReader, knob: NamedKnob<'CREDMON_STANDING_FORMAT'>): 'jwt' | 'json' {
  const text = read.string(knob).toLowerCase();
  if (text === 'jwt' || text === 'json') return text;
  read.mistake(knob.name, `is ${JSON.stringify(text)}; it must be jwt or json`);
  return 'jwt';
}
