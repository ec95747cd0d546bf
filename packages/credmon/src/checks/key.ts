// Checks a signing key: its file, its public half, and whether verifiers can fetch it.
// Creates no key.
import { createPublicKey, type KeyObject } from 'node:crypto';
import { dirname } from 'node:path';
import {
  isCoded,
  messageOf,
  messageWithFix,
  secureEndpoint,
  shellWord,
  durationText,
  ok,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import {
  fetchIssuerKeys,
  readKey,
  readSigningKey,
  type SigningKey,
  activeKey,
  planRotation,
  readKeyDirectory,
  type KeyIndex,
} from '@credmon/scitokens';
import type { KeySource, LocalIssuer } from '../settings/local.ts';
import { type CheckContext, isHidden, unseen, writable } from './context.ts';
import { publishCommand } from '../keys/signing-keys.ts';
import { existsSync } from 'node:fs';

/** Checks the key of an issuer, from its file to its publication. */
export async function checkKey(
  what: string,
  issuer: LocalIssuer,
  context: CheckContext,
): Promise<Finding[]> {
  const found = findKey(what, issuer, context);
  if (!found.key) return found.findings;
  return [...found.findings, ...(await checkPublished(what, issuer, found.key, context))];
}

function findKey(
  what: string,
  { key, lifetime, service, issuer }: LocalIssuer,
  context: CheckContext,
): FoundKey {
  if (key.kind !== 'file' && isHidden(key.path, context.settings))
    return { findings: [unseen(what, key.path)] };
  try {
    return key.kind === 'file'
      ? checkKeyFile(what, key, context)
      : checkKeyDirectory(what, key.path, lifetime, {
          now: context.now.wall,
          byDaemon: context.settings.keyRotation > 0,
          publish: publishCommand(service, issuer === context.settings.local.served),
        });
  } catch (error) {
    return { findings: [wrong(what, messageOf(error))] };
  }
}

type KeyFile = Extract<KeySource, { kind: 'file' }>;

function checkKeyFile(
  what: string,
  { path, keyId, algorithm }: KeyFile,
  context: CheckContext,
): FoundKey {
  const { local, settings } = context;
  const { privateKey, publicKey } = settings.local.keyPair;
  const shared = path === privateKey;
  if (isHidden(path, settings)) return { findings: [unseen(what, path)] };
  if (local.version(path) === '')
    return { findings: [missingKey(what, path, shared ? publicKey : undefined, context)] };
  const text = local.readKey(path);
  if (!text.ok) return { findings: [wrong(what, `the private key ${path} ${text.reason}`)] };
  try {
    const key = readSigningKey(text.value, { kid: keyId, algorithm });
    const findings = [ok(what, `signs with the key ${keyId} (${algorithm}) in ${path}`)];
    return { findings: shared ? [...findings, publicHalf(what, key, context)] : findings, key };
  } catch (error) {
    return { findings: [wrong(what, `the private key ${path}: ${messageOf(error)}`)] };
  }
}

/** The daemon creates only the shared pair, and only if both halves are missing. */
function missingKey(
  what: string,
  path: string,
  publicKey: string | undefined,
  { local }: CheckContext,
): Finding {
  if (publicKey === undefined) return wrong(what, `the private key ${path} is missing`);
  if (local.version(publicKey) !== '')
    return wrong(
      what,
      `the private key ${path} is missing, but its public half ${publicKey} exists: restore ` +
        'the private key, or remove the public half to create a new pair',
    );
  const blocked = [...new Set([dirname(path), dirname(publicKey)])].find(
    (directory) => !writable(directory),
  );
  return blocked === undefined
    ? ok(what, `no key yet; the daemon creates ${path} and ${publicKey}`)
    : wrong(what, `no key yet, and the daemon cannot create one in ${blocked}`);
}

function publicHalf(
  what: string,
  { privateKey }: SigningKey,
  { local, settings }: CheckContext,
): Finding {
  const { publicKey: path, privateKey: privatePath } = settings.local.keyPair;
  const text = local.readText(path);
  if (!text.ok)
    return warning(
      what,
      `its public half ${path} ${text.reason} and cannot be published; fix: openssl pkey ` +
        `-in ${shellWord(privatePath)} -pubout -out ${shellWord(path)}`,
    );
  try {
    const { key } = readKey(text.value);
    return same(key, privateKey)
      ? ok(what, `${path} is its public half`)
      : wrong(what, `${path} is the public half of another key: verifiers will reject its tokens`);
  } catch (error) {
    return wrong(what, `its public half ${path}: ${messageOf(error)}`);
  }
}

function same(one: KeyObject, other: KeyObject): boolean {
  const half = (key: KeyObject): Buffer =>
    (key.type === 'private' ? createPublicKey(key) : key).export({ type: 'spki', format: 'der' });
  return half(one).equals(half(other));
}

/** Checks the published key: verifiers fetch it from the issuer's URL by its id. */
async function checkPublished(
  what: string,
  { issuer }: LocalIssuer,
  { kid, privateKey }: SigningKey,
  { settings, send }: CheckContext,
): Promise<Finding[]> {
  try {
    secureEndpoint(issuer, `the issuer ${issuer}`, settings.allowLoopbackHttp);
  } catch (error) {
    return [wrong(what, `${messageOf(error)}; verifiers accept only https issuers`)];
  }
  try {
    const keys = await fetchIssuerKeys(issuer, { send, insecure: settings.allowLoopbackHttp });
    return [
      same(keys.select(kid).publicKey, privateKey)
        ? ok(what, `${issuer} publishes this key`)
        : wrong(
            what,
            `${issuer} publishes a different key with the id ${kid ?? ''}: verifiers will reject its tokens`,
          ),
    ];
  } catch (error) {
    if (isCoded(error, 'TOKEN_UNKNOWN_KEY'))
      return [
        wrong(what, `${issuer} publishes no key ${kid ?? ''}: verifiers will reject its tokens`),
      ];
    return [warning(what, `failed to fetch the key that verifiers need: ${messageWithFix(error)}`)];
  }
}

// Checks a key directory: the signing key, and the state of the rotation.

/** The signing key, if any, and the findings about it. */
interface FoundKey {
  readonly findings: Finding[];
  readonly key?: SigningKey;
}

/**
 * The time (epoch seconds), whether the daemon rotates the keys, and how to publish them.
 */
interface Rotation {
  readonly now: number;
  readonly byDaemon: boolean;
  /** The command that publishes the keys. */
  readonly publish: string;
}

const ROTATE = 'condor_credmon keys rotate';
const firstKey = ({ publish }: Rotation): string => `${ROTATE} && ${publish} && ${ROTATE}`;

/**
 * Returns the signing key, and the state of the rotation.
 * @throws CodedError `TOKEN_KEY_DIRECTORY`
 */
function checkKeyDirectory(
  what: string,
  path: string,
  lifetime: number,
  rotation: Rotation,
): FoundKey {
  const { now, byDaemon } = rotation;
  const made = existsSync(path);
  if (!made && !byDaemon)
    return { findings: [wrong(what, `${path} is missing; fix: ${firstKey(rotation)}`)] };
  const parent = dirname(path);
  if (!made && existsSync(parent) && !writable(parent))
    return {
      findings: [wrong(what, `${path} is missing, and the daemon cannot create it in ${parent}`)],
    };
  const index = made ? readKeyDirectory(path) : undefined;
  if (index === undefined || (byDaemon && index.keys.length === 0))
    return { findings: [ok(what, `no key yet; the daemon creates one in ${path}`)] };
  const steps = rotationOf(what, path, index, rotation);
  try {
    const key = activeKey(path, lifetime);
    const since = index.keys.find(({ state }) => state === 'active')?.activated;
    const age = since === undefined ? '' : `, since ${durationText(Math.max(1, now - since))} ago`;
    return {
      findings: [ok(what, `signs with ${key.kid ?? 'a key'} of ${path}${age}`), ...steps],
      key,
    };
  } catch (error) {
    return { findings: [wrong(what, messageOf(error)), ...steps] };
  }
}

/**
 * Reports the state of the rotation. A key that could have been activated a day ago means
 * that a cron job does not run.
 */
function rotationOf(what: string, path: string, index: KeyIndex, rotation: Rotation): Finding[] {
  const { now, byDaemon } = rotation;
  const step = planRotation(index.keys, index, now, false);
  const next = index.keys.find(({ state }) => state === 'next');
  switch (step.step) {
    case 'create':
      return [
        wrong(
          what,
          `${path} contains no key: create one, publish it, and rotate again; fix: ${firstKey(rotation)}`,
        ),
      ];
    case 'activate': {
      const ready = (next?.published ?? now) + index.publishLead;
      return [
        warning(
          what,
          `rotation to ${step.kid} is ${lateness(now - ready)}, ` +
            `${byDaemon ? 'but the daemon has not done it' : 'but no daily cron job has done it'}; fix: ${ROTATE}`,
        ),
      ];
    }
    case 'retire':
      return [ok(what, `the old key ${step.kid} will be removed by the next ${ROTATE}`)];
    case 'wait':
      if (next && next.published === undefined)
        return [
          byDaemon
            ? ok(what, `the next key ${next.kid} is not published yet; the daemon will publish it`)
            : warning(what, `the next key ${next.kid} is not published; fix: ${rotation.publish}`),
        ];
      return step.until === undefined
        ? []
        : [ok(what, `rotation continues in ${durationText(step.until - now)}: ${step.reason}`)];
  }
}

function lateness(seconds: number): string {
  return seconds > 86_400 ? `overdue by ${durationText(seconds)}` : 'due';
}
