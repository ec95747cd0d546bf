// The public API of @credmon/core for most importers. Everything else is in a subpath,
// one for each folder: @credmon/core/base, /config, /credential, /oauth, /renewal,
// /store, /classad, /log.
export {
  CodedError,
  ERROR_CODES,
  isCoded,
  messageOf,
  systemClock,
  createSend,
} from './base/index.ts';
export type { ErrorCode, Clock, HttpRequest, HttpResponse, Send } from './base/index.ts';
export { loadConfig, originText, createKnobReader, readSize } from './config/index.ts';
export type { LoadOptions, Config, KnobReader } from './config/index.ts';
export {
  tokenId,
  splitStem,
  stemOf,
  readCredentialRequest,
  filesFromLogin,
} from './credential/index.ts';
export type { TokenSnapshot } from './credential/index.ts';
export { DEFAULT_POLICY, planRenewals } from './renewal/index.ts';
export type { RenewalPolicy, Plan, Verdict, ManagedToken } from './renewal/index.ts';
export {
  openCredentialDirectory,
  checkCredentialDirectory,
  lockDirectory,
  readUse,
} from './store/index.ts';
export type { CredentialStore, Scan, TokenChange } from './store/index.ts';
export {
  evaluate,
  parseAd,
  parseExpression,
  printExpression,
  printValue,
  parseMapFile,
} from './classad/index.ts';
export type { Value } from './classad/index.ts';
