// The settings of `condor_credmon token`: who may run it, and the provider that it names.
import { createKnobReader, ownIfSet, ownKnob, type Config } from '@credmon/core/config';
import { CodedError, nearest } from '@credmon/core/base';
import { readTokenClients, type TokenClient } from './clients.ts';
import { readIssuer, type LocalIssuer } from './local.ts';
import type { Settings } from './read.ts';
import { signersIn } from './standing-source.ts';

/** A provider of single tokens, and the scopes that root allows besides its rules. */
export type TokenSource = { readonly further: readonly string[] } & (
  | { readonly kind: 'signed'; readonly issuer: LocalIssuer }
  | { readonly kind: 'fetched'; readonly client: TokenClient }
);

/** Returns the name of the group whose members may issue tokens, if there is one. */
export function tokenGroup(config: Config): string | undefined {
  const read = createKnobReader(config);
  return read.string('CREDMON_TOKEN_GROUP');
}

/**
 * Returns the provider of this name: a client or a local issuer, whether or not a list
 * names it.
 * @throws CodedError `CONFIG_INVALID` for a mistake in its knobs, `USAGE` if there is no
 * such provider
 */
export function tokenSource(config: Config, settings: Settings, provider: string): TokenSource {
  const read = createKnobReader(config);
  const further = read.list(ownIfSet(config, 'CREDMON_TOKEN_ALLOW', provider)) ?? [];
  const { lists, allowLoopbackHttp } = settings;
  const signer = signersIn(config, lists).find(
    (name) => name.toUpperCase() === provider.toUpperCase(),
  );
  const isClient =
    lists.client.includes(provider) ||
    config.origin(ownKnob('<KIND>_CREDMON_CLIENT_ID', 'CLIENT', provider).name) !== undefined;
  if (isClient) {
    const [client] = readTokenClients(read, 'CLIENT', [provider], allowLoopbackHttp);
    read.finish();
    if (client) return { kind: 'fetched', client, further };
  }
  if (signer !== undefined) {
    const issuer = readIssuer(config, read, provider);
    read.finish();
    return { kind: 'signed', issuer, further };
  }
  throw unknown(provider, settings, signersIn(config, lists));
}

function unknown(
  provider: string,
  { clients, tokenClients }: Settings,
  signers: readonly string[],
): CodedError {
  const ours = tokenClients.filter(({ kind }) => kind === 'CLIENT').map(({ name }) => name);
  const meant = nearest(provider, [...signers, ...ours]);
  const hint = clients.has(provider.toUpperCase())
    ? 'it is a login provider; configure a standing token (docs/standing-tokens.md)'
    : meant === undefined
      ? `set LOCAL_CREDMON_${provider}_ISSUER to sign, or CLIENT_CREDMON_${provider}_CLIENT_ID to fetch`
      : `did you mean ${meant}?`;
  return new CodedError(
    'USAGE',
    `${JSON.stringify(provider)} cannot issue single tokens: ${hint}`,
    { provider },
  );
}
