// Checks shared by several kinds of provider: a secret file, an issuer's metadata, and
// the trusted certificate authorities.
import {
  isCoded,
  messageWithFix,
  originOf,
  shellWord,
  trustText,
  ok,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import type { IssuerRules } from '@credmon/core/oauth';
import { secretMistake, type SecretMistake } from '@credmon/core/config';
import { readSecretFile } from '../host/secret-file.ts';
import type { CheckContext } from './context.ts';

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
  form?: 'line' | 'whole',
): Finding {
  if (secretFile === undefined) return ok(what, 'has no secret: a public client');
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
