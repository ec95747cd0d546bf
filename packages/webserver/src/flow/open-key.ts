// Opens a key link, the first step: creates a flow for the local user and the tokens of
// the key file.
import { KEY_FILE_NAME, type CredentialRequest } from '@credmon/core/credential';
import { CodedError, isCoded } from '@credmon/core/base';
import { newFlowId, type PortalContext } from './context.ts';
import type { Flow } from './flow-value.ts';
import { isComplete, loginCount, MAX_LOGINS } from './flow.ts';
import { readRequest } from './read-request.ts';

/**
 * Reads the key file and creates a flow. If `current`, the flow of this browser, is of
 * the same key, it is used, so that its logins in progress can finish.
 * @param requireOwner throws if the requesting user is not this local user
 * @returns the id of the new flow, to be stored only in the session; `undefined` to
 * continue with `current`
 * @throws CodedError `KEY_FILE_MISSING`, `KEY_FILE_INVALID`, `CRED_FILE_IO`,
 * `SESSION_STORE_FULL`
 */
export async function openKey(
  context: PortalContext,
  key: string,
  current: Flow | undefined,
  requireOwner: (localUser: string) => void,
): Promise<string | undefined> {
  checkName(key);
  const request = readOpenRequest(context, key, current);
  const { localUser } = request ?? current ?? { localUser: '' };
  requireOwner(localUser);
  if (request === undefined || (current && canContinue(current, key, request))) return undefined;
  return createFlow(context, key, request);
}

/**
 * Reads the key file and creates a flow, for a browser without one.
 * @param requireOwner throws if the requesting user is not this local user
 * @returns the id of the new flow, to be stored only in the session
 * @throws as {@link openKey}
 */
export async function openFirstKey(
  context: PortalContext,
  key: string,
  requireOwner: (localUser: string) => void,
): Promise<string> {
  checkName(key);
  const request = readRequest(context, key);
  requireOwner(request.localUser);
  return createFlow(context, key, request);
}

function checkName(key: string): void {
  if (!KEY_FILE_NAME.test(key))
    throw new CodedError('KEY_FILE_MISSING', 'the link does not contain a key of 64 hex digits');
}

async function createFlow(
  context: PortalContext,
  key: string,
  request: CredentialRequest,
): Promise<string> {
  const { ports } = context;
  const { localUser } = request;
  const id = newFlowId(context, localUser);
  const tokens = request.requests.map(({ provider, handle }) => ({ provider, handle }));
  await ports.flows.append(id, { type: 'opened', at: ports.clock.now(), key, localUser, tokens });
  ports.log.info(
    `key file opened for ${localUser}: ${request.requests.map(({ stem }) => stem).join(', ')}`,
  );
  return id;
}

/**
 * Reads the request; `undefined` if the current flow is complete and the key file was
 * removed.
 */
function readOpenRequest(
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

/** True if a flow has the same key, user and tokens, and can start more logins. */
function canContinue(flow: Flow, key: string, { localUser, requests }: CredentialRequest): boolean {
  return (
    flow.key === key &&
    flow.localUser === localUser &&
    flow.tokens.map(({ stem }) => stem).join() === requests.map(({ stem }) => stem).join() &&
    loginCount(flow) < MAX_LOGINS
  );
}
