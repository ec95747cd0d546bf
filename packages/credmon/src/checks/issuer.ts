// Checks shared by several kinds of provider: a secret file, the trusted certificate
// authorities, an issuer's metadata, and the clocks of the servers.
import { readSecretFile } from '../host/secret-file.ts';
import type { Settings } from '../settings/read.ts';
import { type CheckContext, isHidden, unseen } from './context.ts';
import {
  type Finding,
  isCoded,
  messageWithFix,
  ok,
  originOf,
  shellWord,
  trustText,
  warning,
  wrong,
} from '@credmon/core/base';
import { type SecretMistake, secretMistake } from '@credmon/core/config';
import type { IssuerMetadata, IssuerRules } from '@credmon/core/oauth';
import type { IssuerPolicy } from '@credmon/core/profiles';

/** Warns about the client id of a copied example. */
export function checkClientId(what: string, clientId: string): Finding[] {
  if (!/^change-?me$/i.test(clientId)) return [];
  return [
    warning(
      what,
      `its CLIENT_ID is the placeholder ${clientId} of the example: set the client id that the issuer gave`,
    ),
  ];
}

/** Checks whether the secret can be read as the daemon would. The secret is not shown. */
export function checkSecret(
  what: string,
  secretFile: string | undefined,
  settings: Pick<Settings, 'credDir'>,
  form?: 'line' | 'whole',
): Finding {
  if (secretFile === undefined) return ok(what, 'has no secret: a public client');
  if (isHidden(secretFile, settings)) return unseen(what, secretFile);
  const secret = readSecretFile(secretFile, form);
  if (!secret.ok)
    return wrong(
      what,
      `its secret file ${secretFile} ${secret.reason}${fix(secretFile, secret.reason)}`,
    );
  const text = form === 'whole' ? undefined : readSecretFile(secretFile, 'whole');
  const mistake = text?.ok ? secretMistake(text.value) : undefined;
  return mistake
    ? { what, state: mistake.state, text: mistakeText(secretFile, mistake) }
    : ok(what, `its secret in ${secretFile} can be read`);
}

function mistakeText(path: string, { text, fix }: SecretMistake): string {
  return `its secret file ${path} ${text}; fix: ${fix}`;
}

/** The fix for a missing secret must not take the secret as an argument. */
function fix(path: string, reason: string): string {
  if (reason !== 'is missing' && reason !== 'is empty') return '';
  return `: paste the secret, then Ctrl-D; fix: install -D -m 600 /dev/stdin ${shellWord(path)}`;
}

/**
 * Checks the issuer's identifier and its token endpoint. Without a configured endpoint
 * its metadata is required.
 */
export async function checkIssuer(
  what: string,
  issuer: string,
  tokenUrl: string | undefined,
  { metadata, send, now }: CheckContext,
  rules?: IssuerRules,
): Promise<Finding> {
  try {
    const found = await metadata.find(send, issuer, now.wall, rules);
    if (tokenUrl === undefined || tokenUrl === found.tokenUrl)
      return ok(what, `${issuer} is reachable, and its metadata matches`);
    return warning(
      what,
      `token endpoint mismatch: the metadata of ${issuer} differs from the one configured at ${originOf(tokenUrl)}`,
    );
  } catch (error) {
    // With a configured token URL the metadata is not needed.
    const unneeded =
      tokenUrl !== undefined &&
      (isCoded(error, 'ISSUER_METADATA_INVALID') || isCoded(error, 'ENDPOINT_REFUSED'));
    return unneeded ? warning(what, messageWithFix(error)) : wrong(what, messageWithFix(error));
  }
}

/** Checks whether the server of the token endpoint is reachable. */
export async function checkOrigin(
  what: string,
  url: string,
  { send }: CheckContext,
): Promise<Finding> {
  try {
    await send({ method: 'GET', url: originOf(url) });
    return ok(what, `${originOf(url)} is reachable`);
  } catch (error) {
    return wrong(what, messageWithFix(error));
  }
}

const WHAT = 'certificates';

/**
 * Lists the trusted authorities and the skipped files. An issuer with an unknown
 * authority is reported by its own check.
 */
export function checkTrust({ trust }: CheckContext): Finding[] {
  const state = trust.general.current();
  return [ok(WHAT, trustText(state)), ...state.problems.map((text) => warning(WHAT, text))];
}

/** A feature: what it is called where it is offered, and the effect where it is not. */
interface Feature {
  readonly offered: string;
  readonly lacking: string;
  readonly has: (metadata: IssuerMetadata) => boolean;
}

const FEATURES: readonly Feature[] = [
  {
    offered: 'refresh tokens',
    lacking: 'refresh tokens (not listed; tokens may not be renewable)',
    has: ({ grants }) => grants?.includes('refresh_token') === true,
  },
  {
    offered: 'PKCE with S256',
    lacking: 'PKCE with S256 (not listed)',
    has: ({ challengeMethods }) => challengeMethods?.includes('S256') === true,
  },
  {
    offered: 'a key set',
    lacking: 'a key set (ID tokens cannot be verified)',
    has: ({ jwksUrl }) => jwksUrl !== undefined,
  },
  {
    offered: 'iss in callbacks',
    lacking: 'iss in callbacks',
    has: ({ sendsIssuer }) => sendsIssuer,
  },
  {
    offered: 'device logins',
    lacking: 'device logins',
    has: ({ deviceUrl }) => deviceUrl !== undefined,
  },
  {
    offered: 'revocation',
    lacking: 'revocation (condor_credmon revoke only removes files)',
    has: ({ revocationUrl }) => revocationUrl !== undefined,
  },
];

/**
 * Returns what the metadata of a provider's issuer offers and lacks, and warnings about
 * settings that do not fit.
 */
export function metadataFindings(
  what: string,
  name: string,
  policy: IssuerPolicy,
  metadata: IssuerMetadata,
): Finding[] {
  const offered = FEATURES.filter(({ has }) => has(metadata)).map((one) => one.offered);
  const lacking = FEATURES.filter(({ has }) => !has(metadata)).map((one) => one.lacking);
  const text = [
    `its metadata offers ${offered.length === 0 ? 'nothing optional' : offered.join(', ')}`,
    ...(lacking.length === 0 ? [] : [`it does not offer ${lacking.join(', ')}`]),
  ].join('; ');
  return [
    ok(what, text),
    ...methodFindings(what, name, policy, metadata),
    ...offlineFindings(what, name, policy, metadata),
    ...metadata.elsewhere.map((one) => warning(what, one)),
  ];
}

/** The names of the methods in the metadata. */
const METHODS = {
  post: 'client_secret_post',
  basic: 'client_secret_basic',
  basic_plain: 'client_secret_basic',
  private_key_jwt: 'private_key_jwt',
  none: 'none',
} as const;

function methodFindings(
  what: string,
  name: string,
  { authentication }: IssuerPolicy,
  { authenticationMethods: methods }: IssuerMetadata,
): Finding[] {
  if (authentication === undefined || methods === undefined) return [];
  const method = METHODS[authentication];
  if (methods.includes(method)) return [];
  return [
    warning(
      what,
      `the issuer does not list ${method} (${methods.join(', ')}): check CREDMON_${name}_CLIENT_AUTH`,
    ),
  ];
}

/** Many issuers send a refresh token only for the scope offline_access. */
function offlineFindings(
  what: string,
  name: string,
  { scopes }: IssuerPolicy,
  { scopes: offered }: IssuerMetadata,
): Finding[] {
  if (offered?.includes('offline_access') !== true || scopes.extra.includes('offline_access'))
    return [];
  return [
    ok(
      what,
      'the issuer offers the scope offline_access; if users get no refresh token, add it to ' +
        `CREDMON_${name}_EXTRA_SCOPES`,
    ),
  ];
}

/**
 * Maximum difference of clocks in seconds, before issuers reject requests or tokens look
 * expired.
 */
const TOLERANCE = 30;

/**
 * The time in a server's answer (epoch seconds; NaN if missing) and when it arrived, by
 * our clock.
 */
export interface ClockReading {
  readonly origin: string;
  readonly theirs: number;
  readonly ours: number;
}

/**
 * Returns one finding for each server whose clock differs too much, or one if all agree;
 * none without a known server time.
 */
export function checkClocks(readings: readonly ClockReading[]): Finding[] {
  const known = readings.filter(({ theirs }) => !Number.isNaN(theirs));
  const worst = new Map<string, number>();
  for (const { origin, theirs, ours } of known) {
    const apart = Math.round(ours - theirs);
    if (Math.abs(apart) >= Math.abs(worst.get(origin) ?? 0)) worst.set(origin, apart);
  }
  const far = [...worst].filter(([, apart]) => Math.abs(apart) > TOLERANCE);
  if (far.length > 0)
    return far.map(([origin, apart]) =>
      warning(
        'clock',
        `the clock of this host is ${Math.abs(apart)} s ${apart > 0 ? 'ahead of' : 'behind'} ${origin}; ` +
          'fix: synchronize it, for example with chronyd',
      ),
    );
  return worst.size === 0 ? [] : [ok('clock', `agrees with ${[...worst.keys()].join(', ')}`)];
}
