// The first configuration for a login provider, from a few answers. Pure, and without a
// secret.
import { nearest } from '@credmon/core/base';
import { isPlainProviderName } from '@credmon/core/credential';
import { PROFILES, PROFILE_NAMES, type ProfileName, isProfileName } from '@credmon/core/profiles';

/** What `condor_credmon init` asks for. */
export interface Answers {
  readonly profile: ProfileName;
  /** The name that users write after use_oauth_services. */
  readonly provider: string;
  /** The exact issuer; `undefined` if the profile has it. */
  readonly issuer: string | undefined;
  readonly clientId: string;
  readonly secretFile: string;
  /** The address of the portal, without a slash at the end. */
  readonly prefix: string;
}

/** The name of an answer. */
export type AnswerName = keyof Answers;

/** The scopes of each profile that a sign-in needs, as its page in docs/providers says. */
const EXTRA_SCOPES: Readonly<Record<ProfileName, string>> = {
  google: 'openid email',
  microsoft: 'openid offline_access',
  github: '',
  globus: 'openid',
  cilogon: 'openid email',
  iam: 'openid offline_access',
  keycloak: 'openid offline_access',
  egi: 'openid offline_access',
  box: '',
  dropbox: '',
  orcid: 'openid',
  generic: 'openid',
};

/** True if issuers with this profile have no common name: each site has its own. */
export function needsIssuer(profile: ProfileName): boolean {
  const { issuer, authorizationUrl } = PROFILES[profile];
  return issuer === undefined && authorizationUrl === undefined;
}

/** Returns the redirect URI to register at the issuer. */
export function redirectUri({ prefix, provider }: Pick<Answers, 'prefix' | 'provider'>): string {
  return `${prefix}/return/${provider}`;
}

/**
 * The lines with which condor_master starts the daemons. `program` is the path of
 * condor_credmon; `directory`: the credential directory of an older configuration, whose
 * tokens stay.
 */
export function daemonLines(program: string, directory?: string): string[] {
  return [
    'use feature : OAUTH',
    ...(directory === undefined ? [] : [`SEC_CREDENTIAL_DIRECTORY_OAUTH = ${directory}`]),
    'DAEMON_LIST = $(DAEMON_LIST) CREDD',
    `CREDMON_OAUTH = ${program}`,
  ];
}

/** The lines that an Access Point needs once: {@link daemonLines} and the portal. */
export function baseLines(program: string, prefix: string, directory?: string): string[] {
  return [
    '# The credential directory, the log, and CREDMON_OAUTH in DAEMON_LIST.',
    ...daemonLines(program, directory),
    '# Where browsers find the web portal.',
    `CREDMON_WEB_PREFIX = ${prefix}`,
    '',
  ];
}

/** The lines of one provider, as its page in docs/providers has them. */
export function providerLines(answers: Answers): string[] {
  const { profile, provider, issuer, clientId, secretFile } = answers;
  const scopes = EXTRA_SCOPES[profile];
  return [
    `${provider}_CLIENT_ID = ${clientId}`,
    `${provider}_CLIENT_SECRET_FILE = ${secretFile}`,
    `${provider}_RETURN_URL_SUFFIX = /return/${provider}`,
    `CREDMON_${provider}_PROFILE = ${profile}`,
    ...(issuer === undefined ? [] : [`CREDMON_${provider}_ISSUER = ${issuer}`]),
    ...(scopes === '' ? [] : [`CREDMON_${provider}_EXTRA_SCOPES = ${scopes}`]),
  ];
}

/** Returns the text of the file. With `base`, it begins with {@link baseLines}. */
export function firstConfiguration(answers: Answers, base: readonly string[]): string {
  const { profile, provider } = answers;
  const lines = [
    '# Written by condor_credmon init.',
    '',
    ...base,
    `# ${PROFILES[profile].title}: the service ${provider}. Redirect URI to register there:`,
    `#   ${redirectUri(answers)}`,
    ...providerLines(answers),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * Returns why a text is not valid as an answer, the end of a sentence; `undefined` if it
 * is. A value must not change the meaning of another line.
 */
export function whyInvalid(name: AnswerName, text: string): string | undefined {
  if (text === '' || text !== text.trim())
    return 'must not be empty, nor begin or end with a blank';
  if (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u.test(text)) return 'must not contain control characters';
  if (text.endsWith('\\')) return 'must not end with a backslash';
  if (text.includes('$') && name !== 'prefix') return 'must not contain $';
  switch (name) {
    case 'profile': {
      if (isProfileName(text)) return undefined;
      const near = nearest(text, PROFILE_NAMES);
      const meant = near === undefined ? '' : `; did you mean ${near}?`;
      return `must be one of ${PROFILE_NAMES.join(', ')}${meant}`;
    }
    case 'provider':
      return isPlainProviderName(text) ? undefined : 'must consist of letters, digits and -';
    case 'issuer':
      return /^https?:\/\/[^\s/]/.test(text) ? undefined : 'must be a URL: https://...';
    case 'prefix':
      return /^https?:\/\/[^\s/].*[^/]$/.test(text)
        ? undefined
        : 'must be a URL without a slash at the end: https://ap.example.org';
    case 'secretFile':
      return text.startsWith('/') ? undefined : 'must be an absolute path';
    case 'clientId':
      return undefined;
  }
}
