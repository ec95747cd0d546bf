// The names of users, services and handles in the credential directory, as CredD writes
// them.

/**
 * The maximum length of a name in bytes: with an extension and a temporary suffix it
 * still fits a file name.
 */
const LONGEST_NAME = 200;

/** A token's service and handle; `handle` is empty if there is none. */
export interface ServiceAndHandle {
  readonly service: string;
  readonly handle: string;
}

/**
 * True for a name in CredD's alphabet (ASCII letters, digits, `-+=_.`) that is safe as a
 * file name: not empty, no leading dot, at most 200 bytes. CredD itself accepts `.` and
 * `..`; this function does not.
 */
export function isCredName(text: string): boolean {
  return /^[A-Za-z0-9+=_-][A-Za-z0-9+=_.-]*$/.test(text) && text.length <= LONGEST_NAME;
}

/** Returns the user name without its domain: everything before the first `@`. */
export function cutDomain(user: string): string {
  const at = user.indexOf('@');
  return at < 0 ? user : user.slice(0, at);
}

/** Returns the file stem of a service and handle: `mytok`, or `mytok_h1`. */
export function stemOf(service: string, handle: string): string {
  return handle === '' ? service : `${service}_${handle}`;
}

/**
 * Splits a stem at its first `_` into service and handle. With `specialNames` (knob
 * CREDMON_ALLOW_SPECIAL_CHAR_NAMES) the whole stem is the service. Returns `undefined`
 * for a stem that ends in `_`: it belongs to no service.
 */
export function splitStem(stem: string, specialNames: boolean): ServiceAndHandle | undefined {
  if (!isCredName(stem)) return undefined;
  if (specialNames) return { service: stem, handle: '' };
  if (stem.endsWith('_')) return undefined;
  const cut = stem.indexOf('_');
  if (cut === 0) return undefined;
  return cut < 0
    ? { service: stem, handle: '' }
    : { service: stem.slice(0, cut), handle: stem.slice(cut + 1) };
}

/**
 * True for a provider name that is allowed in a `*_CREDMON_PROVIDER_NAMES` list without
 * CREDMON_ALLOW_SPECIAL_CHAR_NAMES.
 */
export function isPlainProviderName(name: string): boolean {
  return /^[A-Za-z0-9-]+$/.test(name);
}
