// Opens a key: the first step, which binds a session to a local user and the tokens that
// his submit asked for.
import { KEY_FILE_NAME, type CredentialRequest } from '@credmon/core/credential';
import { CodedError, isCoded } from '@credmon/core/base';
import { newFlowId, type PortalContext } from './context.ts';
import { isComplete, loginCount, type Flow } from './flow.ts';
import { MAX_LOGINS } from './limits.ts';
import { readRequest } from './read-request.ts';

/**
 * Reads the key file and begins a flow, unless `current`, the flow of the browser's
 * session, is of the same key: one is enough for a browser, and its logins on their way
 * stay good.
 * @param requireOwner throws when the local user is not the one who asks
 * @returns the new flow's id, to be kept in the session and nowhere else, or `undefined`
 * to go on with `current`
 * @throws CodedError `KEY_FILE_MISSING`, `KEY_FILE_INVALID`, `CRED_FILE_IO`,
 * `SESSION_STORE_FULL`
 */
export async function openKey(
  context: PortalContext,
  key: string,
  current: Flow | undefined,
  requireOwner: (localUser: string) => void,
): Promise<string | undefined> {
  const { ports } = context;
  if (!KEY_FILE_NAME.test(key))
    throw new CodedError('KEY_FILE_MISSING', 'the link does not hold a key of 64 hex digits');
  const request = requestBehind(context, key, current);
  const { localUser } = request ?? current ?? { localUser: '' };
  requireOwner(localUser);
  if (request === undefined || (current && goesOn(current, key, request))) return undefined;
  const id = newFlowId(context, localUser);
  const tokens = request.requests.map(({ provider, handle }) => ({ provider, handle }));
  await ports.flows.append(id, { type: 'opened', at: ports.clock.now(), key, localUser, tokens });
  ports.log.info(
    `key file opened for ${localUser}: ${request.requests.map(({ stem }) => stem).join(', ')}`,
  );
  return id;
}

/**
 * The key file's request; `undefined` when the key file is gone because the current flow
 * has served it.
 */
function requestBehind(
  context: PortalContext,
  key: string,
  current: Flow | undefined,
): CredentialRequest | undefined {
  try {
    return readRequest(context, key);
  } catch (error) {
    if (isCoded(error, 'KEY_FILE_MISSING') && current?.key === key && isComplete(current))
      return undefined;
    throw error;
  }
}

/**
 * True when a flow is about the same tokens of the same user and has seen few enough
 * logins.
 */
function goesOn(flow: Flow, key: string, { localUser, requests }: CredentialRequest): boolean {
  return (
    flow.key === key &&
    flow.localUser === localUser &&
    flow.tokens.map(({ stem }) => stem).join() === requests.map(({ stem }) => stem).join() &&
    loginCount(flow) < MAX_LOGINS
  );
}
