// `token inspect`: shows what a token says, and that nobody has checked it.
import { readCompact } from '../token/compact.ts';
import type { Io } from './io.ts';
import { duration, localTime, printable, table } from './show.ts';
import { readTokenArgument } from './token-source.ts';

const TIMES = ['iat', 'nbf', 'exp'];

/**
 * Prints header, claims, dates in local time and the life left, as a table or as JSON.
 * Nothing is verified.
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
        ? `${duration(left)} left`
        : `expired ${duration(left)} ago`;
  io.out(
    table([
      ...Object.entries(header).map(([name, value]) => [
        `header ${printable(name)}`,
        printable(value),
      ]),
      ...Object.entries(claims).map(([name, value]) => [printable(name), shown(name, value)]),
      ['life', life],
      ['signature', 'not verified'],
    ]),
  );
}

function shown(name: string, value: unknown): string {
  return TIMES.includes(name) && typeof value === 'number'
    ? `${value}  ${localTime(value)}`
    : printable(value);
}
