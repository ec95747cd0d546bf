// Checks providers with logins: what the daemon does with the tokens, and what the web
// portal would use.
import {
  createKnobReader,
  doubleNames,
  knob,
  loginNamesIn,
  type Config,
} from '@credmon/core/config';
import {
  isCoded,
  messageOf,
  secureEndpoint,
  ok,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import { policyOf, profileFindings, type IssuerPolicy } from '@credmon/core/profiles';
import { ownerOfToken } from '../daemon/provider-lookup.ts';
import type { ConfiguredClient } from '../settings/clients.ts';
import type { ProviderLookup } from '../settings/lists.ts';
import type { Settings } from '../settings/read.ts';
import { confidentialClient } from '../storer/device-login.ts';
import {
  checkClientId,
  checkIssuer,
  checkOrigin,
  checkSecret,
  metadataFindings,
} from './issuer.ts';
import type { CheckContext, Check } from './context.ts';

/**
 * Returns the names of all providers with logins, as users see them: lists first, then
 * knobs.
 */
export function loginNames(config: Config, { lists }: Pick<Settings, 'lists'>): string[] {
  const others = [
    ...lists.local,
    ...lists.client,
    ...lists.exchange,
    ...lists.pelican,
    ...lists.exec,
  ];
  const listed = lists.oauth2 === '*' ? [] : lists.oauth2;
  const names = new Map<string, string>();
  for (const name of [...listed, ...deviceNames(config), ...loginNamesIn(config)])
    if (!names.has(name.toUpperCase()) && !others.includes(name))
      names.set(name.toUpperCase(), name);
  return [...names.values()];
}

function deviceNames(config: Config): readonly string[] {
  return createKnobReader(config).list('CREDMON_DEVICE_PROVIDER_NAMES') ?? [];
}

/** Returns one check for each provider with logins. */
export function loginChecks(context: CheckContext): Check[] {
  const devices = deviceNames(context.config);
  const checks = loginNames(context.config, context.settings).map((name) => {
    const device = devices.includes(name);
    const what = `${name} (${device ? 'device login' : 'login'})`;
    const standing = hasStanding(name, context.settings);
    return { what, run: () => checkLogin(what, name, { device, standing }, context) };
  });
  return [...checks, ...doubleChecks(context)];
}

/** Reports names that another list owns, although they have a client for logins. */
function doubleChecks({ config, settings: { lists } }: CheckContext): Check[] {
  return doubleNames(config, lists).map(({ name, text }) => {
    const what = `${name} (login)`;
    return { what, run: () => [wrong(what, text)] };
  });
}

/** True if a standing token is renewed from a login at this provider. */
function hasStanding(name: string, { standing }: Settings): boolean {
  return standing.some(
    (token) => token.kind === 'login' && token.provider.toUpperCase() === name.toUpperCase(),
  );
}

/** Who logs in at a provider by device code: users, and the administrator. */
interface DeviceUses {
  readonly device: boolean;
  readonly standing: boolean;
}

async function checkLogin(
  what: string,
  name: string,
  { device, standing }: DeviceUses,
  context: CheckContext,
): Promise<Finding[]> {
  const { config, settings } = context;
  const client = settings.clients.get(name.toUpperCase());
  if (!client) {
    const { endpoints, issuer } = policyOf(settings.policies, name);
    const hasServer =
      (config.get(`${name}_TOKEN_URL`) ?? endpoints.tokenUrl ?? issuer) !== undefined;
    const noServer = `, and neither ${name}_TOKEN_URL nor CREDMON_${name}_ISSUER is`;
    if (config.get(`${name}_CLIENT_ID`) === undefined)
      return [
        warning(
          what,
          `${name}_CLIENT_ID is not set${hasServer ? '' : noServer}: ` +
            'its tokens are renewed only if they have a .meta',
        ),
      ];
    return [
      wrong(
        what,
        `users cannot sign in, and tokens are renewed only if they have a .meta: neither ` +
          `${name}_TOKEN_URL nor CREDMON_${name}_ISSUER is set; fix: set CREDMON_${name}_ISSUER to ` +
          "the issuer's identifier",
      ),
    ];
  }
  const { clientId, tokenUrl, policy } = client;
  const { issuer, authentication = 'post' } = policy;
  const server = tokenUrl ?? policy.endpoints.tokenUrl;
  const problem = settings.names.problems.find(
    (one) => one.name.toUpperCase() === name.toUpperCase(),
  );
  if (problem?.base !== undefined)
    return [warning(what, 'not used because of its name: see the warning about the configuration')];
  const owner = ownerOfToken({ stem: name, meta: { kind: 'missing' } }, settings);
  const isForStanding = standing && owner.kind === 'nobody';
  const asked = await (issuer === undefined
    ? checkOrigin(what, server ?? '', context)
    : checkIssuer(what, issuer, server, context, policy));
  return [
    ...(problem
      ? []
      : [
          ok(
            what,
            isForStanding
              ? `refreshes standing tokens only, as client ${clientId} (${authentication}): jobs cannot use it`
              : `refreshes the tokens of users who logged in, as client ${clientId} (${authentication})`,
          ),
        ]),
    ...checkClientId(what, clientId),
    ...(problem || isForStanding ? [] : ownerFindings(what, name, owner)),
    ...(device ? deviceClient(what, name, client) : []),
    ...proofFindings(what, client, context),
    ...(device ? [] : portal(what, name, { policy, standing }, context)),
    asked,
    ...profileFindings(what, name, policy, [
      issuer,
      server,
      config.get(`${name}_AUTHORIZATION_URL`),
    ]),
    ...(await offers(what, name, policy, context)),
    ...((device || standing) && asked.state !== 'error'
      ? await deviceEndpoint(what, name, device ? SUBMIT : LOGIN, client, context)
      : []),
  ];
}

/** The secret or the private key with which the client proves itself. */
function proofFindings(
  what: string,
  { policy, secretFile }: ConfiguredClient,
  { settings }: CheckContext,
): Finding[] {
  const { authentication, clientKey } = policy;
  if (authentication === 'none') return [ok(what, 'sends no secret (CLIENT_AUTH = none)')];
  return authentication === 'private_key_jwt' && clientKey
    ? [checkSecret(what, clientKey.path, settings, 'whole')]
    : [checkSecret(what, secretFile, settings)];
}

/** What the metadata of the issuer offers; problems with it are reported elsewhere. */
async function offers(
  what: string,
  name: string,
  policy: IssuerPolicy,
  { metadata, send, now }: CheckContext,
): Promise<Finding[]> {
  if (policy.issuer === undefined) return [];
  try {
    const found = await metadata.find(send, policy.issuer, now.wall, policy);
    return metadataFindings(what, name, policy, found);
  } catch (error) {
    if (!isCoded(error)) throw error;
    return [];
  }
}

/**
 * Reports a client that is not used: its name belongs to another kind of provider, or is
 * missing in OAuth's list.
 */
function ownerFindings(what: string, name: string, owner: ProviderLookup): Finding[] {
  if (owner.kind === 'oauth2') return [];
  const why =
    owner.kind === 'nobody'
      ? `${name} is not listed in OAUTH2_CREDMON_PROVIDER_NAMES`
      : `${name} is listed in ${owner.kind.toUpperCase()}_CREDMON_PROVIDER_NAMES`;
  return [wrong(what, `its tokens are not refreshed: ${why}`)];
}

/** The programs that start a device login. */
const SUBMIT = 'condor_submit';
const LOGIN = 'condor_credmon standing login';

/**
 * Checks what CredD will write into the key file of a login. A provider of standing
 * tokens needs no browser logins.
 */
function portal(
  what: string,
  name: string,
  { policy, standing }: { readonly policy: IssuerPolicy; readonly standing: boolean },
  { config, settings }: CheckContext,
): Finding[] {
  const read = createKnobReader(config);
  const ownUrl = read.string(knob('<PROVIDER>_AUTHORIZATION_URL', name));
  const url = ownUrl ?? policy.endpoints.authorizationUrl ?? policy.issuer;
  const suffix = read.string(knob('<PROVIDER>_RETURN_URL_SUFFIX', name));
  if (standing && ownUrl === undefined && suffix === undefined) return [];
  const missing = url === undefined ? 'AUTHORIZATION_URL' : 'RETURN_URL_SUFFIX';
  if (url === undefined || suffix === undefined)
    return [warning(what, `browser logins do not work: ${name}_${missing} is not set`)];
  const prefix = read.string('CREDMON_WEB_PREFIX');
  try {
    secureEndpoint(url, `${name}_AUTHORIZATION_URL`, settings.allowLoopbackHttp);
    secureEndpoint(prefix, 'CREDMON_WEB_PREFIX', settings.allowLoopbackHttp);
  } catch (error) {
    return [wrong(what, `logins do not work: ${messageOf(error)}`)];
  }
  if (prefix.endsWith('/'))
    return [
      wrong(what, 'logins do not work: CREDMON_WEB_PREFIX ends with a slash; CredD appends one'),
    ];
  if (!/^\/return(?:\/|$)/.test(suffix))
    return [wrong(what, `logins do not work: ${name}_RETURN_URL_SUFFIX must begin with /return`)];
  return [ok(what, `users log in at ${url.split('?')[0] ?? ''} and return to ${prefix}${suffix}`)];
}

/** A device login needs a public client. */
function deviceClient(what: string, name: string, client: ConfiguredClient): Finding[] {
  const why = confidentialClient(name, client);
  return why === undefined ? [] : [wrong(what, `logins do not work: ${why}`)];
}

/** Checks the device endpoint: a knob, or from the issuer's metadata. */
async function deviceEndpoint(
  what: string,
  name: string,
  program: string,
  { policy }: ConfiguredClient,
  { metadata, send, now }: CheckContext,
): Promise<Finding[]> {
  const knob = `CREDMON_${name}_DEVICE_URL`;
  const { issuer, endpoints } = policy;
  if (endpoints.deviceUrl !== undefined)
    return [ok(what, `${program} starts a login at ${endpoints.deviceUrl}`)];
  if (issuer === undefined)
    return [
      wrong(
        what,
        `logins do not work: set ${knob}, or CREDMON_${name}_ISSUER with metadata that has it`,
      ),
    ];
  try {
    const { deviceUrl } = await metadata.find(send, issuer, now.wall, policy);
    return [
      deviceUrl === undefined
        ? wrong(
            what,
            `logins do not work: the metadata of ${issuer} has no device endpoint; set ${knob}`,
          )
        : ok(what, `${program} starts a login at ${deviceUrl}`),
    ];
  } catch {
    // Problems with the metadata are reported by the check of the issuer.
    return [];
  }
}
