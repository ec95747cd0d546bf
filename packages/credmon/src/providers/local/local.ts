// The local signer: answers a `.top` of a local provider with a token that it signs
// itself.
import { basisOf } from '../common/outcomes.ts';
import { CodedError, ERROR_CODES, isCoded } from '@credmon/core/base';
import {
  isPresent,
  tokenId,
  type Parsed,
  type TokenSnapshot,
  type TokenTimes,
} from '@credmon/core/credential';
import { parseExpression } from '@credmon/core/classad';
import type { TokenWrite } from '@credmon/core/store';
import { issueToken } from '@credmon/scitokens';
import { parseRequirement } from '../../authz/requirement.ts';
import { scopesFor, type ScopeRules, parseTemplate, type Template } from '../../authz/scopes.ts';
import { localGroups, type LocalGroups } from './groups.ts';
import { localKeys, type LocalKeys, type LocalPorts } from './keys.ts';
import { issuerOfStem, type LocalIssuer, type LocalSettings } from '../../settings/local.ts';
import type { Outcome, Provider } from '../common/provider.ts';

/** The provider's options. */
export interface LocalOptions {
  readonly settings: LocalSettings;
  readonly specialNames: boolean;
  readonly ports: LocalPorts;
}

/** What signing needs, except the token. */
interface Signer {
  readonly keys: LocalKeys;
  readonly groups: LocalGroups;
  readonly rules: ReadonlyMap<string, ScopeRules>;
  readonly ports: LocalPorts;
}

/** The local provider. It asks no server, so its tokens need no issuer queue. */
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
    // A new request, or changed rules, groups or keys, cancel earlier failures.
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
  if (isPresent(top)) return { ok: true, value: true };
  return { ok: false, reason: top.kind === 'missing' ? '.top is missing' : `.top ${top.reason}` };
}

/**
 * Returns the scope rules of an issuer. Invalid parts were reported when the settings
 * were read and are left out.
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
    const text = `${token.stem} does not belong to a local provider`;
    return { kind: 'failed', error: new CodedError('TOKEN_KEY_UNREADY', text) };
  }
  const issuedAt = Math.floor(now);
  const times = { issuedAt, expiresAt: issuedAt + issuer.lifetime };
  try {
    const text = sign(token.user, issuer, signer, now);
    return { kind: 'issued', writes: [useOf(issuer, text, times)], times, rotated: false };
  } catch (error) {
    return rejectionOf(token, issuer, error, times);
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

/** Needs no fsync: it can be signed again at any time. */
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
 * A rejection of the user or the rules is final until one of them changes. It leaves an
 * empty token, because CredD and condor_submit would wait for `.use` forever. A broken
 * key may be fixed at any moment, so the job waits for it.
 */
function rejectionOf(
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
