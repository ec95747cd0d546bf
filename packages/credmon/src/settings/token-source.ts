// The sources of tokens without a stored sign-in: of standing tokens, and of
// `condor_credmon token`: who may ask, and the client, login or local issuer.
import { type ConfiguredClient, type TokenClient, readTokenClients } from './clients.ts';
import type { ProviderLists } from './lists.ts';
import { type LocalIssuer, readIssuer } from './local.ts';
import type { Settings } from './read.ts';
import { CodedError, messageOf, nearest } from '@credmon/core/base';
import { type Config, type KnobReader, createKnobReader, ownIfSet } from '@credmon/core/config';

/** A provider of single tokens, and the scopes that root allows besides its rules. */
export type TokenSource = { readonly further: readonly string[] } & (
  | { readonly kind: 'signed'; readonly issuer: LocalIssuer }
  | { readonly kind: 'fetched'; readonly client: TokenClient }
);

/** A provider, or what is wrong with its knobs. */
interface TokenProvider {
  readonly name: string;
  readonly kind: TokenSource['kind'];
  readonly source: TokenSource | undefined;
  readonly mistake: string | undefined;
}

/** The settings. `group`: the group whose members may ask the daemon, if there is one. */
export interface TokenSettings {
  readonly group: string | undefined;
  readonly providers: readonly TokenProvider[];
}

const CLIENT = /^CLIENT_CREDMON_(.+)_CLIENT_ID$/i;

/**
 * Reads the settings: clients and local issuers, whether or not a list names them. A
 * mistake of an unused provider concerns only the tokens that are asked of it.
 */
export function readTokenSettings(
  config: Config,
  read: KnobReader,
  lists: ProviderLists,
  allowLoopbackHttp: boolean,
): TokenSettings {
  const own = config.setNames().flatMap((knob) => {
    const name = CLIENT.exec(knob)?.[1];
    return name === undefined ? [] : [name];
  });
  const clients = [...new Set([...lists.client, ...own])];
  const furtherOf = (from: KnobReader, name: string): readonly string[] =>
    from.list(ownIfSet(config, 'CREDMON_TOKEN_ALLOW', name)) ?? [];
  return {
    group: read.string('CREDMON_TOKEN_GROUP'),
    providers: [
      ...clients.map((name) =>
        provider(config, name, 'fetched', (from) => {
          const [client] = readTokenClients(from, 'CLIENT', [name], allowLoopbackHttp);
          return client && { kind: 'fetched', client, further: furtherOf(from, name) };
        }),
      ),
      ...signersIn(config, lists).map((name) =>
        provider(config, name, 'signed', (from) => ({
          kind: 'signed',
          issuer: readIssuer(config, from, name),
          further: furtherOf(from, name),
        })),
      ),
    ],
  };
}

function provider(
  config: Config,
  name: string,
  kind: TokenSource['kind'],
  work: (read: KnobReader) => TokenSource | undefined,
): TokenProvider {
  const read = createKnobReader(config);
  try {
    const source = work(read);
    read.finish();
    return { name, kind, source, mistake: undefined };
  } catch (error) {
    return { name, kind, source: undefined, mistake: messageOf(error) };
  }
}

/**
 * Returns the provider of this name; a client wins over a local issuer.
 * @throws CodedError `CONFIG_INVALID` for a mistake in its knobs, `USAGE` if there is no
 * such provider
 */
export function tokenSourceIn(
  { tokens: { providers }, clients }: Pick<Settings, 'tokens' | 'clients'>,
  name: string,
): TokenSource {
  const found =
    providers.find((one) => one.name === name) ??
    providers.find((one) => one.kind === 'signed' && one.name.toUpperCase() === name.toUpperCase());
  if (found?.source) return found.source;
  if (found) throw new CodedError('CONFIG_INVALID', found.mistake ?? `${name} cannot be used`);
  const meant = nearest(
    name,
    providers.map((one) => one.name),
  );
  const hint = clients.has(name.toUpperCase())
    ? 'it is a login provider; configure a standing token (docs/standing-tokens.md)'
    : meant === undefined
      ? `set LOCAL_CREDMON_${name}_ISSUER to sign, or CLIENT_CREDMON_${name}_CLIENT_ID to fetch`
      : `did you mean ${meant}?`;
  throw new CodedError('USAGE', `${JSON.stringify(name)} cannot issue single tokens: ${hint}`);
}

/**
 * The input of the choice. `logins`: the clients of login providers, by name in upper
 * case; `clients`: those that may fetch tokens.
 */
export interface StandingSources {
  readonly lists: ProviderLists;
  readonly clients: readonly TokenClient[];
  readonly logins: ReadonlyMap<string, ConfiguredClient>;
  readonly signers: readonly string[];
}

/**
 * A client to fetch with, one to log in with, a name to sign with, or what is wrong with
 * the name (a clause).
 */
export type StandingSource =
  | { readonly kind: 'client'; readonly client: TokenClient }
  | { readonly kind: 'login'; readonly client: ConfiguredClient }
  | { readonly kind: 'signer' }
  | { readonly kind: 'none'; readonly why: string };

const SIGNER = new RegExp(
  `^LOCAL_CREDMON_(.+)_(?:${[
    'ISSUER|KEY_ID|PRIVATE_KEY(?:_ALGORITHM)?',
    'TOKEN_(?:LIFETIME|USE_JSON|AUDIENCE|VERSION)',
    'AUTHZ_(?:TEMPLATE(?:_EXPR)?|GROUP_(?:TEMPLATE|MAPFILE|REQUIREMENT))',
  ].join('|')})$`,
  'i',
);
const KEY_DIRECTORY = /^CREDMON_(?!LOCAL_)(.+)_KEY_DIRECTORY$/i;

/**
 * Returns the names with their own issuer or key knobs, and the listed ones, as spelt
 * there.
 */
export function signersIn(config: Config, lists: ProviderLists): readonly string[] {
  const fromKnobs = config.setNames().flatMap((knob) => {
    const name = (SIGNER.exec(knob) ?? KEY_DIRECTORY.exec(knob))?.[1];
    return name === undefined ? [] : [name];
  });
  return [...new Set([...lists.local, ...fromKnobs])];
}

/** Evaluates a provider's name. A misspelt name must not sign as the shared issuer. */
export function standingSource(
  provider: string,
  { lists, clients, logins, signers }: StandingSources,
): StandingSource {
  const client = clients.find((one) => one.kind === 'CLIENT' && one.name === provider);
  if (client) return { kind: 'client', client };
  if (signers.some((name) => name.toUpperCase() === provider.toUpperCase()))
    return { kind: 'signer' };
  const kind = (['vault', 'pelican', 'exchange', 'exec'] as const).find((each) =>
    lists[each].includes(provider),
  );
  if (kind !== undefined) {
    const what = `is ${provider}, a provider of another kind (${kind}), which cannot have standing tokens`;
    return {
      kind: 'none',
      why: `${what}: they are signed locally, fetched by client credentials, or renewed from a login`,
    };
  }
  const login = logins.get(provider.toUpperCase());
  if (login) return { kind: 'login', client: login };
  const names = [...signers, ...clients.map(({ name }) => name), ...logins.keys()];
  const meant = nearest(provider, names);
  const hint =
    meant === undefined
      ? `set LOCAL_CREDMON_${provider}_ISSUER to sign, CLIENT_CREDMON_${provider}_CLIENT_ID to fetch, ` +
        `or ${provider}_CLIENT_ID and CREDMON_${provider}_ISSUER for a login`
      : `did you mean ${meant}?`;
  return { kind: 'none', why: `is ${provider}, which is not configured; ${hint}` };
}
