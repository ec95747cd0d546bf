// The local signer: a `.top` of a local provider is a request, answered at once with a
// token that is signed here.
import { basisOf } from '../common/outcomes.ts';
import { CodedError, ERROR_CODES, isCoded } from '@credmon/core/base';
import {
  tokenId,
  type Parsed,
  type TokenSnapshot,
  type TokenTimes,
} from '@credmon/core/credential';
import { parseExpression } from '@credmon/core/classad';
import type { TokenWrite } from '@credmon/core/store';
import { issueToken } from '@credmon/scitokens';
import { parseRequirement } from '../../authz/group-requirement.ts';
import { scopesFor, type ScopeRules, parseTemplate, type Template } from '../../authz/scopes.ts';
import { localGroups, type LocalGroups } from './groups.ts';
import { localKeys, type LocalKeys } from './keys.ts';
import type { LocalPorts } from './ports.ts';
import { issuerOfStem, type LocalIssuer, type LocalSettings } from '../../settings/local.ts';
import type { Outcome, Provider } from '../common/provider.ts';

/** What the provider needs to know. */
export interface LocalOptions {
  readonly settings: LocalSettings;
  readonly specialNames: boolean;
  readonly ports: LocalPorts;
}

/** Everything that signing one token takes, but for the token. */
interface Signer {
  readonly keys: LocalKeys;
  readonly groups: LocalGroups;
  readonly rules: ReadonlyMap<string, ScopeRules>;
  readonly ports: LocalPorts;
}

/**
 * The local provider. It never waits for anybody, so no token of it queues behind
 * another.
 */
export function localSigner({ settings, specialNames, ports }: LocalOptions): Provider {
  const issuers = new Map(settings.issuers.map((issuer) => [issuer.service, issuer]));
  const signer: Signer = {
    keys: localKeys(settings, ports),
    groups: localGroups(settings.userMaps, ports),
    rules: new Map(settings.issuers.map((issuer) => [issuer.service, rulesOf(issuer)])),
    ports,
  };
  const issuerOf = (token: TokenSnapshot): LocalIssuer | undefined =>
    issuerOfStem(issuers, token.stem, specialNames);
  return {
    name: 'local',
    isLocal: true,
    renewable,
    // A request again, other rules, other groups or another key: each is worth a new
    // attempt.
    basis: (token) => {
      const issuer = issuerOf(token);
      const { keys, groups } = signer;
      return basisOf(token, issuer && [issuer, keys.version(issuer), groups.version(issuer)]);
    },
    issuerOf: (token) => `local ${tokenId(token)}`,
    obtain: async (token, _files, { now }) => answer(token, issuerOf(token), signer, now),
  };
}

function renewable({ top }: TokenSnapshot): Parsed<true> {
  if (top.kind === 'valid') return { ok: true, value: true };
  return { ok: false, reason: top.kind === 'missing' ? '.top is missing' : `.top ${top.reason}` };
}

/**
 * How the scopes of an issuer are made. Settings were checked when they were read, so a
 * part that cannot be read is not there.
 */
export function rulesOf(issuer: LocalIssuer): ScopeRules {
  const template = (text: string, field: string): Template => {
    const parsed = parseTemplate(text, field);
    return parsed.ok ? parsed.value : [];
  };
  const { templateExpression: expression, groupTemplate, groupRequirement } = issuer;
  return {
    template: template(issuer.template, 'username'),
    expression: expression === undefined ? undefined : parseExpression(expression),
    append: issuer.appendExpression,
    groupTemplate: groupTemplate === undefined ? undefined : template(groupTemplate, 'groupname'),
    requirement: groupRequirement === undefined ? undefined : parseRequirement(groupRequirement),
  };
}

function answer(
  token: TokenSnapshot,
  issuer: LocalIssuer | undefined,
  signer: Signer,
  now: number,
): Outcome {
  if (!issuer) {
    const text = `${token.stem} belongs to no local provider`;
    return { kind: 'failed', error: new CodedError('TOKEN_KEY_UNREADY', text) };
  }
  const issuedAt = Math.floor(now);
  const times = { issuedAt, expiresAt: issuedAt + issuer.lifetime };
  try {
    const text = sign(token.user, issuer, signer, now);
    return { kind: 'issued', writes: [useOf(issuer, text, times)], times, rotated: false };
  } catch (error) {
    return refusal(token, issuer, error, times);
  }
}

function sign(user: string, issuer: LocalIssuer, signer: Signer, now: number): string {
  const key = signer.keys.keyOf(issuer);
  const rules = signer.rules.get(issuer.service) ?? rulesOf(issuer);
  const groups = signer.groups.groupsOf(user, issuer);
  const scope = scopesFor(rules, { username: user, groups, now, userMap: signer.groups.userMap });
  const { audience, profile, lifetime } = issuer;
  return issueToken(
    key,
    {
      profile,
      issuer: issuer.issuer,
      subject: user,
      scope,
      lifetime,
      ...(audience.length > 0 ? { audience } : {}),
    },
    { now, random: signer.ports.random },
  );
}

/** Can be signed again at any time, so it needs no fsync. */
export function useOf(
  { useJson, lifetime }: Pick<LocalIssuer, 'useJson' | 'lifetime'>,
  token: string,
  { issuedAt, expiresAt }: TokenTimes,
): TokenWrite {
  const contents = {
    access_token: token,
    expires_in: lifetime,
    issued_at: issuedAt,
    expires_at: expiresAt,
  };
  return {
    kind: 'use',
    text: useJson ? `${JSON.stringify(contents)}\n` : `${token}\n`,
    durable: false,
  };
}

/**
 * A verdict on the user or the rules is final until one of them changes, and leaves an
 * empty token: CredD waits for `.use` without end, and condor_submit with it. A key may
 * be fixed any moment, and a job with a token is worth that wait.
 */
function refusal(
  token: TokenSnapshot,
  issuer: LocalIssuer,
  error: unknown,
  times: TokenTimes,
): Outcome {
  if (!isCoded(error)) {
    const text = `${tokenId(token)}: unexpected ${error instanceof Error ? error.name : typeof error}`;
    return { kind: 'failed', error: new CodedError('TOKEN_KEY_UNREADY', text) };
  }
  if (ERROR_CODES[error.code].outcome === 'failed') return { kind: 'failed', error };
  return { kind: 'denied', error, writes: [useOf(issuer, '', times)] };
}
