// Where a standing token can come from: a client, an issuer of our own, or, for a name
// that is neither, why not.
import type { Config } from '@credmon/core/config';
import { nearest } from '@credmon/core/base';
import type { TokenClient } from './clients.ts';
import type { ProviderLists } from './lists.ts';

/**
 * What the choice stands on. `logins` are names with a `_CLIENT_ID`, in upper case;
 * `clients` those that may fetch tokens.
 */
export interface StandingSources {
  readonly lists: ProviderLists;
  readonly clients: readonly TokenClient[];
  readonly logins: ReadonlySet<string>;
  readonly signers: readonly string[];
}

/**
 * A client to fetch with, a name to sign as, or what is wrong with the name: a clause.
 */
export type StandingSource =
  | { readonly kind: 'client'; readonly client: TokenClient }
  | { readonly kind: 'signer' }
  | { readonly kind: 'none'; readonly why: string };

const SIGNER =
  /^LOCAL_CREDMON_(.+)_(?:ISSUER|KEY_ID|PRIVATE_KEY(?:_ALGORITHM)?|TOKEN_(?:LIFETIME|USE_JSON|AUDIENCE|VERSION)|AUTHZ_(?:TEMPLATE(?:_EXPR)?|GROUP_(?:TEMPLATE|MAPFILE|REQUIREMENT)))$/i;
const KEY_DIRECTORY = /^CREDMON_(?!LOCAL_)(.+)_KEY_DIRECTORY$/i;

/**
 * The names with knobs of an issuer or a key of their own, and those that a list names,
 * as they are spelt there.
 */
export function signersIn(config: Config, lists: ProviderLists): readonly string[] {
  const spoken = config.names().flatMap((knob) => {
    const name = (SIGNER.exec(knob) ?? KEY_DIRECTORY.exec(knob))?.[1];
    return name === undefined || config.origin(knob)?.kind === 'default' ? [] : [name];
  });
  return [...new Set([...lists.local, ...spoken])];
}

/**
 * Judges a provider's name. One that only looks like a name of ours must not sign as the
 * issuer that all others share.
 */
export function standingSource(
  provider: string,
  { lists, clients, logins, signers }: StandingSources,
): StandingSource {
  const client = clients.find((one) => one.kind === 'CLIENT' && one.name === provider);
  if (client) return { kind: 'client', client };
  if (signers.some((name) => name.toUpperCase() === provider.toUpperCase()))
    return { kind: 'signer' };
  const kind = (['oauth2', 'vault', 'pelican', 'exchange', 'exec'] as const).find((each) =>
    lists[each].includes(provider),
  );
  if (kind !== undefined || logins.has(provider.toUpperCase())) {
    const what = `names ${provider}, a provider of another kind (${kind ?? 'oauth2'}), which makes no standing tokens`;
    return { kind: 'none', why: `${what}: they are signed here, or fetched by client credentials` };
  }
  const meant = nearest(provider, [...signers, ...clients.map(({ name }) => name)]);
  const hint =
    meant === undefined
      ? `set LOCAL_CREDMON_${provider}_ISSUER to sign, or CLIENT_CREDMON_${provider}_CLIENT_ID to fetch`
      : `did you mean ${meant}?`;
  return { kind: 'none', why: `names ${provider}, for which nothing is configured; ${hint}` };
}
