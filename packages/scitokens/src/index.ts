// The public API of @credmon/scitokens.
export {
  CodedError,
  createSend,
  isCoded,
  metadataUrls,
  systemClock,
  systemRandom,
} from '@credmon/core/base';
export type { ErrorCode } from '@credmon/core/base';
export { ALGORITHMS, DEFAULT_ALGORITHMS, isAlgorithm } from './token/algorithms.ts';
export type { Algorithm, AlgorithmFacts } from './token/algorithms.ts';
export { PROFILES, WLCG_ANY_AUDIENCE } from './token/claims.ts';
export type {
  AtJwtClaims,
  CheckedClaims,
  ClaimsOf,
  Profile,
  Scitoken1Claims,
  Scitoken2Claims,
  TokenClaims,
  WlcgClaims,
} from './token/claims.ts';
export type { JsonObject, TokenHeader } from './token/compact.ts';
export { discoverBearerToken, tokenIn, trimToken } from './token/bearer-discovery.ts';
export type { BearerWorld, FoundToken, TokenForm } from './token/bearer-discovery.ts';
export { createKey } from './keys/create-key.ts';
export type { NewKey } from './keys/create-key.ts';
export { fetchIssuerKeys } from './verify/issuer-keys.ts';
export type { DiscoverOptions } from './verify/issuer-keys.ts';
export { enforce } from './verify/enforce.ts';
export type { EnforceOptions, Enforcer } from './verify/enforce.ts';
export { groupsOf, isInGroup } from './verify/enforce.ts';
export { createIssuerKeys } from './verify/issuer-keys.ts';
export type { IssuerKeysOptions, KeyStore, StoredKeys } from './verify/issuer-keys.ts';
export { createKeyCache, keyCacheDirectory } from './verify/key-files.ts';
export type { KeyCache } from './verify/key-files.ts';
export { readKeySet } from './keys/jwk.ts';
export type { KeySet, VerificationKey } from './keys/jwk.ts';
export {
  activeKey,
  initKeyDirectory,
  KEY_SET_FILE,
  publicKeys,
  publishInPlace,
  publishKeys,
  readKeyDirectory,
  rotateKeys,
} from './keys/key-directory.ts';
export type { KeyIndex, RotateOptions } from './keys/key-directory.ts';
export { keyTable, stepText } from './cli/io.ts';
export { keyIdOf } from './keys/create-key.ts';
export type { KeyIdStyle } from './keys/create-key.ts';
export { KEY_FORMS, readKey, readSigningKey, writeKey } from './keys/keys.ts';
export type { KeyChoice, KeyForm, ReadKey } from './keys/keys.ts';
export { publishedFiles } from './keys/jwk.ts';
export type { PublishedFile } from './keys/jwk.ts';
export { planRotation } from './keys/rotation.ts';
export type { KeyRecord, KeyState, RotationPolicy, RotationStep } from './keys/rotation.ts';
export { checkScopeForSigning } from './token/scope.ts';
export type { Authorization } from './token/scope.ts';
export { checkTypes } from './token/claims.ts';
export { issueToken, signClaims } from './token/sign.ts';
export type { SigningKey, SigningMoment, TokenRequest } from './token/sign.ts';
export { fixedKeys, verify, verifyWithKeys } from './verify/verify.ts';
export type { KeyFinder, VerifiedToken, VerifyOptions } from './verify/verify.ts';
