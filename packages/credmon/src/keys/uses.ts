// Which keys sign tokens here, and what depends on each: providers, issuers, and the
// longest life of a token. Pure.
import { largest, shellWord } from '@credmon/core/base';
import type { KeySource } from '../settings/local.ts';
import type { Settings } from '../settings/read.ts';

/** The life of tokens that a new key directory is made for at least, in seconds. */
export const A_DAY = 86_400;

/**
 * A source of keys with everything that signs with it; `longestLifetime` in seconds, of
 * all of them.
 */
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
 * Every source of keys in these settings, in their order. Standing tokens count as tokens
 * of their provider.
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
    // One that is fetched from elsewhere has no issuer here.
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
 * The command that publishes the keys of a provider; where the portal does not, it needs
 * a web server's top directory.
 */
export function publishCommand(provider: string, byPortal: boolean): string {
  const command = 'condor_credmon keys publish';
  return byPortal ? command : `${command} WEBDIR --provider ${shellWord(provider)}`;
}

/**
 * Why keys may not count as published by lying in their own directory, and what to do;
 * `undefined` where the portal, which stands for the issuer `served`, finds them there.
 */
export function unserved({ issuers, providers }: KeyUse, served: string): string | undefined {
  if (issuers.includes(served)) return undefined;
  return `the portal publishes the keys of ${served} only; to publish those of ${issuers.join(', ')}: ${publishCommand(providers[0] ?? '', false)}, where WEBDIR is the top directory of its web server`;
}
