// Device logins are for public clients: what is said of one with a secret. Pure.
import type { ConfiguredClient } from '../settings/clients.ts';

/**
 * Why nobody can log in by device code as this client: it has a secret, which the storer
 * must not read because it runs as the user. `undefined` for a public client.
 * @see RFC 8628, section 3.1; RFC 6749, section 2.1
 */
export function confidentialClient(
  service: string,
  { secretFile }: Pick<ConfiguredClient, 'secretFile'>,
): string | undefined {
  if (secretFile === undefined) return undefined;
  const knob = `${service}_CLIENT_SECRET_FILE`;
  return `${service} has a client secret (${knob} = ${secretFile}), and a device login runs as the user, who must not read it: the administrator registers a public client for device logins and leaves ${knob} out, or users log in with a browser instead`;
}
