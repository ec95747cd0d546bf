// The only error class of the project: a code to match on, a sentence for the person who
// must act, and fields for machines.
import type { ErrorCode } from './error-codes.ts';

/**
 * Fields of an error for machines. Must not contain a token, code, secret or verifier.
 */
export type ErrorFields = Readonly<Record<string, string | number | boolean | undefined>>;

/**
 * An error with a code from {@link ERROR_CODES}. `message` says what happened, where, and
 * what to do; it never contains a secret.
 */
export class CodedError extends Error {
  readonly code: ErrorCode;
  readonly fields: ErrorFields;

  constructor(code: ErrorCode, message: string, fields: ErrorFields = {}, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'CodedError';
    this.code = code;
    this.fields = fields;
  }
}

/** True when `error` is a {@link CodedError}, of `code` if one is given. */
export function isCoded(error: unknown, code?: ErrorCode): error is CodedError {
  return error instanceof CodedError && (code === undefined || error.code === code);
}

/**
 * Linux error numbers without a name in Node, as returned by quotas, network file systems
 * and damaged disks.
 * @see errno(3)
 */
const UNNAMED: Readonly<Record<number, string>> = {
  37: 'ENOLCK',
  62: 'ETIME',
  74: 'EBADMSG',
  116: 'ESTALE',
  117: 'EUCLEAN',
  122: 'EDQUOT',
  123: 'ENOMEDIUM',
  126: 'ENOKEY',
};

/**
 * Returns the system's error name (`ENOENT`, `ECONNREFUSED`...) of an error or of one of
 * its causes, or `undefined`; `ERRNO_n` for a number without a name here.
 */
export function systemCode(error: unknown): string | undefined {
  for (
    let current = error, depth = 0;
    current instanceof Error && depth < 8;
    current = current.cause, depth += 1
  ) {
    const { code, errno } = current as { code?: unknown; errno?: unknown };
    if (
      typeof code === 'string' &&
      code.startsWith('Unknown system error') &&
      typeof errno === 'number'
    )
      return UNNAMED[Math.abs(errno)] ?? `ERRNO_${Math.abs(errno)}`;
    if (typeof code === 'string' && /^[A-Z][A-Z0-9_]+$/.test(code) && !isCoded(current))
      return code;
  }
  return undefined;
}

/** Returns the text for a log line from any thrown value. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
