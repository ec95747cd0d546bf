// The Vault provider: reads a fresh access token from Vault or OpenBao with the Vault
// token that the storer left in `.top`.
import { createHash } from 'node:crypto';
import { CodedError, isCoded, jwtClaims, originOf, type Send } from '@credmon/core/base';
import {
  promisedLifetime,
  scopeText,
  splitStem,
  tokenId,
  type Parsed,
  type TokenSnapshot,
} from '@credmon/core/credential';
import type { RenewalPolicy } from '@credmon/core/renewal';
import type { TokenFiles } from '@credmon/core/store';
import { checkScopes } from '../common/granted-scopes.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';
import { tokenInAnswer } from './response.ts';
import { parentStem, parseVaultTop, vaultRequest, type VaultTop } from './request.ts';
import type { VaultSettings } from '../../settings/vault.ts';

/**
 * What the provider needs. `send` is the Vault's own: its authorities and its time-outs
 * are not the issuers'. `topVersion` changes when a `.top` is stored again.
 */
export interface VaultOptions {
  readonly settings: VaultSettings;
  readonly send: Send;
  readonly topVersion: (user: string, stem: string) => string;
  /** Scopes that the issuer of a service, without case, may grant unasked. */
  readonly extraScopes: (service: string) => readonly string[];
  readonly specialNames: boolean;
  readonly policy: RenewalPolicy;
}

/**
 * The Vault provider: every token is read again after `refreshSeconds`, because the Vault
 * itself keeps it for `minimumSeconds`.
 */
export function vaultReader(options: VaultOptions): Provider {
  const { settings } = options;
  return {
    name: 'vault',
    policy: { ...options.policy, refreshEvery: settings.refreshSeconds },
    view: (token) => sinceFetched(token, options),
    renewable,
    basis: (token) => basisOf(token, options),
    issuerOf: ({ top }) => originOf((top.kind === 'valid' && top.value.vaultUrl) || ''),
    obtain: (token, files, context) => obtain(token, files, options, context),
  };
}

const no = (reason: string): Parsed<true> => ({ ok: false, reason });

function renewable({ top }: TokenSnapshot): Parsed<true> {
  if (top.kind === 'missing') return no('.top is missing: not renewed');
  if (top.kind === 'broken') return no(`.top ${top.reason}: the user must store it again`);
  if (top.value.vaultUrl === undefined)
    return no('.top has no "vault_url" text: the user must store it again');
  return { ok: true, value: true };
}

/**
 * The Vault may hand out a token that it made hours ago, and an opaque one says nothing:
 * the life that counts begins with the file. A token that had expired before it was
 * written tells of clocks that are too far apart.
 */
function sinceFetched(token: TokenSnapshot, { settings, policy }: VaultOptions): TokenSnapshot {
  const { use } = token;
  if (use.kind !== 'valid') return token;
  const { mtime } = use.identity;
  const { issuedAt, expiresAt } = use.value;
  const silent = issuedAt === mtime && expiresAt === mtime + policy.defaultLifetime;
  const left = silent ? settings.minimumSeconds : expiresAt - mtime;
  const lifetime = left > 0 ? left : expiresAt - issuedAt;
  return { ...token, use: { ...use, value: { issuedAt: mtime, expiresAt: mtime + lifetime } } };
}

function basisOf({ user, stem, top }: TokenSnapshot, options: VaultOptions): string {
  const version =
    top.kind === 'missing' ? '' : `${top.identity?.ino ?? ''}:${top.identity?.mtime ?? ''}`;
  const parent = lender(stem, options);
  const borrowed = parent === undefined ? '' : options.topVersion(user, parent);
  const { hosts, ports, namespace } = options.settings;
  return createHash('sha256')
    .update(JSON.stringify([version, borrowed, hosts, ports, namespace]))
    .digest('base64url')
    .slice(0, 22);
}

function lender(stem: string, { specialNames }: VaultOptions): string | undefined {
  return specialNames ? undefined : parentStem(stem);
}

async function obtain(
  token: TokenSnapshot,
  files: TokenFiles,
  options: VaultOptions,
  context: ProviderContext,
): Promise<Outcome> {
  try {
    const top = topOf(token, files.top);
    const vaultToken = top.vaultToken ?? borrowedToken(token, options, context);
    if (vaultToken instanceof CodedError) return { kind: 'gone', error: vaultToken };
    const response = await options.send(vaultRequest(top, vaultToken, options.settings));
    const about = { service: token.stem, vaultToken, now: context.now };
    const accessToken = tokenInAnswer(response, about);
    return {
      ...issued(accessToken, options, context),
      ...judged(token, top, accessToken, options),
    };
  } catch (error) {
    return refusal(token, error);
  }
}

/**
 * A Vault's answer names no scopes, but a token that is a JWT does.
 * @throws CodedError `SCOPE_WIDENED`
 */
function judged(
  { stem }: TokenSnapshot,
  { scopes }: VaultTop,
  accessToken: string,
  options: VaultOptions,
): { readonly note?: string } {
  const name = splitStem(stem, options.specialNames)?.service ?? stem;
  const granted = scopeText(jwtClaims(accessToken)?.['scope']);
  return checkScopes({ name, asked: scopes, granted, extra: options.extraScopes(name) });
}

function topOf(token: TokenSnapshot, text: Parsed<string>): VaultTop {
  const top = text.ok ? parseVaultTop(text.value) : text;
  if (top.ok) return top.value;
  throw unusable(`${tokenId(token)}: .top ${top.reason}`, token);
}

/**
 * The parent's Vault token; or the error to remove the handle with, when its parent has
 * gone.
 */
function borrowedToken(
  token: TokenSnapshot,
  options: VaultOptions,
  { readToken }: ProviderContext,
): string | CodedError {
  const stem = lender(token.stem, options);
  if (stem === undefined) throw unusable(`${tokenId(token)}: .top has no "vault_token"`, token);
  const { top, topIdentity } = readToken(token.user, stem);
  if (!top.ok && topIdentity === undefined) {
    return new CodedError(
      'GRANT_REVOKED',
      `${tokenId(token)} borrows the Vault token of ${stem}, which is not there; submitting a job stores both again`,
      { token: tokenId(token) },
    );
  }
  const { vaultToken } = topOf({ ...token, stem }, top);
  if (vaultToken === undefined)
    throw unusable(
      `${tokenId(token)}: neither its .top nor that of ${stem} has a "vault_token"`,
      token,
    );
  return vaultToken;
}

function unusable(message: string, token: TokenSnapshot): CodedError {
  return new CodedError('CRED_FILE_INVALID', message, { token: tokenId(token) });
}

function issued(
  accessToken: string,
  { settings }: VaultOptions,
  { now }: ProviderContext,
): Outcome & { kind: 'issued' } {
  const issuedAt = Math.floor(now);
  const lifetime = promisedLifetime({ access_token: accessToken }, settings.minimumSeconds, now);
  return {
    kind: 'issued',
    writes: [{ kind: 'use', text: `${accessToken}\n`, durable: false }],
    times: { issuedAt, expiresAt: issuedAt + lifetime },
    rotated: false,
  };
}

function refusal(token: TokenSnapshot, error: unknown): Outcome {
  // What is not coded is a mistake of ours; its text could hold anything, so only its
  // kind is passed on.
  const coded = isCoded(error)
    ? error
    : new CodedError(
        'ISSUER_ANSWER_INVALID',
        `${tokenId(token)}: unexpected ${error instanceof Error ? error.name : typeof error}`,
      );
  if (coded.code === 'GRANT_REVOKED') return { kind: 'gone', error: coded };
  const final = coded.code === 'ENDPOINT_REFUSED' || coded.code === 'SCOPE_WIDENED';
  return { kind: final ? 'denied' : 'failed', error: coded };
}
