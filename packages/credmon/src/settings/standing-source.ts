// The sources of standing tokens: a client, a login or a local issuer; for any other
// name, the reason.
import type { Config } from '@credmon/core/config';
import { nearest } from '@credmon/core/base';
import type { ConfiguredClient, TokenClient } from './clients.ts';
import type { ProviderLists } from './lists.ts';

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
  const fromKnobs = config.names().flatMap((knob) => {
    const name = (SIGNER.exec(knob) ?? KEY_DIRECTORY.exec(knob))?.[1];
    return name === undefined || config.origin(knob)?.kind === 'default' ? [] : [name];
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
