// Shared name lookups: a name server that does not answer blocks one thread, not one for
// each connection.
import type { LookupAddress, LookupOptions } from 'node:dns';

/** The callback of a lookup: one address with its family, or all addresses. */
type Found = (
  error: NodeJS.ErrnoException | null,
  address: string | LookupAddress[],
  family?: number,
) => void;

/**
 * A lookup function for sockets.
 * @see the `lookup` option of node:net
 */
export type Lookup = (host: string, options: LookupOptions, found: Found) => void;

/** Loads the module at the first lookup: most commands make none. */
const nodeLookup: Lookup = (...asked) => process.getBuiltinModule('node:dns').lookup(...asked);

let systemLookup = nodeLookup;

/** Sets the default lookup of this process. `other` receives Node's own lookup. */
export function useLookup(other: (nodes: Lookup) => Lookup): void {
  systemLookup = other(nodeLookup);
}

/**
 * Returns a {@link Lookup} that asks the system once for equal concurrent requests. The
 * system's lookup blocks a thread of a small pool until its resolver gives up, long after
 * the connection has timed out.
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
 * Returns a {@link Lookup} that fails if `localhost` resolves to another machine: http to
 * localhost has no TLS.
 * @see RFC 6761, section 6.3
 */
export function trueLocalhost(lookup: Lookup): Lookup {
  return (host, options, found) =>
    lookup(host, options, (error, address, family) => {
      const all =
        typeof address === 'string' ? [address] : (address ?? []).map((one) => one.address);
      const misled = !error && host === 'localhost' && !all.every(isLoopbackAddress);
      found(
        misled ? new Error('localhost resolves to another machine; see /etc/hosts') : error,
        address,
        family,
      );
    });
}

function isLoopbackAddress(address: string): boolean {
  return address === '::1' || /^(::ffff:)?127(\.\d{1,3}){3}$/.test(address);
}
