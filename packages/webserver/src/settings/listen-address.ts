// Reads where to listen: the --listen flag and the knob CREDMON_WEB_LISTEN.
import type { ListenAddress } from './settings.ts';

/**
 * Reads `HOST:PORT`, `[IPv6]:PORT`, `PORT` (on loopback), `unix:/path` or `fd:N`.
 * @returns the address, or what is wrong with the text
 */
export function parseListenAddress(
  text: string,
): ListenAddress | { readonly kind: 'wrong'; readonly why: string } {
  const unix = /^unix:(.*)$/s.exec(text)?.[1];
  if (unix !== undefined)
    return unix.startsWith('/')
      ? { kind: 'unix', path: unix }
      : wrong('unix: needs an absolute path');
  const fd = /^fd:(\d{1,4})$/.exec(text)?.[1];
  if (fd !== undefined) return { kind: 'fd', descriptor: Number(fd) };
  const tcp = /^(?:(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9._-]+)):)?(\d{1,5})$/.exec(text);
  const port = Number(tcp?.[3] ?? -1);
  if (port < 0 || port > 65_535) return wrong('write HOST:PORT, unix:/path or fd:N');
  return { kind: 'tcp', host: tcp?.[1] ?? tcp?.[2] ?? '127.0.0.1', port };
}

const wrong = (why: string): { kind: 'wrong'; why: string } => ({ kind: 'wrong', why });
