// Looks that several kinds of provider need: at a secret's file, and at an issuer's metadata.
import { isCoded, messageOf, originOf } from '@credmon/core';
import { ok, warning, wrong, type Finding } from '../check/finding.ts';
import { readSecretFile } from '../secret-file.ts';
import type { CheckWorld } from './check-world.ts';

/** Whether the secret can be read as the daemon would read it. What is in it goes nowhere. */
export function lookAtSecret(what: string, secretFile: string | undefined, form?: 'line' | 'whole'): Finding {
  if (secretFile === undefined) return ok(what, 'has no secret: a public client');
  const secret = readSecretFile(secretFile, form);
  return secret.ok
    ? ok(what, `its secret in ${secretFile} can be read`)
    : wrong(what, `its secret file ${secretFile} ${secret.reason}`);
}

/**
 * Whether an issuer is what it is called and publishes the configured token endpoint. Where none is configured, nothing can be done without its
 * metadata.
 */
export async function lookAtIssuer(
  what: string,
  issuer: string,
  tokenUrl: string | undefined,
  { metadata, send, now }: CheckWorld,
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
export async function lookAtOrigin(what: string, url: string, { send }: CheckWorld): Promise<Finding> {
  try {
    await send({ method: 'GET', url: originOf(url) });
    return ok(what, `${originOf(url)} answers`);
  } catch (error) {
    return wrong(what, messageOf(error));
  }
}
