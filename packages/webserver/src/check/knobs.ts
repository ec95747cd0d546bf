// Checks all knobs of the portal and of its providers for what people often get wrong, also
// if the configuration is invalid.
import { returnUrlProblem } from '../settings/addresses.ts';
import { type Settings, providerSettings } from '../settings/settings.ts';
import {
  type Finding,
  isCoded,
  messageOf,
  ok,
  secureEndpoint,
  warning,
  wrong,
} from '@credmon/core/base';
import {
  type Config,
  type ConfiguredNames,
  createKnobReader,
  doubleNames,
  loginNamesIn,
  loginProviderOf,
  quotedKnobs,
  setUnusedKnobs,
  unusedKnobs,
  withoutQuoted,
} from '@credmon/core/config';
import { type IssuerPolicy, profileFindings } from '@credmon/core/profiles';

const WHAT = 'configuration';

/**
 * Returns the errors of an invalid configuration and the findings about its knobs, without
 * errors that only follow from quotes.
 */
export function checkKnobs(config: Config, errors: readonly string[] = []): readonly Finding[] {
  const mistakes = errors.map((text) => wrong(WHAT, text));
  try {
    const quoted = quotedKnobs(config);
    return [
      ...withoutQuoted(mistakes, quoted),
      ...quoted.map(({ state, text }) => ({ what: WHAT, state, text })),
      ...unknownKnobs(config),
      ...doubleNames(config, namesIn(config)).map(({ name, text }) =>
        wrong(`provider ${name}`, text),
      ),
    ];
  } catch (error) {
    if (!isCoded(error, 'CONFIG_LIMIT')) throw error;
    return mistakes.length > 0 ? mistakes : [wrong(WHAT, messageOf(error))];
  }
}

/** Unknown knobs of the portal and of providers with logins; `check` reports the others. */
function unknownKnobs(config: Config): readonly Finding[] {
  const configured = namesIn(config);
  const begins = configured.logins.map((name) => `${name}_`.toLowerCase());
  const ours = setUnusedKnobs(config).filter(({ name }) => {
    const rest = name.toLowerCase().replace(/^credmon_/, '');
    return /^CREDMON_WEB_/i.test(name) || begins.some((begin) => rest.startsWith(begin));
  });
  return unusedKnobs(ours, configured);
}

function namesIn(config: Config): ConfiguredNames {
  const read = createKnobReader(config);
  return {
    local: read.list('LOCAL_CREDMON_PROVIDER_NAMES') ?? read.list('LOCAL_CREDMON_PROVIDER_NAME'),
    client: read.list('CLIENT_CREDMON_PROVIDER_NAMES') ?? [],
    exchange: read.list('EXCHANGE_CREDMON_PROVIDER_NAMES') ?? [],
    pelican: read.list('PELICAN_CREDMON_PROVIDER_NAMES') ?? [],
    exec: read.list('EXEC_CREDMON_PROVIDER_NAMES') ?? [],
    logins: [...new Set(loginNamesIn(config))],
    standing: [],
    maps: [],
    subsystem: config.subsystem,
  };
}

/** A provider of logins; `name` as in the knobs. */
export interface Provider {
  readonly name: string;
  readonly secretFile: string | undefined;
  readonly policy: IssuerPolicy;
}

/** Returns the providers with a knob `<name>_CLIENT_ID`. */
export function configuredProviders(config: Config, settings: Settings): readonly Provider[] {
  return config.setNames().flatMap((knob) => {
    const name = loginProviderOf(knob);
    if (name === undefined || config.get(knob) === undefined) return [];
    const secretFile = config.get(`${name}_CLIENT_SECRET_FILE`);
    return [{ name, secretFile, policy: providerSettings(settings, name).policy }];
  });
}

/** Checks the URLs of a provider; one `ok` if all are valid. */
export function checkAddresses(
  config: Config,
  settings: Settings,
  { name, policy, secretFile }: Provider,
): readonly Finding[] {
  const what = `provider ${name}`;
  const suffix = config.get(`${name}_RETURN_URL_SUFFIX`);
  const authorization = config.get(`${name}_AUTHORIZATION_URL`);
  const { endpoints, issuer } = policy;
  const isFound = issuer !== undefined;
  const token = config.get(`${name}_TOKEN_URL`);
  const named = [authorization ?? endpoints.authorizationUrl, token ?? endpoints.tokenUrl];
  if (named[0] === undefined && !isFound && suffix === undefined)
    return [
      warning(
        what,
        `${name}_AUTHORIZATION_URL is not set: users cannot sign in to this provider here`,
      ),
    ];
  if (suffix === undefined && authorization === undefined && secretFile === undefined)
    return [
      warning(
        what,
        `${name}_RETURN_URL_SUFFIX is not set: users cannot sign in to this provider here, only ` +
          'by device with condor_credential_storer',
      ),
    ];
  if (!isFound && named.every((url) => url === undefined))
    return [
      wrong(
        what,
        `users cannot sign in: CREDMON_${name}_ISSUER is not set, and neither ` +
          `${name}_AUTHORIZATION_URL and ${name}_TOKEN_URL nor the profile names the endpoints; ` +
          `fix: set CREDMON_${name}_ISSUER to the issuer's identifier`,
      ),
    ];
  const found = [
    addressProblem(
      config,
      settings,
      name,
      'AUTHORIZATION_URL',
      endpoints.authorizationUrl,
      isFound,
    ),
    addressProblem(config, settings, name, 'TOKEN_URL', endpoints.tokenUrl, isFound),
    suffix === undefined
      ? `${name}_RETURN_URL_SUFFIX is not set; fix: set it to /return/${name} and register ` +
        `${settings.prefix}/return/${name} at the provider`
      : suffixProblem(settings, `${name}_RETURN_URL_SUFFIX`, suffix),
  ].filter((text) => text !== undefined);
  if (found.length > 0) return found.map((text) => wrong(what, text));
  return [
    ...profileFindings(what, name, policy, [issuer, authorization, token]),
    ok(
      what,
      `the redirect URI is ${settings.prefix}${suffix}: register exactly this URI at the provider`,
    ),
  ];
}

function addressProblem(
  config: Config,
  { allowLoopbackHttp }: Settings,
  name: string,
  suffix: 'AUTHORIZATION_URL' | 'TOKEN_URL',
  ofProfile: string | undefined,
  isFound: boolean,
): string | undefined {
  const knob = `${name}_${suffix}`;
  const text = config.get(knob) ?? '';
  if (text === '')
    return ofProfile !== undefined || isFound
      ? undefined
      : `${knob} is not set, and neither CREDMON_${name}_ISSUER nor the profile names it`;
  try {
    secureEndpoint(text, knob, allowLoopbackHttp);
    return undefined;
  } catch (error) {
    return messageOf(error);
  }
}

function suffixProblem(settings: Settings, knob: string, suffix: string): string | undefined {
  const url = settings.prefix + suffix;
  const problem = URL.canParse(url) ? returnUrlProblem(settings, url) : 'is not a path';
  return problem === undefined
    ? undefined
    : `${knob} = ${suffix}: the return URL ${url} ${problem}`;
}
