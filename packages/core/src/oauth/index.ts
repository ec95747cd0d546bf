// The public API of @credmon/core/oauth, the OAuth client: grants, metadata,
// classification of failures.
export { classifyFailure, harmless, retryAfterSeconds } from './classify.ts';
export type { FailedAnswer } from './classify.ts';
export type { ClientRegistration } from './client.ts';
export type { ClientAuthentication } from '../profiles/profile.ts';
export { beginDeviceLogin, finishDeviceLogin } from './device.ts';
export type { DeviceLogin } from './device.ts';
export { authorizationUrl, exchangeCode } from './authorization-code.ts';
export type { AuthorizationRequest, CodeExchange } from './authorization-code.ts';
export { namesOf, refreshGrant, withIdentity } from './grants.ts';
export { identityChange, verifyIdToken } from './id-token.ts';
export type { IdTokenChecks, IssuerNames } from './id-token.ts';
export { createKeySetCache, keysFrom } from './id-token.ts';
export type { KeySetCache } from './id-token.ts';
export { clientAssertion } from './assertion.ts';
export type { ClientKey } from './assertion.ts';
export { createMetadataCache } from './metadata.ts';
export type { IssuerMetadata, IssuerRules, MetadataCache, MetadataOptions } from './metadata.ts';
export { clientCredentialsGrant, revokeToken, tokenExchangeGrant } from './grants.ts';
export type { Revocation, TokenWish } from './grants.ts';
export { completeRegistration, sendsChallenge } from './complete-registration.ts';
export type {
  CompleteRegistration,
  RegistrationContext,
  RegistrationDraft,
} from './complete-registration.ts';
