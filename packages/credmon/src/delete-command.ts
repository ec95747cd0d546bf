// The command with which a user removes a stored credential, as several messages tell it.
import { shellWord } from '@credmon/core';

/** `condor_store_cred delete-oauth` for a service and its handle, ready to be pasted. @see condor_store_cred(1) */
export function deleteCommand({
  service,
  handle,
}: {
  readonly service: string;
  readonly handle: string;
}): string {
  return `condor_store_cred delete-oauth -s ${shellWord(service)}${handle === '' ? '' : ` -H ${shellWord(handle)}`}`;
}
