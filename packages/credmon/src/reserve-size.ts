// How much disk space is reserved for rotated refresh tokens: enough for a `.top` of every renewal that can be under way. Pure.
import { MAX_REFRESH_TOKEN, SMALLEST_RESERVE } from '@credmon/core';
import type { Settings } from './settings.ts';

/** Bytes of a file system block. */
const BLOCK = 4096;
/** Bytes of `.top` beside the refresh token: scopes, audience, and what other programs keep there. */
const BESIDE_TOKEN = 4096;
/** Renewals that are counted at most, however many issuers are configured. */
const MOST_RENEWALS = 1024;

/**
 * The bytes to reserve: for each renewal that the settings let be under way at issuers that may rotate a refresh token, the blocks of a
 * `.top` with the longest refresh token, and one block for its inode; at least {@link SMALLEST_RESERVE}.
 */
export function reserveBytes({
  perIssuer,
  clients,
  tokenClients,
  tokenPrograms,
}: Pick<Settings, 'perIssuer' | 'clients' | 'tokenClients' | 'tokenPrograms'>): number {
  const issuers = Math.max(1, clients.size + tokenClients.length + tokenPrograms.length);
  const renewals = Math.min(issuers * perIssuer, MOST_RENEWALS);
  const blocks = Math.ceil((MAX_REFRESH_TOKEN + BESIDE_TOKEN) / BLOCK) + 1;
  return Math.max(SMALLEST_RESERVE, renewals * blocks * BLOCK);
}
