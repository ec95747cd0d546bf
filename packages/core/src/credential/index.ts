// The public API of @credmon/core/credential, the credential files: names, layout,
// contents, times, requests, token responses.
export { judgeProviderNames, noHandles, refusedName, refusedProvider } from './file-names.ts';
export type { NameProblem, NameRules } from './file-names.ts';
export { cutDomain, isCredName, isPlainProviderName, splitStem, stemOf } from './file-names.ts';
export type { ServiceAndHandle } from './file-names.ts';
export {
  COMPLETE_FILE,
  KEY_FILE_NAME,
  LOCK_FILE,
  PID_FILE,
  RESERVE_FILE,
  STATE_KINDS,
  classifyUserEntry,
  hintsAtTokens,
  tokenFileName,
} from './file-names.ts';
export type { TokenFileKind, UserEntry } from './file-names.ts';
export {
  MAX_CREDENTIAL_BYTES,
  MAX_REFRESH_TOKEN,
  parseMeta,
  parseObject,
  parseTop,
} from './file-contents.ts';
export type { MetaContents, Parsed, TopContents, UseContents } from './file-contents.ts';
export {
  STORED_BEFORE_TOP,
  jwtTimes,
  promisedLifetime,
  saneLifetime,
  storedTimes,
} from './times.ts';
export type { TokenTimes } from './times.ts';
export { filesFromLogin, rotatedTopText, useContents, useFile, useText } from './from-tokens.ts';
export type { LoginFiles, UseFile, UseOptions, WrittenUse } from './from-tokens.ts';
export { issuedText } from './issued-state.ts';
export { judgeStoredRefresh, subjectOf } from './stored-refresh.ts';
export type { LoginRequest, StoredRefresh, StoredTexts } from './stored-refresh.ts';
export { readableUse } from './job-readable.ts';
export type { UseOrigin } from './job-readable.ts';
export type { LoginResult } from './from-tokens.ts';
export { withoutSecrets } from './secret-text.ts';
export {
  MAX_ACCESS_TOKEN_BYTES,
  judgeTokenResponse,
  refreshTokenToSave,
  scopeText,
} from './token-response.ts';
export type { IdentityClaims, TokenAnswer } from './token-response.ts';
export { compareScopes, splitScopes } from './token-response.ts';
export {
  changedToken,
  identityOf,
  instantOf,
  isPresent,
  isUnread,
  sameIdentity,
  tokenId,
} from './snapshot.ts';
export type {
  FileIdentity,
  FileState,
  Instant,
  LazyState,
  MetaDigest,
  RenewalState,
  TokenSnapshot,
  TopDigest,
} from './snapshot.ts';
export { accessTokenOf, digestUse, parseRenewal, renewalText } from './digest.ts';
export { MAX_KEY_FILE_BYTES } from './request.ts';
export { readCredentialRequest } from './request.ts';
export type { CredentialRequest, ProviderRequest } from './request.ts';
