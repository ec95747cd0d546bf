// Checks the knobs that CredD writes to key files, so that mistakes are found before the
// first sign-in.
import { loginProviderOf, type Config } from '@credmon/core/config';
import { secureEndpoint, messageOf, ok, warning, wrong, type Finding } from '@credmon/core/base';
import { returnUrlProblem } from '../settings/addresses.ts';
import { profileFindings, type IssuerPolicy } from '@credmon/core/profiles';
import { providerSettings, type Settings } from '../settings/settings.ts';

/** A provider of logins; `name` as in the knobs. */
export interface Provider {
  readonly name: string;
  readonly secretFile: string | undefined;
  readonly policy: IssuerPolicy;
}

/** Returns the providers with a knob `<name>_CLIENT_ID`. */
export function configuredProviders(config: Config, settings: Settings): readonly Provider[] {
  return config.names().flatMap((knob) => {
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
