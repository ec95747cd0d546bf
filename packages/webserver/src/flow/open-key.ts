// Opens a key: the first step, which binds a session to a local user and the tokens that his submit asked for.
import { KEY_FILE_NAME, type ProviderRequest } from '@credmon/core';
import { CodedError, originOf } from '@credmon/core/base';
import { newSecret, type Desk } from './desk.ts';
import type { RequestedToken } from './flow.ts';
import { readRequest } from './read-request.ts';

/**
 * Reads the key file and begins a flow.
 * @returns the flow's id, to be kept in the session and nowhere else
 * @throws CodedError `KEY_FILE_MISSING`, `KEY_FILE_INVALID`, `CRED_FILE_IO`; what `admit` throws when the local user is not the one who asks
 */
export function openKey(desk: Desk, key: string, admit: (localUser: string) => void): string {
  const { ports } = desk;
  if (!KEY_FILE_NAME.test(key))
    throw new CodedError('KEY_FILE_MISSING', 'the link does not hold a key of 64 hex digits');
  const { localUser, requests } = readRequest(desk, key);
  admit(localUser);
  const tokens = requests.map(requestedToken);
  const present = tokens.map(({ stem }) => stem).filter((stem) => ports.files.hasToken(localUser, stem));
  const id = newSecret(desk);
  ports.flows.append(id, { type: 'opened', at: ports.clock.now(), key, localUser, tokens, present });
  ports.log.info(
    `key file opened for ${localUser}: ${tokens.map(({ stem }) => stem).join(', ')}` +
      (present.length > 0 ? `; already there: ${present.join(', ')}` : ''),
  );
  return id;
}

function requestedToken(request: ProviderRequest): RequestedToken {
  const { stem, provider, handle, scopes, audience, authorizationUrl } = request;
  return { stem, provider, handle, scopes, audience, origin: originOf(authorizationUrl) };
}
