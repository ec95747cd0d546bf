// The finding of both checks about a provider profile that does not fit the issuer.
import { warning, type Finding } from '../base/text/findings.ts';
import { fits, suggestProfile } from './profile.ts';
import type { IssuerPolicy } from './policy.ts';

/**
 * Suggests the profile that fits the issuer or an endpoint of a provider, unless its own
 * does. `urls` are the issuer first, then endpoints.
 */
export function profileFindings(
  what: string,
  name: string,
  { profile }: IssuerPolicy,
  urls: readonly (string | undefined)[],
): Finding[] {
  const known = urls.flatMap((url) => (url === undefined || url === '' ? [] : [url]));
  const [suggested] = known.flatMap((url) => suggestProfile(url) ?? []);
  if (suggested === undefined || known.some((url) => fits(profile, url))) return [];
  const instead = profile === 'generic' ? '' : `, but CREDMON_${name}_PROFILE is ${profile}`;
  return [
    warning(
      what,
      `its issuer looks like ${suggested}${instead}; fix: set CREDMON_${name}_PROFILE = ` +
        `${suggested} (see docs/providers/${suggested}.md)`,
    ),
  ];
}
