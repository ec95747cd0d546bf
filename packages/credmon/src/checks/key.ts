// The check command's look at a signing key: its file and public half, and whether
// verifiers can fetch it. Makes no key.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import { isCoded, messageOf, secureEndpoint, shellWord } from '@credmon/core/base';
import { fetchIssuerKeys, readKey, readSigningKey, type SigningKey } from '@credmon/scitokens';
import { ok, warning, wrong, type Finding } from './finding.ts';
import type { KeySource, LocalIssuer } from '../settings/local.ts';
import { lookAtKeyDirectory, type FoundKey } from './key-directory.ts';
import type { CheckWorld } from './context.ts';
import { publishCommand } from '../keys/uses.ts';
import { writable } from './context.ts';

/** The key of an issuer, from its place to what verifiers can fetch. */
export async function lookAtKey(
  what: string,
  issuer: LocalIssuer,
  world: CheckWorld,
): Promise<Finding[]> {
  const found = findKey(what, issuer, world);
  if (!found.key) return found.findings;
  return [...found.findings, ...(await lookAtPublished(what, issuer, found.key, world))];
}

function findKey(
  what: string,
  { key, lifetime, service, issuer }: LocalIssuer,
  world: CheckWorld,
): FoundKey {
  try {
    return key.kind === 'file'
      ? lookAtFile(what, key, world)
      : lookAtKeyDirectory(what, key.path, lifetime, {
          now: world.now.wall,
          byDaemon: world.settings.keyRotation > 0,
          publish: publishCommand(service, issuer === world.settings.local.served),
        });
  } catch (error) {
    return { findings: [wrong(what, messageOf(error))] };
  }
}

type KeyFile = Extract<KeySource, { kind: 'file' }>;

function lookAtFile(
  what: string,
  { path, keyId, algorithm }: KeyFile,
  world: CheckWorld,
): FoundKey {
  const { local, settings } = world;
  const { privateKey, publicKey } = settings.local.keyPair;
  const shared = path === privateKey;
  if (local.version(path) === '')
    return { findings: [missingKey(what, path, shared ? publicKey : undefined, world)] };
  const text = local.readKey(path);
  if (!text.ok) return { findings: [wrong(what, `the private key ${path} ${text.reason}`)] };
  try {
    const key = readSigningKey(text.value, { kid: keyId, algorithm });
    const findings = [
      ok(what, `signs with the key in ${path}, which is called ${keyId} (${algorithm})`),
    ];
    return { findings: shared ? [...findings, publicHalf(what, key, world)] : findings, key };
  } catch (error) {
    return { findings: [wrong(what, `the private key ${path}: ${messageOf(error)}`)] };
  }
}

/** Only the shared pair is made by the daemon, and only where neither half is there. */
function missingKey(
  what: string,
  path: string,
  publicKey: string | undefined,
  { local }: CheckWorld,
): Finding {
  if (publicKey === undefined) return wrong(what, `the private key ${path} is missing`);
  if (local.version(publicKey) !== '')
    return wrong(
      what,
      `the private key ${path} is missing, but its public half ${publicKey} is there: restore it, or remove the public half to have a new pair made`,
    );
  const blocked = [...new Set([dirname(path), dirname(publicKey)])].find(
    (directory) => !writable(directory),
  );
  return blocked === undefined
    ? ok(what, `there is no key yet; the daemon makes ${path} and ${publicKey}`)
    : wrong(what, `there is no key yet, and the daemon cannot make one in ${blocked}`);
}

function publicHalf(
  what: string,
  { privateKey }: SigningKey,
  { local, settings }: CheckWorld,
): Finding {
  const { publicKey: path, privateKey: privatePath } = settings.local.keyPair;
  const text = local.readText(path);
  if (!text.ok)
    return warning(
      what,
      `its public half ${path} ${text.reason}, so nobody can publish it; fix: openssl pkey -in ${shellWord(privatePath)} -pubout -out ${shellWord(path)}`,
    );
  try {
    const { key } = readKey(text.value);
    return same(key, privateKey)
      ? ok(what, `${path} is its public half`)
      : wrong(
          what,
          `${path} is the public half of another key: every verifier will refuse its tokens`,
        );
  } catch (error) {
    return wrong(what, `its public half ${path}: ${messageOf(error)}`);
  }
}

function same(one: KeyObject, other: KeyObject): boolean {
  const half = (key: KeyObject): Buffer =>
    (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  return half(one).equals(half(other));
}

/**
 * Verifiers fetch the key from the issuer's URL: it must be there under its name, and be
 * this one.
 */
async function lookAtPublished(
  what: string,
  { issuer }: LocalIssuer,
  { kid, privateKey }: SigningKey,
  { settings, send }: CheckWorld,
): Promise<Finding[]> {
  try {
    secureEndpoint(issuer, `the issuer ${issuer}`, settings.allowLoopbackHttp);
  } catch (error) {
    return [wrong(what, `${messageOf(error)}; verifiers take https issuers only`)];
  }
  try {
    const keys = await fetchIssuerKeys(issuer, { send, insecure: settings.allowLoopbackHttp });
    return [
      same(keys.select(kid).publicKey, privateKey)
        ? ok(what, `${issuer} publishes this key`)
        : wrong(
            what,
            `${issuer} publishes another key under the name ${kid ?? ''}: verifiers will refuse its tokens`,
          ),
    ];
  } catch (error) {
    if (isCoded(error, 'TOKEN_UNKNOWN_KEY'))
      return [
        wrong(what, `${issuer} publishes no key ${kid ?? ''}: verifiers will refuse its tokens`),
      ];
    return [warning(what, `the key that verifiers need cannot be fetched: ${messageOf(error)}`)];
  }
}
