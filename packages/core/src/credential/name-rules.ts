// Provider names with `_`: what HTCondor's rule for file names makes of them, and which
// tokens must not be sent anywhere.

/** A configured provider, and the knob that names it. */
interface Provider {
  readonly name: string;
  readonly knob: string;
}

/**
 * A configured provider whose name contains `_`. `base` is the configured provider that
 * HTCondor's rule takes its tokens for: then it is refused. `text` says what is wrong and
 * what to do.
 */
export interface NameProblem extends Provider {
  readonly base: string | undefined;
  readonly text: string;
}

/**
 * How names are read. `specialNames` is CREDMON_ALLOW_SPECIAL_CHAR_NAMES; `configured`
 * are all configured providers, in upper case.
 */
export interface NameRules {
  readonly problems: readonly NameProblem[];
  readonly specialNames: boolean;
  readonly configured: ReadonlySet<string>;
}

/**
 * Judges the names of all configured providers. Without `specialNames`, a token's file
 * name is read as service and handle, cut at the first `_`: tokens of `keycloak_extra`
 * are those of `keycloak`. Names compare without case, as knobs do.
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
 * Why a token must be left alone, neither logged in nor renewed: its name is that of a
 * refused provider (with or without a handle), so its secrets could reach another
 * provider's issuer. `undefined` when there is no such reason.
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
 * Why there is no login for this provider of a key file: the part of its name before the
 * first `_` is a configured provider, whose token with a handle would have the same name.
 * `undefined` otherwise.
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

/** Why a login for a token with a handle is refused where names have no handles. */
export function noHandles(provider: string, handle: string): string {
  return `${provider} with the handle "${handle}" is refused: tokens have no handles, because CREDMON_ALLOW_SPECIAL_CHAR_NAMES is true; leave the handle out`;
}

/** The part before the first `_`. */
function baseOf(name: string): string {
  return name.slice(0, name.indexOf('_'));
}

function problemText(
  name: string,
  base: string | undefined,
  known: ReadonlyMap<string, string>,
): string {
  const remedy = `call it ${freeName(name, known)}, or set CREDMON_ALLOW_SPECIAL_CHAR_NAMES = true (then there are no handles)`;
  const handle = name.slice(name.indexOf('_') + 1);
  if (base !== undefined)
    return `${name} is the handle "${handle}" of the provider "${base}", which is configured too, so there is no login and no renewal of ${name}: ${remedy}`;
  if (name.startsWith('_') || name.endsWith('_'))
    return `${name} begins or ends with "_", so its tokens belong to no provider: ${remedy}`;
  return `${name} is the handle "${handle}" of a provider "${baseOf(name)}": ${remedy}`;
}

/** The name without `_`, or with a number where that is another provider's. */
function freeName(name: string, known: ReadonlyMap<string, string>): string {
  const plain = name.replaceAll('_', '');
  const taken = (one: string): boolean => one === '' || known.has(one.toUpperCase());
  if (!taken(plain)) return plain;
  for (let n = 2; ; n += 1) if (!taken(`${plain}${n}`)) return `${plain}${n}`;
}
