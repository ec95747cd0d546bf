// Manipulated name lookups: all names that this process looks up resolve to the same
// addresses.
import dns, { type LookupAddress } from 'node:dns';

type Done = (error: null, found: string | LookupAddress[], family?: number) => void;

/** Resolves all names to IPv4 addresses until the returned function is called. */
export function misleadNames(...addresses: readonly string[]): () => void {
  const honest = dns.lookup;
  const misled = (_host: string, options: { readonly all?: boolean } | Done, done?: Done): void => {
    const all = typeof options === 'object' && options.all === true;
    const answer = typeof options === 'function' ? options : done;
    const found = addresses.map((address) => ({ address, family: 4 }));
    if (all) answer?.(null, found);
    else answer?.(null, addresses[0] ?? '', 4);
  };
  dns.lookup = misled as typeof dns.lookup;
  return () => {
    dns.lookup = honest;
  };
}
