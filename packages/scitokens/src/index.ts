// The public API of @credmon/scitokens: names only.
export type { ErrorCode } from '@credmon/core/base';
export { ALGORITHMS, DEFAULT_ALGORITHMS, isAlgorithm } from './algorithms.ts';
export type { Algorithm, AlgorithmFacts } from './algorithms.ts';
export { PROFILES, WLCG_ANY_AUDIENCE } from './claims.ts';
export type {
  AtJwtClaims,
  CheckedClaims,
  ClaimsOf,
  Profile,
  Scitoken1Claims,
  Scitoken2Claims,
  TokenClaims,
  WlcgClaims,
} from './claims.ts';
export type { JsonObject, TokenHeader } from './compact.ts';
export { discoverBearerToken, trimToken } from './bearer.ts';
export type { BearerWorld, FoundToken } from './bearer.ts';
export { createKey } from './create-key.ts';
export type { NewKey } from './create-key.ts';
export { fetchIssuerKeys, metadataUrls } from './discover.ts';
export type { DiscoverOptions } from './discover.ts';
export { enforce } from './enforce.ts';
export type { EnforceOptions, Enforcer } from './enforce.ts';
export { groupsOf, isInGroup } from './groups.ts';
export { createIssuerKeys } from './issuer-keys.ts';
export type { IssuerKeysOptions, KeyStore, StoredKeys } from './issuer-keys.ts';
export { createKeyCache, keyCacheDirectory } from './key-cache.ts';
export type { KeyCache } from './key-cache.ts';
export { readKeySet } from './jwks.ts';
export type { KeySet, VerificationKey } from './jwks.ts';
export {
  activeKey,
  initKeyDirectory,
  KEY_SET_FILE,
  publicKeys,
  publishInPlace,
  publishKeys,
  readKeyDirectory,
  rotateKeys,
} from './key-directory.ts';
export type { KeyIndex, RotateOptions } from './key-directory.ts';
export { keyTable, stepText } from './cli/key-texts.ts';
export { keyIdOf } from './key-id.ts';
export type { KeyIdStyle } from './key-id.ts';
export { KEY_FORMS, readKey, readSigningKey, writeKey } from './keys.ts';
export type { KeyChoice, KeyForm, ReadKey } from './keys.ts';
export { publishedFiles } from './publish.ts';
export type { PublishedFile } from './publish.ts';
export { planRotation } from './rotation.ts';
export type { KeyRecord, KeyState, RotationPolicy, RotationStep } from './rotation.ts';
export { checkScopeForSigning } from './scope.ts';
export type { Authorization } from './scope.ts';
export { checkTypes } from './claims.ts';
export { issueToken, signClaims } from './sign.ts';
export type { SigningKey, SigningMoment, TokenRequest } from './sign.ts';
export { fixedKeys, verify, verifyWithKeys } from './verify.ts';
export type { KeyFinder, VerifiedToken, VerifyOptions } from './verify.ts';
