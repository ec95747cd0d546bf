// The Vault provider: reads an access token from Vault or OpenBao with the Vault token
// from `.top`.
import { CodedError, jwtClaims, originOf, type Send } from '@credmon/core/base';
import {
  changedToken,
  scopeText,
  splitStem,
  tokenId,
  type Parsed,
  type TokenSnapshot,
  useFile,
} from '@credmon/core/credential';
import type { RenewalPolicy } from '@credmon/core/renewal';
import type { TokenFiles } from '@credmon/core/store';
import { checkScopes } from '../common/granted-scopes.ts';
import type { Outcome, Provider, ProviderContext } from '../common/provider.ts';
import { basisOf, issuedWith, rejectionOf } from '../common/outcomes.ts';
import {
  judgeSecondRead,
  judgeVaultAnswer,
  stillAlive,
  type VaultAnswer,
  parentStem,
  parseVaultTop,
  vaultRequest,
  type VaultTop,
} from './protocol.ts';
import type { IssuerPolicy } from '@credmon/core/profiles';
import type { VaultSettings } from '../../settings/vault.ts';

/**
 * The provider's options. `send` has the Vault's certificate authorities and time-outs,
 * not the issuers'. `topVersion` changes when a `.top` is stored again.
 */
interface VaultOptions {
  readonly settings: VaultSettings;
  readonly send: Send;
  readonly topVersion: (user: string, stem: string) => string;
  /** What depends on the issuer of a service (case-insensitive). */
  readonly policyOf: (service: string) => IssuerPolicy;
  readonly specialNames: boolean;
  readonly policy: RenewalPolicy;
}

/**
 * The Vault provider: every token is read again after `refreshSeconds`, because the Vault
 * caches it for `minimumSeconds`.
 */
export function vaultReader(options: VaultOptions): Provider {
  const { settings } = options;
  return {
    name: 'vault',
    policy: { ...options.policy, refreshEvery: settings.refreshSeconds },
    view: (token) => withTimesOfFile(token, options),
    renewable,
    basis: (token) => basisIn(token, options),
    issuerOf: ({ top }) => originOf((top.kind === 'valid' && top.value.vaultUrl) || ''),
    obtain: (token, files, context) => obtain(token, files, options, context),
  };
}

const notRenewable = (reason: string): Parsed<true> => ({ ok: false, reason });

function renewable({ top }: TokenSnapshot): Parsed<true> {
  if (top.kind === 'missing') return notRenewable('.top is missing: not renewed');
  if (top.kind === 'broken')
    return notRenewable(`.top ${top.reason}: the user must store it again`);
  if (top.kind === 'valid' && top.value.vaultUrl === undefined)
    return notRenewable('.top has no "vault_url" text: the user must store it again');
  return { ok: true, value: true };
}

/**
 * The Vault may return a token that it made hours ago, and opaque tokens do not show
 * their age: the lifetime counts from the file's time. A token that expired before it was
 * written means that the clocks differ too much.
 */
function withTimesOfFile(token: TokenSnapshot, { settings }: VaultOptions): TokenSnapshot {
  const { use } = token;
  if (use.kind !== 'valid') return token;
  const { mtime } = use.identity;
  const { issuedAt, expiresAt } = use.value;
  const left = token.assumed === true ? settings.minimumSeconds : expiresAt - mtime;
  const lifetime = left > 0 ? left : expiresAt - issuedAt;
  return changedToken(token, {
    use: { ...use, value: { issuedAt: mtime, expiresAt: mtime + lifetime } },
  });
}

/** The fingerprint of `.top` and of what else a read depends on. */
function basisIn(token: TokenSnapshot, options: VaultOptions): string {
  const { user, stem } = token;
  const parent = parentOf(stem, options);
  const borrowed = parent === undefined ? '' : options.topVersion(user, parent);
  const { hosts, ports, namespace } = options.settings;
  return basisOf(token, [borrowed, hosts, ports, namespace]);
}

function parentOf(stem: string, { specialNames }: VaultOptions): string | undefined {
  return specialNames ? undefined : parentStem(stem);
}

/** The shortest `minimum_seconds` that the plug-in distinguishes from none. */
const SHORTEST_SECONDS = 30;

async function obtain(
  token: TokenSnapshot,
  files: TokenFiles,
  options: VaultOptions,
  context: ProviderContext,
): Promise<Outcome> {
  try {
    const top = topOf(token, files.top);
    const vaultToken = top.vaultToken ?? parentToken(token, options, context);
    if (vaultToken instanceof CodedError) return { kind: 'gone', error: vaultToken };
    const answer = await read(token, top, vaultToken, options, context);
    if (answer.kind !== 'token') return rejectionFor(answer);
    const { accessToken } = answer;
    const noted = checkGrant(token, top, accessToken, options);
    const use = useFile(
      { accessToken, answer: { access_token: accessToken } },
      {
        provider: token.stem,
        now: context.now,
        defaultLifetime: options.settings.minimumSeconds,
        json: false,
      },
    );
    return { ...issuedWith(use, undefined, { durable: false }), ...noted };
  } catch (error) {
    return rejectionOf(token, error);
  }
}

/**
 * Reads the token. "token expired" is asked about with a second read; while the Vault
 * fails to reach the issuer it is not the end of the login, also when the Vault's last
 * token has expired.
 */
async function read(
  token: TokenSnapshot,
  top: VaultTop,
  vaultToken: string,
  options: VaultOptions,
  context: ProviderContext,
): Promise<VaultAnswer> {
  const { send, settings } = options;
  const question = { service: token.stem, vaultToken, now: context.now };
  const ask = async (minimumSeconds: number): Promise<VaultAnswer> =>
    judgeVaultAnswer(
      await send(vaultRequest(top, vaultToken, { ...settings, minimumSeconds })),
      question,
    );
  const first = await ask(settings.minimumSeconds);
  if (first.kind !== 'expired') return first;
  const second = await ask(Math.min(SHORTEST_SECONDS, settings.minimumSeconds));
  const { renewal } = token;
  if (
    second.kind === 'expired' &&
    renewal?.outage === true &&
    renewal.basis === basisIn(token, options)
  ) {
    const text = 'fails to refresh its token, and its last one has expired';
    return { kind: 'failed', error: stillAlive(token.stem, text, { outage: true }) };
  }
  return judgeSecondRead(second, question, settings.minimumSeconds);
}

function rejectionFor({ kind, error }: Exclude<VaultAnswer, { kind: 'token' }>): Outcome {
  if (kind === 'failed') return { kind, error };
  return { kind: kind === 'gone' ? 'gone' : 'revoked', error };
}

/**
 * Checks the scopes of a token that is a JWT; a Vault's answer itself has none.
 * @throws CodedError `SCOPE_WIDENED`
 */
function checkGrant(
  { stem }: TokenSnapshot,
  { scopes }: VaultTop,
  accessToken: string,
  options: VaultOptions,
): { readonly note?: string } {
  const name = splitStem(stem, options.specialNames)?.service ?? stem;
  const granted = scopeText(jwtClaims(accessToken)?.['scope']);
  return checkScopes({ name, asked: scopes, granted, scopes: options.policyOf(name).scopes });
}

function topOf(token: TokenSnapshot, text: Parsed<string>): VaultTop {
  const top = text.ok ? parseVaultTop(text.value) : text;
  if (top.ok) return top.value;
  throw unusable(`${tokenId(token)}: .top ${top.reason}`, token);
}

/**
 * Returns the parent's Vault token; or, if the parent is gone, the error with which the
 * handle is removed.
 */
function parentToken(
  token: TokenSnapshot,
  options: VaultOptions,
  { readToken }: ProviderContext,
): string | CodedError {
  const stem = parentOf(token.stem, options);
  if (stem === undefined) throw unusable(`${tokenId(token)}: .top has no "vault_token"`, token);
  const { top, topIdentity } = readToken(token.user, stem);
  if (!top.ok && topIdentity === undefined) {
    return new CodedError(
      'GRANT_REVOKED',
      `${tokenId(token)} uses the Vault token of ${stem}, which is missing; submitting a job stores both again`,
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
