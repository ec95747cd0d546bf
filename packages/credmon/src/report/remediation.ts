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
  const steps = Object.hasOwn(ERROR_CODES, code) ? ERROR_CODES[code as ErrorCode].step : undefined;
  return (steps?.[provider ?? 'default'] ?? steps?.['default'])
    ?.replace('{user}', () => user)
    .replaceAll('{service}', () => service)
    .replace('{delete}', () => deleteCommand(token))
    .replace('{store}', () => `condor_credential_storer --force ${shellWord(service)}`)
    .replace('{add}', () => addCommand(token))
    .replace('{login}', () => loginCommand(stemOf(service, handle)));
}

/**
 * Returns the `condor_store_cred add-oauth` command for a service, its handle, and the
 * scopes and audience if given; FILE is for the reader to replace.
 * @see condor_store_cred(1)
 */
export function addCommand(token: {
  readonly service: string;
  readonly handle: string;
  readonly scopes?: string;
  readonly audience?: string;
}): string {
  const { service, handle, scopes = '', audience = '' } = token;
  const options = [
    ['-s', service],
    ['-H', handle],
    ['-S', scopes],
    ['-A', audience],
  ] as const;
  const words = options.flatMap(([option, value]) =>
    value === '' ? [] : [option, shellWord(value)],
  );
  return ['condor_store_cred add-oauth', ...words, '-i FILE'].join(' ');
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
