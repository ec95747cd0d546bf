// Name look-ups by a program, for processes that must be able to end at any moment.
import { execFile, type ChildProcess } from 'node:child_process';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { createSemaphore } from '../http/semaphore.ts';
import { useLookup, type Lookup } from '../http/lookup.ts';

/** Look-ups under way at a time; the others wait. */
const AT_ONCE = 32;
/**
 * After so many milliseconds the connection that wanted the address has long been given
 * up.
 */
const PATIENCE = 15_000;
/** getent's exit code for a name that is not there. @see getent(1) */
const NOT_FOUND = 2;

/**
 * A {@link Lookup} that asks getent(1), which resolves names as every program of this
 * machine does. Node's own look-up blocks a thread until the resolver gives up, and the
 * process cannot end before that; a program is ended with the process. Where there is no
 * getent, and for `localhost`, `otherwise` is asked.
 */
export function programLookup(otherwise: Lookup): Lookup {
  const semaphore = createSemaphore(AT_ONCE);
  const running = new Set<ChildProcess>();
  process.on('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
  const ask = (host: string): Promise<Asked> =>
    new Promise((resolve) => {
      const options = { encoding: 'utf8', timeout: PATIENCE, killSignal: 'SIGKILL' } as const;
      const child = execFile('getent', ['ahosts', '--', host], options, (error, output) => {
        running.delete(child);
        resolve({ error, output });
      });
      running.add(child);
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
 * From now on this process looks names up by a program, so that it can end while a name
 * server is silent. For executables; a library leaves the choice to the program that uses
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
 * The addresses in getent's output, in its order, of one family or (0 or `undefined`) of
 * both.
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

/** The error as Node's own look-up gives it. */
function failure(host: string, error: Asked['error']): NodeJS.ErrnoException {
  const code = error === null || error.code === NOT_FOUND ? 'ENOTFOUND' : 'EAI_AGAIN';
  return Object.assign(new Error(`getaddrinfo ${code} ${host}`), {
    code,
    syscall: 'getaddrinfo',
    hostname: host,
  });
}
