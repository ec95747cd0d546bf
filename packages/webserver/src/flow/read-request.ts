// Reads a session's key file again whenever it is needed, so that no client secret ever stands in a session.
import { readCredentialRequest, type CredentialRequest, type ProviderRequest } from '@credmon/core';
import { CodedError } from '@credmon/core/base';
import type { Desk } from './desk.ts';
import type { Flow } from './flow.ts';

/**
 * The request behind a key.
 * @throws CodedError `KEY_FILE_MISSING` (also when older than its time to live), `KEY_FILE_INVALID`, `CRED_FILE_IO`
 */
export function readRequest({ settings, ports }: Desk, key: string): CredentialRequest {
  const { bytes, modifiedAt } = ports.files.readKey(key);
  if (ports.clock.now() - modifiedAt >= settings.keySeconds)
    throw new CodedError('KEY_FILE_MISSING', `the key file is older than ${settings.keySeconds} s`);
  return readCredentialRequest(bytes, { allowLoopbackHttp: settings.allowLoopbackHttp });
}

/** The part of a flow's key file that is about one token. @throws as {@link readRequest} */
export function readTokenRequest(desk: Desk, flow: Flow, stem: string): ProviderRequest {
  const request = readRequest(desk, flow.key);
  const found = request.requests.find((one) => one.stem === stem);
  if (request.localUser === flow.localUser && found) return found;
  throw new CodedError('KEY_FILE_INVALID', 'the key file is not the one that this session was opened with');
}
