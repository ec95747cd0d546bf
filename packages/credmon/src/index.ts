// The public API of @credmon/credmon: names only.
export { beginPass } from './daemon/pass.ts';
export type { BegunPass } from './daemon/pass.ts';
export type { ProviderLookup } from './daemon/judge-scan.ts';
export { emptyMemory } from './daemon/context.ts';
export type { PassMemory, PassContext } from './daemon/context.ts';
export { oauthRefresh } from './providers/oauth/refresh.ts';
export type { OAuthOptions } from './providers/oauth/refresh.ts';
export type { ConfiguredClient } from './settings/clients.ts';
export { ownerOf, overlaps } from './settings/lists.ts';
export type { ProviderKind, ProviderLists, ServiceFacts } from './settings/lists.ts';
export type { Outcome, Provider, ProviderContext } from './providers/common/provider.ts';
export { statusRow, statusTable } from './status/rows.ts';
export type { StatusRow } from './status/rows.ts';
