// The public API of @credmon/core/base, what every package stands on: names only.
export { distance, nearest } from './distance.ts';
export { CodedError, isCoded, messageOf, systemCode } from './errors.ts';
export type { ErrorFields } from './errors.ts';
export { ERROR_CODES } from './error-codes.ts';
export type { ErrorCode } from './error-codes.ts';
export { afterAwake } from './awake-timer.ts';
export { bodyText } from './body-text.ts';
export { systemClock } from './clock.ts';
export type { Clock } from './clock.ts';
export { createBreath, inSlices } from './breath.ts';
export { systemRandom } from './random.ts';
export type { Random } from './random.ts';
export { createSend, originOf, DEFAULT_SEND_LIMITS } from './send.ts';
export type { HttpRequest, HttpResponse, LateAnswer, Send, SendLimits } from './send.ts';
export { createTrust, systemTrust, trustText, USUAL_PLACES } from './trust.ts';
export type { NamedTrust, Trust, TrustOptions, TrustState } from './trust.ts';
export {
  stageFile,
  syncDirectory,
  temporaryName,
  temporaryOwner,
  writeFileAtomically,
} from './atomic-write.ts';
export type { StagedFile, WriteOptions } from './atomic-write.ts';
export { inDirectory, inSubdirectory, openDirectory, openSubdirectory } from './safe-directory.ts';
export type { OpenDirectory } from './safe-directory.ts';
export { readSafely } from './safe-file.ts';
export type { SafeReading } from './safe-file.ts';
export { makeSocket, removeStaleSocket } from './stale-socket.ts';
export { shellWord } from './shell-word.ts';
export { wholeSeconds } from './whole-seconds.ts';
export { STDERR, STDOUT, writeOutput } from './output.ts';
export { largest, smallest } from './extremes.ts';
export { lookUpByProgram } from './program-lookup.ts';
