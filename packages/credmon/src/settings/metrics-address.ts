// Where the metrics are served, CREDMON_METRICS_LISTEN: on this machine only, because
// nobody has to log in to read them.
import type { KnobReader } from '@credmon/core/config';

/** An address of the listener. Port 0 is one that the system chooses. */
export type MetricsAddress =
  | { readonly kind: 'tcp'; readonly host: '127.0.0.1' | '::1'; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fd'; readonly descriptor: number };

const FORMS = 'unix:/path, fd:N, 127.0.0.1:PORT or [::1]:PORT';

/**
 * The address in the configuration, `undefined` when there is to be none. Mistakes are
 * noted in `read`.
 */
export function readMetricsAddress(read: KnobReader): MetricsAddress | undefined {
  const text = read.string('CREDMON_METRICS_LISTEN');
  if (text === undefined) return undefined;
  const address = parseMetricsAddress(text);
  if (typeof address !== 'string') return address;
  read.mistake('CREDMON_METRICS_LISTEN', `is ${JSON.stringify(text)}: ${address}`);
  return undefined;
}

/** Reads an address; for a wrong one, the end of a sentence that says why. */
export function parseMetricsAddress(text: string): MetricsAddress | string {
  const path = /^unix:(.*)$/s.exec(text)?.[1];
  if (path !== undefined)
    return path.startsWith('/') ? { kind: 'unix', path } : 'unix: needs an absolute path';
  const descriptor = /^fd:(\d{1,4})$/.exec(text)?.[1];
  if (descriptor !== undefined) return { kind: 'fd', descriptor: Number(descriptor) };
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(text) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host === undefined || port > 65_535) return `it must be ${FORMS}`;
  if (host === '127.0.0.1' || host === '::1') return { kind: 'tcp', host, port };
  return `${host} can be reached from elsewhere, and nobody has to log in here; write ${FORMS}, and let a web server in front do the rest`;
}

/** The address as it is in the configuration. */
export function addressText(address: MetricsAddress): string {
  switch (address.kind) {
    case 'unix':
      return `unix:${address.path}`;
    case 'fd':
      return `fd:${address.descriptor}`;
    case 'tcp':
      return address.host === '::1' ? `[::1]:${address.port}` : `127.0.0.1:${address.port}`;
  }
}
