// Somebody who answers for names: for as long as it lasts, every name that this process
// looks up leads to the same addresses.
import dns, { type LookupAddress } from 'node:dns';

type Done = (error: null, found: string | LookupAddress[], family?: number) => void;

/** Misleads all names to IPv4 addresses; calling the answer ends it. */
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
