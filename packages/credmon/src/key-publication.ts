// Whose keys the web portal publishes, and how those of another issuer are published.
import { shellWord } from '@credmon/core';
import type { KeyUse } from './key-uses.ts';

/** The command that publishes the keys of a provider; where the portal does not, it needs a web server's top directory. */
export function publishCommand(provider: string, byPortal: boolean): string {
  const command = 'condor_credmon keys publish';
  return byPortal ? command : `${command} WEBDIR --provider ${shellWord(provider)}`;
}

/**
 * Why keys may not count as published by lying in their own directory, and what to do; `undefined` where the portal, which stands for the
 * issuer `served`, finds them there.
 */
export function unserved({ issuers, providers }: KeyUse, served: string): string | undefined {
  if (issuers.includes(served)) return undefined;
  return `the portal publishes the keys of ${served} only; to publish those of ${issuers.join(', ')}: ${publishCommand(providers[0] ?? '', false)}, where WEBDIR is the top directory of its web server`;
}
