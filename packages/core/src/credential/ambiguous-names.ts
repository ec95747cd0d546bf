// Provider names with `_`: HTCondor's rule for file names makes them ambiguous, and some
// tokens must not be sent to any issuer.

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
