// Name lookups by a program, for processes that must be able to exit at any moment.
import type { ChildProcess } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { createSemaphore } from '../http/semaphore.ts';
import { useLookup, type Lookup } from '../http/lookup.ts';
import { runFile } from './process.ts';

/** Maximum number of concurrent lookups. */
const AT_ONCE = 32;
/**
 * Time limit in milliseconds. The connection that needed the address has timed out long
 * before.
 */
const TIMEOUT = 15_000;
/**
 * getent's exit code for an unknown name.
 * @see getent(1)
 */
const NOT_FOUND = 2;

/**
 * Returns a {@link Lookup} that runs getent(1), which resolves names like every program
 * of this machine. Node's own lookup blocks a thread until the resolver gives up, and the
 * process cannot exit before that; a child process is killed on exit. `otherwise` is used
 * for `localhost` and if getent is not installed.
 */
export function programLookup(otherwise: Lookup): Lookup {
  const semaphore = createSemaphore(AT_ONCE);
  const running = new Set<ChildProcess>();
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  const ask = (host: string): Promise<Asked> =>
    new Promise((resolve) => {
      const options = { encoding: 'utf8', timeout: TIMEOUT, killSignal: 'SIGKILL' } as const;
      const child = runFile('getent', ['ahosts', '--', host], options, (error, output) => {
        if (child) running.delete(child);
        resolve({ error, output });
      });
      if (child) running.add(child);
    });
  return (host, options, found) => {
    if (host === 'localhost') return otherwise(host, options, found);
    void semaphore
      .acquire('getent')
      .then(() => ask(host))
      .then(({ error, output }) => {
        semaphore.release('getent');
        if (error?.code === 'ENOENT') return otherwise(host, options, found);
        const all = addressesIn(output, options.family);
        const [first] = all;
        if (error || !first) found(failure(host, error), '');
        else if (options.all === true) found(null, all);
        else found(null, first.address, first.family);
        return undefined;
      });
    return undefined;
  };
}

/**
 * Makes this process look up names by a program, so that it can exit while a name server
 * does not answer. For executables; a library leaves the choice to the program that uses
 * it.
 */
export function lookUpByProgram(): void {
  useLookup(programLookup);
}

interface Asked {
  readonly error: { readonly code?: string | number | null | undefined } | null;
  readonly output: string;
}

/**
 * Parses the addresses in getent's output, in its order, of one family or (0 or
 * `undefined`) of both.
 */
function addressesIn(
  output: string,
  family: number | 'IPv4' | 'IPv6' | undefined,
): LookupAddress[] {
  const wanted = family === 'IPv4' ? 4 : family === 'IPv6' ? 6 : (family ?? 0);
  const addresses = new Set(output.split('\n').map((line) => line.split(/\s/, 1)[0] ?? ''));
  return [...addresses]
    .map((address) => ({ address, family: isIP(address) }))
    .filter((each) => each.family !== 0 && (wanted === 0 || each.family === wanted));
}

/** Creates the error that Node's own lookup would return. */
function failure(host: string, error: Asked['error']): NodeJS.ErrnoException {
  const code = error === null || error.code === NOT_FOUND ? 'ENOTFOUND' : 'EAI_AGAIN';
  return Object.assign(new Error(`getaddrinfo ${code} ${host}`), {
    code,
    syscall: 'getaddrinfo',
    hostname: host,
  });
}
