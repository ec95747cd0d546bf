// Lets only the owner of a request go on, where the proxy in front says who is asking.
import type { FastifyRequest } from 'fastify';
import { CodedError } from '@credmon/core/base';
import type { Desk } from '../flow/desk.ts';

/**
 * Compares the proxy's REMOTE_USER with the local user, where CREDMON_WEB_REMOTE_USER_HEADER is set.
 * @throws CodedError `LOGIN_WRONG_USER`
 */
export function admit({ settings, ports }: Desk, request: FastifyRequest, localUser: string): void {
  const { remoteUser } = settings;
  if (!remoteUser) return;
  const said = ports.isTrustedProxy(request.socket.remoteAddress)
    ? request.headers[remoteUser.header]
    : undefined;
  if (typeof said !== 'string' || said === '')
    throw new CodedError('LOGIN_WRONG_USER', 'the proxy in front does not say who is signed in');
  const suffix = remoteUser.realm === undefined ? '' : `@${remoteUser.realm}`;
  const name = suffix !== '' && said.endsWith(suffix) ? said.slice(0, -suffix.length) : said;
  if (name !== localUser)
    throw new CodedError(
      'LOGIN_WRONG_USER',
      'the person signed in at the proxy is not the owner of the local account',
    );
}
