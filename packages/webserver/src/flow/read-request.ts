// Reads the key file of a session each time it is needed, so that sessions contain
// neither client secrets nor long texts. A file that has not changed is not parsed again.
import { createHash } from 'node:crypto';
import {
  readCredentialRequest,
  type CredentialRequest,
  type ProviderRequest,
} from '@credmon/core/credential';
import { CodedError, isCoded } from '@credmon/core/base';
import type { PortalContext } from './context.ts';
import type { Flow } from './flow-value.ts';
import type { KeyReading } from './ports.ts';
import { isComplete } from './flow.ts';

/**
 * The request in a key file, and a digest of its bytes to detect later whether the file
 * was replaced.
 */
export interface KeyRequest extends CredentialRequest {
  readonly digest: string;
}

/** The request for one token, and the digest of its key file. */
export interface TokenRequest extends ProviderRequest {
  readonly keyDigest: string;
}

/** The requests of key files that were read before, while they stay the same. */
const parsed = new WeakMap<KeyReading, { readonly loopback: boolean; readonly of: KeyRequest }>();

/**
 * Reads the request of a key.
 * @throws CodedError `KEY_FILE_MISSING` (also if older than its lifetime),
 * `KEY_FILE_INVALID`, `CRED_FILE_IO`
 */
export function readRequest({ settings, ports }: PortalContext, key: string): KeyRequest {
  const reading = ports.files.readKey(key);
  if (ports.clock.now() - reading.modifiedAt >= settings.keySeconds)
    throw new CodedError('KEY_FILE_MISSING', `the key file is older than ${settings.keySeconds} s`);
  const loopback = settings.allowLoopbackHttp;
  const known = parsed.get(reading);
  if (known?.loopback === loopback) return known.of;
  const { bytes } = reading;
  const digest = createHash('sha256').update(bytes).digest('base64url');
  const of = { ...readCredentialRequest(bytes, { allowLoopbackHttp: loopback }), digest };
  parsed.set(reading, { loopback, of });
  return of;
}

/**
 * Reads the requests in the key file of a flow, by stem; empty if the flow is complete
 * and the key file was removed.
 * @throws as {@link readRequest}
 */
export function readTokenRequests(
  context: PortalContext,
  flow: Flow,
): ReadonlyMap<string, ProviderRequest> {
  try {
    const { localUser, requests } = readRequest(context, flow.key);
    if (localUser === flow.localUser)
      return new Map(requests.map((request) => [request.stem, request]));
  } catch (error) {
    if (isCoded(error, 'KEY_FILE_MISSING') && isComplete(flow)) return new Map();
    throw error;
  }
  throw anotherFile();
}

/**
 * Reads the request for one token in the key file of a flow. With `keyDigest`, the key
 * file must have this digest.
 * @throws as {@link readRequest}
 */
export function readTokenRequest(
  context: PortalContext,
  flow: Flow,
  stem: string,
  keyDigest?: string,
): TokenRequest {
  const { localUser, requests, digest } = readRequest(context, flow.key);
  const found = requests.find((one) => one.stem === stem);
  const same = localUser === flow.localUser && (keyDigest ?? digest) === digest;
  if (same && found) return { ...found, keyDigest: digest };
  throw anotherFile();
}

function anotherFile(): CodedError {
  return new CodedError(
    'KEY_FILE_INVALID',
    'the key file has changed since this session was opened',
  );
}
