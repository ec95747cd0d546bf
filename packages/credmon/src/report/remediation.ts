// The next step for a failed token, the same in the log and in `condor_credmon status`.
// Pure.
import { ERROR_CODES, shellWord, type ErrorCode } from '@credmon/core/base';
import { stemOf } from '@credmon/core/credential';

/** The owner of a token, and the kind of its provider. */
export interface StuckToken {
  readonly user: string;
  readonly service: string;
  readonly handle: string;
  readonly provider: string | null;
}

/**
 * Returns the step for an error code, specific to the provider if there is one;
 * `undefined` when there is no short step.
 */
export function remediationFor(token: StuckToken, code: string): string | undefined {
  const { user, service, handle, provider } = token;
  const add =
    'condor_store_cred add-oauth -s ' +
    `${shellWord(service)}${handle === '' ? '' : ` -H ${shellWord(handle)}`} -i FILE`;
  const steps = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode].step : undefined;
  return (steps?.[provider ?? 'default'] ?? steps?.['default'])
    ?.replace('{user}', () => user)
    .replaceAll('{service}', () => service)
    .replace('{delete}', () => deleteCommand(token))
    .replace('{store}', () => `condor_credential_storer --force ${shellWord(service)}`)
    .replace('{add}', () => add)
    .replace('{login}', () => loginCommand(stemOf(service, handle)));
}

/** Returns the command that makes the login of a standing token, ready to be pasted. */
export function loginCommand(name: string): string {
  return `condor_credmon standing login ${shellWord(name)}`;
}

/**
 * Returns the `condor_store_cred delete-oauth` command for a service and its handle,
 * ready to be pasted.
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
