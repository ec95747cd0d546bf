// The knobs of the local issuer, LOCAL_CREDMON_*: each for one provider first, then
// shared, then its default.
import { messageOf } from '@credmon/core/base';
import { parseExpression } from '@credmon/core/classad';
import { splitStem } from '@credmon/core/credential';
import type { Config, KnobReader } from '@credmon/core/config';
import type { Profile } from '@credmon/scitokens';
import { parseRequirement } from '../authz/group-requirement.ts';
import { parseTemplate } from '../authz/scopes.ts';
import { readUserMaps, type UserMapSettings } from '../authz/user-maps.ts';

/**
 * Where a provider's key is: a PEM file with its name and algorithm, or a key directory
 * with rotation.
 */
export type KeySource =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly keyId: string;
      readonly algorithm: string;
    }
  | { readonly kind: 'directory'; readonly path: string };

/**
 * One provider whose tokens are signed here. Texts are as configured; `lifetime` in
 * seconds.
 */
export interface LocalIssuer {
  readonly service: string;
  readonly issuer: string;
  readonly key: KeySource;
  readonly template: string;
  readonly templateExpression: string | undefined;
  readonly appendExpression: boolean;
  readonly groupTemplate: string | undefined;
  readonly groupMapFile: string | undefined;
  readonly groupRequirement: string | undefined;
  readonly lifetime: number;
  readonly useJson: boolean;
  readonly audience: readonly string[];
  readonly profile: Profile;
}

/**
 * Everything about local issuers. `keyPair` are the files made at first start; `explicit`
 * is true when a list names a local provider; `served` is the issuer that the web portal
 * stands for.
 */
export interface LocalSettings {
  readonly issuers: readonly LocalIssuer[];
  readonly userMaps: readonly UserMapSettings[];
  readonly keyPair: { readonly privateKey: string; readonly publicKey: string };
  readonly explicit: boolean;
  readonly served: string;
}

const PRIVATE_KEY = '/etc/condor/scitokens-private.pem';
const PUBLIC_KEY = '/etc/condor/scitokens.pem';
const TEMPLATE = 'read:/user/{username} write:/user/{username}';

/**
 * Reads the settings of these services, those of a list in the configuration first.
 * Mistakes go to `read`.
 */
export function readLocalSettings(
  config: Config,
  read: KnobReader,
  services: readonly string[],
): LocalSettings {
  const explicit =
    read.list('LOCAL_CREDMON_PROVIDER_NAMES') !== undefined ||
    read.list('LOCAL_CREDMON_PROVIDER_NAME') !== undefined;
  const issuers = [...new Set(services)].map((service) => readIssuer(config, read, service));
  for (const { service, profile, audience } of explicit ? issuers : [])
    if (profile !== 'scitoken:1.0' && audience.length === 0)
      read.warning(
        'LOCAL_CREDMON_TOKEN_AUDIENCE',
        `is empty for ${service}, and a ${profile} token must have an audience: no usable token will be signed`,
      );
  return {
    issuers,
    userMaps: readUserMaps(read, config.subsystem),
    keyPair: {
      privateKey: read.path('LOCAL_CREDMON_PRIVATE_KEY') ?? PRIVATE_KEY,
      publicKey: read.path('LOCAL_CREDMON_PUBLIC_KEY') ?? PUBLIC_KEY,
    },
    explicit,
    served: sharedIssuer(config, read),
  };
}

/** The issuer of tokens of providers that have none of their own. */
function sharedIssuer(config: Config, read: KnobReader): string {
  return read.string('LOCAL_CREDMON_ISSUER') ?? config.expand('https://$(FULL_HOSTNAME)');
}

/** The issuer of one service, from its own knobs or the shared ones. */
export function readIssuer(config: Config, read: KnobReader, service: string): LocalIssuer {
  const own = (shared: string): string => {
    const name = shared.replace('_CREDMON_', () => `_CREDMON_${service}_`);
    return config.origin(name) === undefined ? shared : name;
  };
  const template = own('LOCAL_CREDMON_AUTHZ_TEMPLATE');
  const groupTemplate = own('LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE');
  const expression = own('LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR');
  const requirement = own('LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT');
  const issuer: LocalIssuer = {
    service,
    issuer: read.string(own('LOCAL_CREDMON_ISSUER')) ?? sharedIssuer(config, read),
    key: readKeySource(read, own, service),
    template: read.string(template) ?? TEMPLATE,
    templateExpression: read.string(expression),
    appendExpression: read.boolean('CREDMON_LOCAL_APPEND_TEMPLATE_EXPR', false),
    groupTemplate: read.string(groupTemplate),
    groupMapFile: read.path(own('LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE')),
    groupRequirement: read.string(requirement),
    lifetime: Math.floor(read.seconds(own('LOCAL_CREDMON_TOKEN_LIFETIME'), 1200, 10, 31_536_000)),
    useJson: read.boolean(own('LOCAL_CREDMON_TOKEN_USE_JSON'), true),
    audience: (read.string(own('LOCAL_CREDMON_TOKEN_AUDIENCE')) ?? '')
      .split(/[\s,]+/)
      .filter(Boolean),
    profile: readProfile(config, read, own('LOCAL_CREDMON_TOKEN_VERSION')),
  };
  const tried = (knob: string, work: () => string | undefined): void => {
    const problem = reasonOf(work);
    if (problem !== undefined) read.mistake(knob, problem);
  };
  tried(template, () => problemOf(parseTemplate(issuer.template, 'username')));
  tried(groupTemplate, () => problemOf(parseTemplate(issuer.groupTemplate ?? '', 'groupname')));
  tried(expression, () => (parseExpression(issuer.templateExpression ?? 'true'), undefined));
  tried(requirement, () => (parseRequirement(issuer.groupRequirement ?? 'true'), undefined));
  return issuer;
}

function problemOf(
  parsed: { readonly ok: true } | { readonly ok: false; readonly reason: string },
): string | undefined {
  return parsed.ok ? undefined : parsed.reason;
}

function reasonOf(work: () => string | undefined): string | undefined {
  try {
    return work();
  } catch (error) {
    return `is not an expression: ${messageOf(error)}`;
  }
}

function readKeySource(
  read: KnobReader,
  own: (shared: string) => string,
  service: string,
): KeySource {
  const directory =
    read.path(`CREDMON_${service}_KEY_DIRECTORY`) ?? read.path('CREDMON_LOCAL_KEY_DIRECTORY');
  if (directory !== undefined) return { kind: 'directory', path: directory };
  const knob = own('LOCAL_CREDMON_PRIVATE_KEY_ALGORITHM');
  const algorithm = (read.string(knob) ?? 'ES256').toUpperCase();
  if (algorithm !== 'ES256' && algorithm !== 'RS256')
    read.mistake(knob, `is ${JSON.stringify(algorithm)}; it must be ES256 or RS256`);
  return {
    kind: 'file',
    path: read.path(own('LOCAL_CREDMON_PRIVATE_KEY')) ?? PRIVATE_KEY,
    keyId: read.string(own('LOCAL_CREDMON_KEY_ID')) ?? 'local',
    algorithm,
  };
}

const PROFILES: Readonly<Record<string, Profile>> = {
  '': 'scitoken:1.0',
  none: 'scitoken:1.0',
  'scitoken:2.0': 'scitoken:2.0',
  'scitokens:2.0': 'scitoken:2.0',
  wlcg: 'wlcg:1.0',
  'wlcg:1.0': 'wlcg:1.0',
};

/** A knob that is set to nothing asks for a token without version. */
function readProfile(config: Config, read: KnobReader, knob: string): Profile {
  const version = (read.string(knob) ?? config.raw(knob) ?? 'scitoken:2.0').trim();
  const profile = PROFILES[version.toLowerCase()];
  if (profile) return profile;
  read.mistake(knob, `is ${JSON.stringify(version)}; it must be scitoken:2.0, wlcg or none`);
  return 'scitoken:2.0';
}

/** The issuer that owns a stem; a handle makes no difference. */
export function issuerOfStem(
  issuers: ReadonlyMap<string, LocalIssuer>,
  stem: string,
  specialNames: boolean,
): LocalIssuer | undefined {
  return issuers.get(splitStem(stem, specialNames)?.service ?? stem);
}
