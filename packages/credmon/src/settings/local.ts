// Reads the knobs of the local issuer, LOCAL_CREDMON_*: for a provider first, then
// shared, then the default.
import { messageOf } from '@credmon/core/base';
import { parseExpression } from '@credmon/core/classad';
import { splitStem } from '@credmon/core/credential';
import {
  ownIfSet,
  ownKnob,
  type Config,
  type KnobReader,
  type NamedKnob,
  type PlainKnobName,
  type SharedKnobName,
} from '@credmon/core/config';
import type { Profile } from '@credmon/scitokens';
import { parseRequirement, readUserMaps, type UserMapSettings } from '../authz/requirement.ts';
import { parseTemplate } from '../authz/scopes.ts';

/**
 * A provider's key: a PEM file with key id and algorithm, or a key directory with
 * rotation.
 */
export type KeySource =
  | {
      readonly kind: 'file';
      readonly path: string;
      readonly keyId: string;
      readonly algorithm: string;
    }
  | { readonly kind: 'directory'; readonly path: string };

/** One local provider. Texts are as configured; `lifetime` in seconds. */
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
 * The settings of local issuers. `keyPair`: the files created at the first start;
 * `explicit`: a list names a local provider; `served`: the issuer that the web portal
 * serves.
 */
export interface LocalSettings {
  readonly issuers: readonly LocalIssuer[];
  readonly userMaps: readonly UserMapSettings[];
  readonly keyPair: { readonly privateKey: string; readonly publicKey: string };
  readonly explicit: boolean;
  readonly served: string;
}

/** Reads the settings of these services. Mistakes are added to `read`. */
export function readLocalSettings(
  config: Config,
  read: KnobReader,
  services: readonly string[],
): LocalSettings {
  const explicit =
    read.isSet('LOCAL_CREDMON_PROVIDER_NAMES') || read.isSet('LOCAL_CREDMON_PROVIDER_NAME');
  const issuers = [...new Set(services)].map((service) => readIssuer(config, read, service));
  for (const { service, profile, audience } of explicit ? issuers : [])
    if (profile !== 'scitoken:1.0' && audience.length === 0)
      read.warning(
        'LOCAL_CREDMON_TOKEN_AUDIENCE',
        `is empty for ${service}, but a ${profile} token must have an audience: no usable token will be signed`,
      );
  return {
    issuers,
    userMaps: readUserMaps(read, config.subsystem),
    keyPair: {
      privateKey: read.path('LOCAL_CREDMON_PRIVATE_KEY'),
      publicKey: read.path('LOCAL_CREDMON_PUBLIC_KEY'),
    },
    explicit,
    served: read.string('LOCAL_CREDMON_ISSUER'),
  };
}

/** The knob for one provider: its own if set, otherwise the shared one. */
type OwnOf = <Name extends LocalKnobName>(shared: Name) => NamedKnob<Name>;
type LocalKnobName = Extract<PlainKnobName & SharedKnobName, `LOCAL_CREDMON_${string}`>;

/** Reads the issuer of one service, from its own knobs or the shared ones. */
export function readIssuer(config: Config, read: KnobReader, service: string): LocalIssuer {
  const own: OwnOf = (shared) => ownIfSet(config, shared, service);
  const template = own('LOCAL_CREDMON_AUTHZ_TEMPLATE');
  const groupTemplate = own('LOCAL_CREDMON_AUTHZ_GROUP_TEMPLATE');
  const expression = own('LOCAL_CREDMON_AUTHZ_TEMPLATE_EXPR');
  const requirement = own('LOCAL_CREDMON_AUTHZ_GROUP_REQUIREMENT');
  const issuer: LocalIssuer = {
    service,
    issuer:
      read.string(ownKnob('LOCAL_CREDMON_ISSUER', service)) ?? read.string('LOCAL_CREDMON_ISSUER'),
    key: readKeySource(read, own, service),
    template: read.string(template),
    templateExpression: read.string(expression),
    appendExpression: read.boolean('CREDMON_LOCAL_APPEND_TEMPLATE_EXPR'),
    groupTemplate: read.string(groupTemplate),
    groupMapFile: read.path(own('LOCAL_CREDMON_AUTHZ_GROUP_MAPFILE')),
    groupRequirement: read.string(requirement),
    lifetime: Math.floor(read.duration(own('LOCAL_CREDMON_TOKEN_LIFETIME'))),
    useJson: read.boolean(own('LOCAL_CREDMON_TOKEN_USE_JSON')),
    audience: (read.string(own('LOCAL_CREDMON_TOKEN_AUDIENCE')) ?? '')
      .split(/[\s,]+/)
      .filter(Boolean),
    profile: readProfile(config, read, own('LOCAL_CREDMON_TOKEN_VERSION')),
  };
  const checkKnob = ({ name }: NamedKnob, work: () => string | undefined): void => {
    const problem = reasonOf(work);
    if (problem !== undefined) read.mistake(name, problem);
  };
  checkKnob(template, () => problemOf(parseTemplate(issuer.template, 'username')));
  checkKnob(groupTemplate, () => problemOf(parseTemplate(issuer.groupTemplate ?? '', 'groupname')));
  if (issuer.templateExpression !== undefined) {
    const text = issuer.templateExpression;
    checkKnob(expression, () => (parseExpression(text), undefined));
  }
  if (issuer.groupRequirement !== undefined) {
    const text = issuer.groupRequirement;
    checkKnob(requirement, () => (parseRequirement(text), undefined));
  }
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

function readKeySource(read: KnobReader, own: OwnOf, service: string): KeySource {
  const directory =
    read.path(ownKnob('CREDMON_LOCAL_KEY_DIRECTORY', service)) ??
    read.path('CREDMON_LOCAL_KEY_DIRECTORY');
  if (directory !== undefined) return { kind: 'directory', path: directory };
  const knob = own('LOCAL_CREDMON_PRIVATE_KEY_ALGORITHM');
  const algorithm = read.string(knob).toUpperCase();
  if (algorithm !== 'ES256' && algorithm !== 'RS256')
    read.mistake(knob.name, `is ${JSON.stringify(algorithm)}; it must be ES256 or RS256`);
  return {
    kind: 'file',
    path: read.path(own('LOCAL_CREDMON_PRIVATE_KEY')),
    keyId: read.string(own('LOCAL_CREDMON_KEY_ID')),
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

/** An empty knob means a token without version. */
function readProfile(
  config: Config,
  read: KnobReader,
  knob: NamedKnob<'LOCAL_CREDMON_TOKEN_VERSION'>,
): Profile {
  const empty = read.isSet(knob) ? undefined : config.raw(knob.name);
  const version = (empty ?? read.string(knob)).trim();
  const profile = PROFILES[version.toLowerCase()];
  if (profile) return profile;
  read.mistake(knob.name, `is ${JSON.stringify(version)}; it must be scitoken:2.0, wlcg or none`);
  return 'scitoken:2.0';
}

/** Returns the issuer that owns a stem, with or without a handle. */
export function issuerOfStem(
  issuers: ReadonlyMap<string, LocalIssuer>,
  stem: string,
  specialNames: boolean,
): LocalIssuer | undefined {
  return issuers.get(splitStem(stem, specialNames)?.service ?? stem);
}
