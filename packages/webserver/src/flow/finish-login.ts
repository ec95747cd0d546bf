// How a login ends: its tokens are stored, or it fails; either way the flow's log says so.
import type { ProviderRequest } from '@credmon/core/credential';
import { isCoded, messageOf, systemCode } from '@credmon/core/base';
import { accountName } from './account.ts';
import type { Desk } from './desk.ts';
import { foldFlow, isComplete, nextFlow, withStored, type Flow, type FlowEvent } from './flow.ts';
import { missingScopes } from './judge-answer.ts';
import { storeToken, type Issued, type Stored } from './store-token.ts';

/**
 * Stores an issuer's answer for the flow's user and notes it. @returns the flow afterwards
 * @throws CodedError as {@link storeToken}
 */
export async function finishLogin(
  desk: Desk,
  id: string,
  flow: Flow,
  {
    state,
    request,
    issued,
  }: { readonly state: string; readonly request: ProviderRequest; readonly issued: Issued },
): Promise<Flow> {
  const { ports } = desk;
  const stored = storeToken(desk, flow.localUser, request, issued);
  const name = accountName(issued.answer);
  const after = await note(desk, id, flow, {
    type: 'completed',
    at: ports.clock.now(),
    state,
    missing: missingScopes(request, issued.answer),
    ...stored,
    ...(name === undefined ? {} : { name }),
  });
  ports.counters.login(request.provider, 'done');
  ports.log.info(`login of ${flow.localUser} for ${request.stem} done; ${describe(stored)}`);
  return finishFlow(desk, after);
}

/** Notes that a login for `stem` failed. */
export async function failLogin(
  desk: Desk,
  id: string,
  flow: Flow,
  { state, stem, error }: { readonly state: string; readonly stem: string; readonly error: unknown },
): Promise<void> {
  const { ports } = desk;
  const code = isCoded(error) ? error.code : 'CRED_FILE_IO';
  ports.counters.login(flow.tokens.find((token) => token.stem === stem)?.provider ?? stem, code);
  await note(desk, id, flow, { type: 'failed', at: ports.clock.now(), state, code });
}

/** Writes down how a login ended. What happened in the credential directory counts even where no note of it can be kept. */
export async function note({ ports }: Desk, id: string, flow: Flow, event: FlowEvent): Promise<Flow> {
  let after: Flow | undefined;
  try {
    after = foldFlow(await ports.flows.append(id, event));
  } catch (error) {
    const why = isCoded(error) ? messageOf(error) : (systemCode(error) ?? 'unknown');
    ports.log.warn(`no note could be kept of a login of ${flow.localUser} (${event.type}): ${why}`);
  }
  return after ?? nextFlow(flow, event) ?? flow;
}

/** The key file has served when every token is there; the clean-up of condor_credmon removes what cannot be removed here. */
function finishFlow({ ports }: Desk, noted: Flow): Flow {
  const flow = withStored(noted, (stem) => ports.files.hasToken(noted.localUser, stem));
  if (!isComplete(flow)) return flow;
  try {
    ports.files.removeKey(flow.key);
  } catch (error) {
    if (!isCoded(error)) throw error;
    ports.log.warn(`the key file of ${flow.localUser} stays: ${error.message}`);
  }
  return flow;
}

function describe({ renewable, refresh }: Stored): string {
  const old = {
    kept: 'no new refresh token, the stored one was kept; ',
    replaced: 'no new refresh token, and the stored one does not fit; ',
  };
  return `${refresh === undefined ? '' : old[refresh]}${renewable ? 'it will be renewed' : 'the issuer gave no refresh token, so it cannot be renewed'}`;
}
