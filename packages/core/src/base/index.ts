// The public API of @credmon/core/base: the parts that all other packages use.
export { distance, nearest } from './values/distance.ts';
export { CodedError, isCoded, messageOf, systemCode } from './errors/errors.ts';
export type { ErrorFields } from './errors/errors.ts';
export { ERROR_CODES } from './errors/errors.ts';
export type { ErrorCode } from './errors/errors.ts';
export { afterAwake } from './time/clock.ts';
export { bodyText } from './values/json.ts';
export { milliseconds, systemClock, utcText } from './time/clock.ts';
export type { Clock } from './time/clock.ts';
export { createTurnLimit, createYielder, inSlices, sortInSlices } from './time/yielder.ts';
export { systemRandom } from './process/process.ts';
export type { Random } from './process/process.ts';
export { messageWithFix, networkErrorText, serverOf } from './http/network-errors.ts';
export type { NetworkServer } from './http/network-errors.ts';
export { networkFailure } from './http/tls-refusal.ts';
export { createSend, originOf, DEFAULT_SEND_LIMITS } from './http/send.ts';
export type { HttpRequest, HttpResponse, LateAnswer, Send, SendLimits } from './http/send.ts';
export { createTrust, systemTrust, trustText } from './http/trust.ts';
export type { Trust, TrustOptions, TrustState } from './http/trust.ts';
export { USUAL_PLACES } from './http/trust-files.ts';
export type { NamedTrust } from './http/trust-files.ts';
export {
  commitNew,
  stageFile,
  syncDirectory,
  temporaryName,
  temporaryOwner,
  writeFileAtomically,
} from './files/atomic-write.ts';
export type { StagedFile, WriteOptions } from './files/atomic-write.ts';
export {
  inDirectory,
  inSubdirectory,
  openDirectory,
  openSubdirectory,
} from './files/safe-directory.ts';
export type { OpenDirectory } from './files/safe-directory.ts';
export { inHeldDirectory } from './files/held-directory.ts';
export { makeDirectory } from './files/safe-directory.ts';
export { readAtMost, readSafely, rememberFiles } from './files/safe-file.ts';
export type { FileMemory, SafeReading } from './files/safe-file.ts';
export { metadataUrls } from './http/endpoint.ts';
export { makeSocket, removeStaleSocket } from './http/stale-socket.ts';
export { shellWord } from './text/printable.ts';
export { durationOf, wholeSeconds } from './values/numbers.ts';
export {
  collectEarly,
  exitAtOnce,
  isAlive,
  isAliveElsewhere,
  keepHeapSmall,
  runFile,
} from './process/process.ts';
export { isTerminal, STDERR, STDOUT, writeOutput } from './process/process.ts';
export { largest, smallest } from './values/numbers.ts';
export { lookUpByProgram } from './process/program-lookup.ts';
export { isRecord } from './values/json.ts';
export { jwtClaims, jwtHeader } from './values/json.ts';
export { clearAddressText, isLoopbackHost } from './http/endpoint.ts';
export { secureEndpoint } from './http/endpoint.ts';
export { findingsText, hasErrors, ok, warning, wantsColour, wrong } from './text/findings.ts';
export type { Finding } from './text/findings.ts';
export { pluralise, durationText, printable, printableLine, wrap } from './text/printable.ts';
export { decodeComponent } from './text/scope-path.ts';
export type { DecodedComponent } from './text/scope-path.ts';
export { tableText } from './text/findings.ts';
export type { TableOptions } from './text/findings.ts';
export { connectServiceManager } from './process/service-manager.ts';
export type { ServiceManager } from './process/service-manager.ts';
