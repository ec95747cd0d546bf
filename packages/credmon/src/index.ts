// The public API of @credmon/credmon: names only.
export { beginPass } from './pass.ts';
export type { BegunPass, Ownership } from './pass.ts';
export { emptyMemory } from './pass-world.ts';
export type { PassMemory, PassWorld } from './pass-world.ts';
export { oauthRefresh } from './providers/oauth-refresh.ts';
export type { ConfiguredClient, OAuthOptions } from './providers/oauth-refresh.ts';
export { ownerOf, overlaps } from './providers/registry.ts';
export type { ProviderKind, ProviderLists, ServiceFacts } from './providers/registry.ts';
export type { Outcome, Provider, ProviderContext } from './providers/provider.ts';
export { statusRow, statusTable } from './status.ts';
export type { StatusRow } from './status.ts';
