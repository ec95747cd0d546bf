// Lets only the owner of a request go on, where the proxy in front says who is asking.
import type { FastifyRequest } from 'fastify';
import { CodedError } from '@credmon/core/base';
import type { PortalContext } from '../flow/context.ts';
import type { ZodType } from 'zod';
import { pageError } from '../pages/page-error.ts';

/**
 * Compares the proxy's REMOTE_USER with the local user, where
 * CREDMON_WEB_REMOTE_USER_HEADER is set.
 * @throws CodedError `LOGIN_WRONG_USER`
 */
export function admit(
  { settings, ports }: PortalContext,
  request: FastifyRequest,
  localUser: string,
): void {
  const { remoteUser } = settings;
  if (!remoteUser) return;
  const said = ports.isTrustedProxy(request.socket.remoteAddress)
    ? valuesOf(request, remoteUser.header)
    : [];
  const [user = ''] = said;
  if (user === '')
    throw new CodedError('LOGIN_WRONG_USER', 'the proxy in front does not say who is signed in');
  if (said.length > 1)
    throw new CodedError(
      'LOGIN_WRONG_USER',
      `the proxy in front passed ${remoteUser.header} more than once`,
    );
  const suffix = remoteUser.realm === undefined ? '' : `@${remoteUser.realm}`;
  const name = suffix !== '' && user.endsWith(suffix) ? user.slice(0, -suffix.length) : user;
  if (name !== localUser)
    throw new CodedError(
      'LOGIN_WRONG_USER',
      'the person signed in at the proxy is not the owner of the local account',
    );
}

/**
 * Every value of a header, in order: of two, Node would join them or keep the first.
 * `header` is in lower case.
 */
function valuesOf({ raw: { rawHeaders } }: FastifyRequest, header: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === header,
  );
}

// Reads what came with a request against its schema.

/**
 * The value in the schema's form.
 * @throws an error that is shown as the page `bad-request`
 */
export function read<T>(schema: ZodType<T>, value: unknown): T {
  const result = schema.safeParse(value);
  if (result.success) return result.data;
  throw pageError('bad-request');
}
