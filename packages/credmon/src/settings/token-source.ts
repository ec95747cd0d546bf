// The settings of `condor_credmon token`: who may ask for a token, and the providers that
// can issue one.
import { CodedError, messageOf, nearest } from '@credmon/core/base';
import { createKnobReader, ownIfSet, type Config, type KnobReader } from '@credmon/core/config';
import { readTokenClients, type TokenClient } from './clients.ts';
import type { ProviderLists } from './lists.ts';
import { readIssuer, type LocalIssuer } from './local.ts';
import type { Settings } from './read.ts';
import { signersIn } from './standing-source.ts';

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
  const own = config.names().flatMap((knob) => {
    const name = CLIENT.exec(knob)?.[1];
    return name === undefined || config.origin(knob)?.kind === 'default' ? [] : [name];
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
