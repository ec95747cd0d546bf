// The public API of @credmon/core/store, the credential directory: scan, read, change,
// lock, reserve.
export { openCredentialDirectory } from './directory-store.ts';
export { readUse } from './token-scan.ts';
export { progressFields, restOf, topAfter } from './progress.ts';
export { lockDirectory, lockHolder } from './lock.ts';
export { openReserve, SMALLEST_RESERVE } from './reserve.ts';
export type { Reserve, ReserveKept } from './reserve.ts';
export type { DirectoryLock, LockState } from './lock.ts';
export { readCredentialFile } from './read-file.ts';
export { inUserDirectory } from './directory-names.ts';
export type { FileReading } from './read-file.ts';
export type {
  CredentialStore,
  LooseFile,
  Scan,
  ScanHabits,
  TemporaryFile,
  TokenChange,
  TokenFiles,
  TokenWrite,
  UnreadFiles,
} from './store.ts';
export { checkCredentialDirectory, checkRunDirectory } from './directory-trust.ts';
export type { DirectoryCheck } from './directory-trust.ts';
