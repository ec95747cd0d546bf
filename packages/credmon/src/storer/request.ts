// Parses the storer's arguments: one per credential,
// `service&handle=H&scopes=a,b&audience=A&options=O`. Pure.
import { CodedError } from '@credmon/core/base';
import { isCredName, stemOf } from '@credmon/core/credential';

/** One credential to store. Empty texts mean "not requested". */
export interface StoreRequest {
  readonly service: string;
  readonly handle: string;
  readonly scopes: string;
  readonly audience: string;
  readonly options: string;
}

const FIELDS = ['handle', 'scopes', 'audience', 'options'] as const;

/**
 * Parses one argument. A value may contain `=`, but no `&`.
 * @throws CodedError `USAGE`
 */
export function parseRequest(text: string): StoreRequest {
  const [service = '', ...parts] = text.split('&');
  const found = new Map<string, string>();
  for (const part of parts) {
    const cut = part.indexOf('=');
    const name = part.slice(0, Math.max(0, cut));
    if (!FIELDS.some((field) => field === name) || found.has(name))
      throw usage(
        `${JSON.stringify(part)} in ${JSON.stringify(text)} is not one of ${FIELDS.join(', ')}, each once`,
      );
    found.set(name, part.slice(cut + 1));
  }
  const [handle, scopes, audience, options] = FIELDS.map((field) => found.get(field) ?? '');
  const request = {
    service,
    handle: handle ?? '',
    scopes: scopes ?? '',
    audience: audience ?? '',
    options: options ?? '',
  };
  // A leading "-" would be an option of the called programs.
  for (const name of [service, stemOf(service, request.handle)])
    if (!isCredName(name) || /^[-_]|_$/.test(name))
      throw usage(`${JSON.stringify(name)} is not a valid credential name`);
  return request;
}

/** Returns the argument for this request. */
export function requestText(request: StoreRequest): string {
  const fields = FIELDS.filter((field) => request[field] !== '').map(
    (field) => `&${field}=${request[field]}`,
  );
  return `${request.service}${fields.join('')}`;
}

function usage(what: string): CodedError {
  return new CodedError('USAGE', what);
}
