// The REMOTE_USER header of the proxy: lets only the owner of the local account continue.
import type { FastifyRequest } from 'fastify';
import { CodedError } from '@credmon/core/base';
import type { PortalContext } from '../flow/context.ts';

/**
 * Compares the REMOTE_USER header of the proxy with the local user. Does nothing unless
 * CREDMON_WEB_REMOTE_USER_HEADER is set.
 * @throws CodedError `LOGIN_WRONG_USER`
 */
export function requireOwner(
  { settings, ports }: PortalContext,
  request: FastifyRequest,
  localUser: string,
): void {
  const { remoteUser } = settings;
  if (!remoteUser) return;
  const values = ports.isTrustedProxy(request.socket.remoteAddress)
    ? valuesOf(request, remoteUser.header)
    : [];
  const [user = ''] = values;
  if (user === '')
    throw new CodedError(
      'LOGIN_WRONG_USER',
      `the proxy sent no user name (header ${remoteUser.header})`,
    );
  if (values.length > 1)
    throw new CodedError(
      'LOGIN_WRONG_USER',
      `the proxy sent more than one ${remoteUser.header} header`,
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
 * Returns all values of a header (lower case) in order. Node joins repeated headers or
 * keeps only the first.
 */
function valuesOf({ raw: { rawHeaders } }: FastifyRequest, header: string): string[] {
  return rawHeaders.filter(
    (_, index) => index % 2 === 1 && rawHeaders[index - 1]?.toLowerCase() === header,
  );
}
