// Revocation at a Vault: the Vault token of `.top` ends itself. What the Vault keeps for
// the user serves other machines too, and stays.
import { CodedError, messageOf, originOf, type Clock, type Send } from '@credmon/core/base';
import { classifyFailure } from '@credmon/core/oauth';
import type { Parsed } from '@credmon/core/credential';
import { namespaceHeader, parseVaultTop, trustedVaultUrl } from '../providers/vault/request.ts';
import type { VaultSettings } from '../settings/vault.ts';
import { nobodyAsked, type FoundSecrets, type Steps, type Survivor } from './steps.ts';

const WHAT = 'Vault token';

/**
 * The plan for a Vault. Nothing is sent to a server that the administrator does not
 * trust.
 */
export function stepsAtVault(
  top: Parsed<string>,
  secrets: FoundSecrets,
  { settings, send, clock }: { settings: VaultSettings; send: Send; clock: Clock },
): Steps {
  const { survivors } = nobodyAsked(
    { ...secrets, refreshToken: undefined },
    'what a Vault has handed out cannot be called back',
    false,
  );
  const parsed = top.ok ? parseVaultTop(top.value) : top;
  if (!parsed.ok) return { steps: [], survivors: [...survivors, alive(`.top ${parsed.reason}`)] };
  const { vaultToken, vaultUrl } = parsed.value;
  // A handle borrows its parent's; that one is revoked with the parent.
  if (vaultToken === undefined) return { steps: [], survivors };
  try {
    const { origin } = trustedVaultUrl(vaultUrl, settings);
    const headers = { 'x-vault-token': vaultToken, ...namespaceHeader(settings) };
    const revoke = (): Promise<void> => revokeSelf(origin, headers, send, clock);
    return { steps: [{ what: WHAT, where: origin, revoke }], survivors };
  } catch (error) {
    return { steps: [], survivors: [...survivors, alive(messageOf(error))] };
  }
}

function alive(why: string): Survivor {
  return { what: WHAT, revoked: false, why, fixable: true };
}

/** @see https://developer.hashicorp.com/vault/api-docs/auth/token#revoke-a-token-self */
async function revokeSelf(
  origin: string,
  sent: Readonly<Record<string, string>>,
  send: Send,
  clock: Clock,
): Promise<void> {
  const { status, headers } = await send({
    method: 'POST',
    url: `${origin}/v1/auth/token/revoke-self`,
    headers: sent,
  });
  if (status === 204 || status === 200) return;
  const where = originOf(origin);
  if (status === 403)
    throw new CodedError(
      'GRANT_REVOKED',
      `the Vault ${where} answered "permission denied": it knows the Vault token no more, or the token may not end itself`,
      { where, status },
    );
  const retryAfter = headers['retry-after'];
  const answer = { status, ...(retryAfter === undefined ? {} : { retryAfter }) };
  const { code, fields } = classifyFailure(where, answer, clock.now());
  throw new CodedError(code, `the Vault ${where} answered HTTP status ${status}`, fields);
}
