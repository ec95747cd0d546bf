// The signing keys and their uses: providers, issuers, and the longest token lifetime.
// Pure.
import { largest, shellWord } from '@credmon/core/base';
import type { KeySource } from '../settings/local.ts';
import type { Settings } from '../settings/read.ts';

/** Minimum token lifetime that a new key directory is made for, in seconds. */
export const DAY = 86_400;

/** A source of keys and its uses; `longestLifetime` in seconds. */
export interface KeyUse {
  readonly source: KeySource;
  readonly providers: readonly string[];
  readonly issuers: readonly string[];
  readonly longestLifetime: number;
}

/** One signer: a local provider, or a standing token. */
interface Signer {
  readonly source: KeySource;
  readonly provider: string;
  readonly issuer: string;
  readonly lifetime: number;
}

/**
 * Returns every source of keys in these settings, in order. Standing tokens count as
 * tokens of their provider.
 */
export function keyUses({
  local,
  standing,
}: Pick<Settings, 'local' | 'standing'>): readonly KeyUse[] {
  const signers: Signer[] = [
    ...(local.explicit ? local.issuers : []).map(({ service, issuer, key, lifetime }) => ({
      source: key,
      provider: service,
      issuer,
      lifetime,
    })),
    // A fetched token has no local issuer.
    ...standing.flatMap((token) =>
      'issuer' in token
        ? [
            {
              source: token.issuer.key,
              provider: token.issuer.service,
              issuer: token.issuer.issuer,
              lifetime: token.lifetime,
            },
          ]
        : [],
    ),
  ];
  const groups = new Map<string, Signer[]>();
  for (const signer of signers) {
    const key = JSON.stringify(signer.source);
    groups.set(key, [...(groups.get(key) ?? []), signer]);
  }
  return [...groups.values()].flatMap((group) => {
    const [first] = group;
    if (!first) return [];
    return {
      source: first.source,
      providers: [...new Set(group.map(({ provider }) => provider))],
      issuers: [...new Set(group.map(({ issuer }) => issuer))],
      longestLifetime: largest(group.map(({ lifetime }) => lifetime)),
    };
  });
}

/**
 * Returns the command that publishes the keys of a provider; if the portal does not, it
 * needs a web server's top directory.
 */
export function publishCommand(provider: string, byPortal: boolean): string {
  const command = 'condor_credmon keys publish';
  return byPortal ? command : `${command} WEBDIR --provider ${shellWord(provider)}`;
}

/**
 * Returns why keys in their own directory do not count as published, and what to do;
 * `undefined` if the portal publishes them (as the keys of the issuer `served`).
 */
export function notServed({ issuers, providers }: KeyUse, served: string): string | undefined {
  if (issuers.includes(served)) return undefined;
  return (
    `the portal publishes the keys of ${served} only; to publish those of ` +
    `${issuers.join(', ')}: ${publishCommand(providers[0] ?? '', false)}, where ` +
    'WEBDIR is the top directory of its web server'
  );
}
