// The public API of @credmon/core/oauth, the OAuth client: grants, metadata,
// classification of failures.
export { classifyFailure, harmless, retryAfterSeconds } from './classify.ts';
export type { FailedAnswer } from './classify.ts';
export type { ClientAuthentication, ClientRegistration } from './client.ts';
export { beginDeviceLogin, finishDeviceLogin } from './device.ts';
export type { DeviceLogin } from './device.ts';
export { authorizationUrl } from './authorization-url.ts';
export type { AuthorizationRequest } from './authorization-url.ts';
export { exchangeCode, refreshGrant } from './grants.ts';
export type { CodeExchange } from './grants.ts';
export { clientAssertion } from './assertion.ts';
export type { ClientKey } from './assertion.ts';
export { createMetadataCache } from './metadata.ts';
export type { IssuerMetadata, MetadataCache, MetadataOptions } from './metadata.ts';
export { clientCredentialsGrant, revokeToken, tokenExchangeGrant } from './grants.ts';
export type { Revocation, TokenWish } from './grants.ts';
