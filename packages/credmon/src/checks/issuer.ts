// Looks that several kinds of provider need: at a secret's file, an issuer's metadata,
// and the certificate authorities that TLS trusts.
import { isCoded, messageOf, originOf, shellWord, trustText } from '@credmon/core/base';
import { ok, warning, wrong, type Finding } from './finding.ts';
import { readSecretFile } from '../host/secret-file.ts';
import type { CheckContext } from './context.ts';

/** The client of an example that was copied and left as it is. */
export function lookAtClientId(what: string, clientId: string): Finding[] {
  if (!/^change-?me$/i.test(clientId)) return [];
  return [
    warning(
      what,
      `its CLIENT_ID is still that of the example, ${clientId}: the issuer knows another`,
    ),
  ];
}

/**
 * Whether the secret can be read as the daemon would read it. What is in it goes nowhere.
 */
export function lookAtSecret(
  what: string,
  secretFile: string | undefined,
  form?: 'line' | 'whole',
): Finding {
  if (secretFile === undefined) return ok(what, 'has no secret: a public client');
  const secret = readSecretFile(secretFile, form);
  return secret.ok
    ? ok(what, `its secret in ${secretFile} can be read`)
    : wrong(
        what,
        `its secret file ${secretFile} ${secret.reason}${fix(secretFile, secret.reason)}`,
      );
}

/** Whatever fixes a file without a secret must not take the secret as an argument. */
function fix(path: string, reason: string): string {
  if (reason !== 'is missing' && reason !== 'is empty') return '';
  return `: give it the secret, and Ctrl-D; fix: install -m 600 /dev/stdin ${shellWord(path)}`;
}

/**
 * Whether an issuer is what it is called and publishes the configured token endpoint.
 * Where none is configured, nothing can be done without its metadata.
 */
export async function lookAtIssuer(
  what: string,
  issuer: string,
  tokenUrl: string | undefined,
  { metadata, send, now }: CheckContext,
): Promise<Finding> {
  try {
    const found = await metadata.find(send, issuer, now.wall);
    if (tokenUrl === undefined || tokenUrl === found.tokenUrl)
      return ok(what, `${issuer} answers, and its metadata fits`);
    return warning(
      what,
      `the metadata of ${issuer} names another token endpoint than the one configured at ${originOf(tokenUrl)}`,
    );
  } catch (error) {
    // A token URL of its own needs no metadata, whatever that names.
    const unneeded =
      tokenUrl !== undefined &&
      (isCoded(error, 'ISSUER_METADATA_INVALID') || isCoded(error, 'ENDPOINT_REFUSED'));
    return unneeded ? warning(what, messageOf(error)) : wrong(what, messageOf(error));
  }
}

/** Whether anything answers where tokens come from. */
export async function lookAtOrigin(
  what: string,
  url: string,
  { send }: CheckContext,
): Promise<Finding> {
  try {
    await send({ method: 'GET', url: originOf(url) });
    return ok(what, `${originOf(url)} answers`);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}

const WHAT = 'certificates';

/**
 * Which authorities are trusted, and which files were skipped. An issuer whose authority
 * is missing says so where it is asked.
 */
export function lookAtTrust({ trust }: CheckContext): Finding[] {
  const state = trust.general.current();
  return [ok(WHAT, trustText(state)), ...state.problems.map((text) => warning(WHAT, text))];
}
