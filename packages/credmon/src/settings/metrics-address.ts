// What the daemon offers to other processes of this host: the directory of the users' own
// view (CREDMON_RUN_DIR) and the address of the metrics (CREDMON_METRICS_LISTEN).
import type { KnobReader } from '@credmon/core/config';
import { isAbsolute } from 'node:path';

/** An address of the listener. Port 0: the system chooses one. */
export type MetricsAddress =
  | { readonly kind: 'tcp'; readonly host: '127.0.0.1' | '::1'; readonly port: number }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'fd'; readonly descriptor: number };

const FORMS = 'unix:/path, fd:N, 127.0.0.1:PORT or [::1]:PORT';

/**
 * Returns the configured address, `undefined` if there is none. Mistakes are added to
 * `read`.
 */
export function readMetricsAddress(read: KnobReader): MetricsAddress | undefined {
  const text = read.string('CREDMON_METRICS_LISTEN');
  if (text === undefined) return undefined;
  const address = parseMetricsAddress(text);
  if (typeof address !== 'string') return address;
  read.mistake('CREDMON_METRICS_LISTEN', `is ${JSON.stringify(text)}: ${address}`);
  return undefined;
}

/**
 * Parses an address; for an invalid one, returns the end of a sentence with the reason.
 */
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
  return (
    `${host} is not a loopback address, and access needs no login; use ${FORMS}, ` +
    'with a web server in front for remote access'
  );
}

/** Returns the address as configured. */
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

/** Switches the users' own view off. */
const OFF = 'none';

/**
 * Returns the configured directory; `undefined` if it is switched off. Mistakes are added
 * to `read`. It must not be in the credential directory, which users cannot enter: there,
 * the default is off.
 */
export function readRunDirectory(read: KnobReader, credDir: string): string | undefined {
  const knob = 'CREDMON_RUN_DIR';
  const text = read.string(knob);
  if (text.toLowerCase() === OFF) return undefined;
  const path = text.replace(/(?<=.)\/+$/, '');
  if (!isAbsolute(path))
    read.mistake(knob, `is ${JSON.stringify(text)}: it must be an absolute path, or ${OFF}`);
  else if (!isBelow(path, credDir)) return path;
  else if (read.place(knob) !== 'default')
    read.mistake(knob, `= ${text} is in the credential directory, which users cannot enter`);
  return undefined;
}

function isBelow(path: string, directory: string): boolean {
  return directory !== '' && `${path}/`.startsWith(`${directory.replace(/\/+$/, '')}/`);
}
