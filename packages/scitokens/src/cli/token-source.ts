// The token of a command: the argument, a file, standard input, or WLCG discovery.
import { CodedError, durationText, tableText } from '@credmon/core/base';
import { discoverBearerToken, trimToken } from '../token/bearer.ts';
import type { Io } from './io.ts';
import { readCompact } from '../token/compact.ts';
import { localTime, shownValue } from './show.ts';

/**
 * Returns the token of `argument`: `@FILE`, `-` for standard input, or the token itself.
 * Without an argument: from the variables of discovery, else from piped input, else from
 * the other places of discovery.
 * @throws CodedError `TOKEN_NOT_FOUND`, `TOKEN_UNREADABLE`, `TOKEN_MALFORMED`
 */
export function readTokenArgument(argument: string | undefined, io: Io): string {
  if (argument === undefined || argument === '') return findToken(io);
  if (argument === '-') return nonEmpty(io.readInput(), 'standard input');
  if (argument.startsWith('@')) return nonEmpty(io.readFile(argument.slice(1)), argument.slice(1));
  return nonEmpty(argument, 'the argument');
}

function nonEmpty(text: string, source: string): string {
  const token = trimToken(text);
  if (token !== '') return token;
  throw new CodedError('TOKEN_NOT_FOUND', `no token in ${source}`, { source });
}

function findToken(io: Io): string {
  const { environment, userId } = io;
  const readFile = (path: string, named: boolean): string | undefined =>
    io.readIfThere(path, !named);
  // Variables come before a pipe: a pipe that is never closed would block a script for
  // ever.
  const named =
    trimToken(environment['BEARER_TOKEN'] ?? '') !== '' ||
    Boolean(environment['BEARER_TOKEN_FILE']);
  const piped = !named && io.isPiped() ? trimToken(io.readInput()) : '';
  return piped === '' ? discoverBearerToken({ environment, userId, readFile }).token : piped;
}

// `token inspect`: shows the contents of a token without verification.

const TIMES = ['iat', 'nbf', 'exp'];

/**
 * Prints header, claims, dates in local time and the remaining lifetime, as a table or as
 * JSON. Verifies nothing.
 */
export function tokenInspect(
  argument: string | undefined,
  { json = false }: { readonly json?: boolean | undefined },
  io: Io,
): void {
  const { header, claims } = readCompact(readTokenArgument(argument, io));
  const { exp } = claims;
  const left = typeof exp === 'number' ? Math.floor(exp - io.now()) : undefined;
  if (json)
    return io.out(`${JSON.stringify({ verified: false, header, claims, secondsLeft: left })}\n`);
  const life =
    left === undefined
      ? 'no expiry'
      : left > 0
        ? `${durationText(left)} left`
        : `expired ${durationText(-left)} ago`;
  io.out(
    `${tableText([
      ...Object.entries(header).map(([name, value]) => [
        `header ${shownValue(name)}`,
        shownValue(value),
      ]),
      ...Object.entries(claims).map(([name, value]) => [shownValue(name), shown(name, value)]),
      ['lifetime', life],
      ['signature', 'not verified'],
    ])}\n`,
  );
}

function shown(name: string, value: unknown): string {
  return TIMES.includes(name) && typeof value === 'number'
    ? `${value}  ${localTime(value)}`
    : shownValue(value);
}
