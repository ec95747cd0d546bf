// Somebody who answers for names: for as long as it lasts, every name that this process looks up leads to one address.
import dns, { type LookupAddress } from 'node:dns';

type Done = (error: null, found: string | LookupAddress[], family?: number) => void;

/** Misleads all names to an IPv4 address; calling the answer ends it. */
export function misleadNames(address: string): () => void {
  const honest = dns.lookup;
  const misled = (_host: string, options: { readonly all?: boolean } | Done, done?: Done): void => {
    const all = typeof options === 'object' && options.all === true;
    const answer = typeof options === 'function' ? options : done;
    if (all) answer?.(null, [{ address, family: 4 }]);
    else answer?.(null, address, 4);
  };
  dns.lookup = misled as typeof dns.lookup;
  return () => {
    dns.lookup = honest;
  };
}
