// Reads a session's key file again whenever it is needed, so that neither client secrets
// nor long texts stand in a session.
import { createHash } from 'node:crypto';
import {
  readCredentialRequest,
  type CredentialRequest,
  type ProviderRequest,
} from '@credmon/core/credential';
import { CodedError, isCoded } from '@credmon/core/base';
import type { PortalContext } from './context.ts';
import { isComplete, type Flow } from './flow.ts';

/**
 * A key file's request, and a digest of its bytes, to tell later whether it is still the
 * same file.
 */
export interface KeyRequest extends CredentialRequest {
  readonly digest: string;
}

/** The request for one token, and the digest of the key file that it is in. */
export interface TokenRequest extends ProviderRequest {
  readonly keyDigest: string;
}

/**
 * The request behind a key.
 * @throws CodedError `KEY_FILE_MISSING` (also when older than its time to live),
 * `KEY_FILE_INVALID`, `CRED_FILE_IO`
 */
export function readRequest({ settings, ports }: PortalContext, key: string): KeyRequest {
  const { bytes, modifiedAt } = ports.files.readKey(key);
  if (ports.clock.now() - modifiedAt >= settings.keySeconds)
    throw new CodedError('KEY_FILE_MISSING', `the key file is older than ${settings.keySeconds} s`);
  const digest = createHash('sha256').update(bytes).digest('base64url');
  return {
    ...readCredentialRequest(bytes, { allowLoopbackHttp: settings.allowLoopbackHttp }),
    digest,
  };
}

/**
 * What a flow's key file says of each token, by stem; nothing when it has served and is
 * gone.
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
 * The part of a flow's key file that is about one token; with `keyDigest`, only of the
 * key file that had this digest.
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
    'the key file is not the one that this session was opened with',
  );
}
