// The names of users, services and handles in the credential directory, as CredD writes
// them. HTCondor's rule for file names makes provider names with `_` ambiguous: some tokens
// must not be sent to any issuer.

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

/** A configured provider, and the knob that names it. */
interface Provider {
  readonly name: string;
  readonly knob: string;
}

/**
 * A configured provider whose name contains `_`. `base` is the configured provider to
 * which HTCondor's rule assigns its tokens: then the provider is rejected. `text` names
 * the problem and the fix.
 */
export interface NameProblem extends Provider {
  readonly base: string | undefined;
  readonly text: string;
}

/**
 * The rules for names. `specialNames` is CREDMON_ALLOW_SPECIAL_CHAR_NAMES; `configured`
 * are all configured providers, in upper case.
 */
export interface NameRules {
  readonly problems: readonly NameProblem[];
  readonly specialNames: boolean;
  readonly configured: ReadonlySet<string>;
}

/**
 * Checks the names of all configured providers. Without `specialNames`, a token's file
 * name is split into service and handle at the first `_`: tokens of `keycloak_extra` are
 * read as those of `keycloak`. Names are compared without case, like knobs.
 * @see
 * https://htcondor.readthedocs.io/en/latest/admin-manual/configuration-macros.html#CREDMON_ALLOW_SPECIAL_CHAR_NAMES
 */
export function judgeProviderNames(names: {
  readonly providers: readonly Provider[];
  readonly specialNames: boolean;
}): NameRules {
  const { providers, specialNames } = names;
  const configured = new Set(providers.map(({ name }) => name.toUpperCase()));
  if (specialNames) return { problems: [], specialNames, configured };
  const known = new Map(providers.map(({ name }) => [name.toUpperCase(), name]));
  const problems = providers
    .filter(({ name }) => name.includes('_'))
    .map(({ name, knob }) => {
      const base = known.get(baseOf(name).toUpperCase());
      return { name, knob, base, text: problemText(name, base, known) };
    });
  return { problems, specialNames, configured };
}

/**
 * Returns why a token must not be used for a login or a renewal, or `undefined`: its name
 * is that of a rejected provider (with or without a handle), so its secrets could reach
 * another provider's issuer.
 */
export function refusedName(stem: string, { problems }: NameRules): string | undefined {
  const name = stem.toUpperCase();
  return problems.find(
    (one) =>
      one.base !== undefined &&
      (name === one.name.toUpperCase() || name.startsWith(`${one.name.toUpperCase()}_`)),
  )?.text;
}

/**
 * Returns why there is no login for this provider of a key file, or `undefined`: the part
 * of its name before the first `_` is a configured provider, and a token of that one with
 * a handle would have the same name.
 */
export function refusedProvider(
  provider: string,
  { specialNames, configured }: NameRules,
): string | undefined {
  if (specialNames || !provider.includes('_') || !configured.has(baseOf(provider).toUpperCase()))
    return undefined;
  const known = new Map([...configured].map((name) => [name, name]));
  return problemText(provider, baseOf(provider), known);
}

/** Returns why a login for a token with a handle is rejected if handles are off. */
export function noHandles(provider: string, handle: string): string {
  return (
    `${provider} with the handle "${handle}" rejected: CREDMON_ALLOW_SPECIAL_CHAR_NAMES ` +
    '= true turns handles off; remove the handle'
  );
}

function baseOf(name: string): string {
  return name.slice(0, name.indexOf('_'));
}

function problemText(
  name: string,
  base: string | undefined,
  known: ReadonlyMap<string, string>,
): string {
  const remedy =
    `fix: rename it to ${freeName(name, known)}, or set ` +
    'CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true (turns handles off)';
  const handle = name.slice(name.indexOf('_') + 1);
  if (base !== undefined)
    return (
      `${name} is ambiguous: it is also the handle "${handle}" of the provider ` +
      `"${base}"; no login and no renewal of ${name}; ${remedy}`
    );
  if (name.startsWith('_') || name.endsWith('_'))
    return `${name} begins or ends with "_", so no token belongs to it; ${remedy}`;
  return `${name} is read as the handle "${handle}" of a provider "${baseOf(name)}"; ${remedy}`;
}

/** Returns the name without `_`, with a number if that name is taken. */
function freeName(name: string, known: ReadonlyMap<string, string>): string {
  const plain = name.replaceAll('_', '');
  const taken = (one: string): boolean => one === '' || known.has(one.toUpperCase());
  if (!taken(plain)) return plain;
  for (let n = 2; ; n += 1) if (!taken(`${plain}${n}`)) return `${plain}${n}`;
}
