// Looks names up so that a name server that does not answer holds up one thread, however many
// connections want it.
import dns, { type LookupAddress, type LookupOptions } from 'node:dns';

/** How Node tells what it found: one address with its family, or all. */
type Found = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/** A look-up as sockets take it. @see the `lookup` option of node:net */
export type Lookup = (host: string, options: LookupOptions, found: Found) => void;

let systemLookup: Lookup = (...asked) => dns.lookup(...asked);

/**
 * Sets how this process looks names up from now on, where no other way is given; `other`
 * gets Node's own way.
 */
export function useLookup(other: (nodes: Lookup) => Lookup): void {
  systemLookup = other((...asked) => dns.lookup(...asked));
}

/**
 * A {@link Lookup} that asks the system once for all who ask for the same while it is
 * under way. The system's own look-up blocks a thread of a small pool until its resolver
 * gives up, long after the connection that wanted it has.
 */
export function sharedLookup(ask: Lookup = (...asked) => systemLookup(...asked)): Lookup {
  const underWay = new Map<string, Found[]>();
  return (host, options, found) => {
    const key = JSON.stringify([host, options]);
    const others = underWay.get(key);
    if (others) return void others.push(found);
    const all = [found];
    underWay.set(key, all);
    ask(host, options, (error, address, family) => {
      underWay.delete(key);
      for (const tell of all) tell(error, address, family);
    });
    return undefined;
  };
}

/**
 * A {@link Lookup} that lets nobody who answers for names lead `localhost` to another
 * machine: it is spoken to without TLS.
 * @see RFC 6761, section 6.3
 */
export function trueLocalhost(lookup: Lookup): Lookup {
  return (host, options, found) =>
    lookup(host, options, (error, address, family) => {
      const all =
        typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
      const misled = !error && host === 'localhost' && !all.every(isLoopbackAddress);
      found(
        misled ? new Error('localhost leads to another machine; see /etc/hosts') : error,
        address,
        family,
      );
    });
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address);
}
