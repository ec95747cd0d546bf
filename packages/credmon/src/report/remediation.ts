// What a person does next about a token that went wrong: the log and `condor_credmon
// status` say the same. Pure.
import { ERROR_CODES, shellWord, type ErrorCode } from '@credmon/core/base';

/** Whose token it is, and the kind of provider that renews it. */
export interface StuckToken {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  readonly provider: string | null;
}

/**
 * The step for an error's code, where the provider makes it another one that; `undefined`
 * when there is none in few words.
 */
export function remediationFor(token: StuckToken, code: string): string | undefined {
  const { user, service, handle, provider } = token;
  const add = `condor_store_cred add-oauth -s ${shellWord(service)}${handle === '' ? '' : ` -H ${shellWord(handle)}`} -i FILE`;
  const steps = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode].step : undefined;
  return (steps?.[provider ?? 'default'] ?? steps?.['default'])
    ?.replace('{user}', () => user)
    .replace('{delete}', () => deleteCommand(token))
    .replace('{add}', () => add);
}

/**
 * `condor_store_cred delete-oauth` for a service and its handle, ready to be pasted.
 * @see condor_store_cred(1)
 */
export function deleteCommand({
  service,
  handle,
}: {
  readonly service: string;
  readonly handle: string;
}): string {
  return `condor_store_cred delete-oauth -s ${shellWord(service)}${handle === '' ? '' : ` -H ${shellWord(handle)}`}`;
}
