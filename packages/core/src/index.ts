// The public API of @credmon/core: names only.
export * from './base/index.ts';
export * from './config/index.ts';
export { judgeProviderNames, noHandles, refusedName, refusedProvider } from './credential/name-rules.ts';
export type { NameProblem, NameRules } from './credential/name-rules.ts';
export { cutDomain, isCredName, isPlainProviderName, splitStem, stemOf } from './credential/name.ts';
export type { ServiceAndHandle } from './credential/name.ts';
export {
  COMPLETE_FILE,
  KEY_FILE_NAME,
  LOCK_FILE,
  PID_FILE,
  RESERVE_FILE,
  classifyUserEntry,
  hintsAtTokens,
  tokenFileName,
} from './credential/layout.ts';
export type { TokenFileKind, UserEntry } from './credential/layout.ts';
export {
  MAX_CREDENTIAL_BYTES,
  MAX_REFRESH_TOKEN,
  parseMeta,
  parseObject,
  parseTop,
} from './credential/contents.ts';
export type { MetaContents, Parsed, TopContents, UseContents } from './credential/contents.ts';
export { isRecord } from './base/values/json.ts';
export { jwtClaims } from './base/values/jwt-claims.ts';
export {
  STORED_BEFORE_TOP,
  jwtTimes,
  promisedLifetime,
  saneLifetime,
  storedTimes,
} from './credential/times.ts';
export type { TokenTimes } from './credential/times.ts';
export { filesFromLogin, rotatedTopText, useContents, useText } from './credential/from-tokens.ts';
export { judgeStoredRefresh, subjectOf } from './credential/stored-refresh.ts';
export type { LoginRequest, StoredRefresh, StoredTexts } from './credential/stored-refresh.ts';
export { readableUse } from './credential/readable-use.ts';
export type { UseOrigin } from './credential/readable-use.ts';
export type { LoginResult } from './credential/from-tokens.ts';
export { isLoopbackHost, secureEndpoint } from './base/http/endpoint.ts';
export { classifyFailure, harmless, retryAfterSeconds } from './oauth/classify.ts';
export { withoutSecrets } from './credential/secret-text.ts';
export type { FailedAnswer } from './oauth/classify.ts';
export type { ClientAuthentication, ClientRegistration } from './oauth/client.ts';
export { beginDeviceLogin, finishDeviceLogin } from './oauth/device.ts';
export type { DeviceLogin } from './oauth/device.ts';
export { authorizationUrl, exchangeCode, refreshGrant } from './oauth/grants.ts';
export type { AuthorizationRequest, CodeExchange } from './oauth/grants.ts';
export { clientAssertion } from './oauth/assertion.ts';
export type { ClientKey } from './oauth/assertion.ts';
export { createMetadataCache } from './oauth/metadata.ts';
export type { IssuerMetadata, MetadataCache, MetadataOptions } from './oauth/metadata.ts';
export { clientCredentialsGrant, revokeToken, tokenExchangeGrant } from './oauth/service-grants.ts';
export type { Revocation, TokenWish } from './oauth/service-grants.ts';
export {
  MAX_ACCESS_TOKEN_BYTES,
  judgeTokenResponse,
  refreshTokenToSave,
  scopeText,
} from './credential/token-response.ts';
export type { IdentityClaims, TokenAnswer } from './credential/token-response.ts';
export { compareScopes, splitScopes } from './credential/scopes.ts';
export { identityOf, sameIdentity, tokenId } from './credential/snapshot.ts';
export type {
  FileIdentity,
  FileState,
  Instant,
  MetaDigest,
  RenewalState,
  TokenSnapshot,
  TopDigest,
} from './credential/snapshot.ts';
export { digestUse, parseRenewal, renewalText } from './credential/digest.ts';
export { DEFAULT_POLICY, SHORTEST_PAUSE } from './renewal/policy.ts';
export type { RenewalPolicy } from './renewal/policy.ts';
export { dueByLifetime, dueOf, localNow } from './renewal/due.ts';
export type { Due, DueReason } from './renewal/due.ts';
export { ANY_BASIS, afterFailure, afterWaiting, forgottenAtStart } from './renewal/backoff.ts';
export type { Failure } from './renewal/backoff.ts';
export { spreadOf } from './renewal/spread.ts';
export { judge, planOf, planRenewals } from './renewal/plan.ts';
export type { ManagedToken, Plan, TokenState, Verdict } from './renewal/plan.ts';
export { LONGEST_PAUSE, SHORTEST_LIFETIME, SHORT_LIVES, pauseAfter } from './renewal/pause.ts';
export { openCredentialDirectory } from './store/directory-store.ts';
export { readUse } from './store/read-use.ts';
export { restOf } from './store/rest.ts';
export { lockDirectory } from './store/lock.ts';
export { openReserve, SMALLEST_RESERVE } from './store/reserve.ts';
export type { Reserve, ReserveKept } from './store/reserve.ts';
export type { DirectoryLock, LockState } from './store/lock.ts';
export { readCredentialFile } from './store/read-file.ts';
export { inUserDirectory } from './store/user-directory.ts';
export type { FileReading } from './store/read-file.ts';
export type {
  CredentialStore,
  LooseFile,
  Scan,
  ScanHabits,
  TemporaryFile,
  TokenChange,
  TokenFiles,
  TokenWrite,
} from './store/store.ts';
export { checkCredentialDirectory } from './store/check-directory.ts';
export type { DirectoryCheck } from './store/check-directory.ts';
export { MAX_KEY_FILE_BYTES } from './credential/key-lines.ts';
export { readCredentialRequest } from './credential/request.ts';
export type { CredentialRequest, ProviderRequest } from './credential/request.ts';
export * from './classad/index.ts';
