// The public API of @credmon/core/profiles: what is known about issuers, and the policy of
// a provider made from it.
export {
  GENERIC_POLICY,
  policyAt,
  defaultLifetimeOf,
  policyOf,
  readIssuerPolicies,
  readIssuerPolicy,
} from './policy.ts';
export type { IssuerPolicy } from './policy.ts';
export type { ClientKeyFile, NamedEndpoints } from './policy-knobs.ts';
export { readEndpointOrigins } from './policy-knobs.ts';
export type { ExtraParameters } from './policy-knobs.ts';
export { isProfileName, PROFILE_NAMES, PROFILES, suggestProfile } from './profile.ts';
export type {
  AudienceParameter,
  ClientAuthentication,
  ErrorMeaning,
  ProfileName,
  ProviderProfile,
  RefreshParameter,
  ScopePolicy,
} from './profile.ts';
export {
  compareGrant,
  containsScope,
  differenceNote,
  shownScopes,
  widerText,
} from './scope-rules.ts';
export { profileFindings } from './suggestion.ts';
export type { GrantDifference, ScopeRules } from './scope-rules.ts';
