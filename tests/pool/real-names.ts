// Issuers of a test under their real names in a machine, and the portal under its own: nginx
// in front of them, with a certificate that all programs of the machine accept.
import { appendFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Namespace } from '@credmon/test-fixtures/pool/namespace';
import {
  ORIGIN_HEADER,
  type ProfileIssuer,
} from '@credmon/test-fixtures/profile-issuers/profile-issuer';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import type { Shell } from './shell.ts';

/** The name of the portal, and where it listens. */
export const PORTAL = 'ap.example.org';
export const SOCKET = '/run/condor_credmon_web/socket';

/** The hosts of an issuer under its real names. */
function hostsOf({ issuer, endpoints }: ProfileIssuer): string[] {
  const urls = [issuer, ...Object.values(endpoints as object)] as (string | undefined)[];
  return [...new Set(urls.flatMap((url) => (url === undefined ? [] : [new URL(url).host])))];
}

/** Starts nginx for these issuers and the portal. */
export async function startNames(
  machine: Namespace,
  shell: Shell,
  issuers: readonly ProfileIssuer[],
): Promise<void> {
  const hosts = [PORTAL, ...issuers.flatMap(hostsOf)];
  const folder = mkdtempSync(join(tmpdir(), 'credmon-names-'));
  const made = makeCertificates(folder, { names: hosts.map((host) => `DNS:${host}`).join() });
  shell.write('/usr/local/share/ca-certificates/authority.crt', made.ca);
  shell.write('/etc/ssl/certs/names.pem', readFileSync(made.certificateFile, 'utf8'));
  shell.write('/etc/ssl/private/names.key', readFileSync(made.keyFile, 'utf8'), 0o600);
  rmSync(folder, { recursive: true });
  appendFileSync(machine.path('/etc/hosts'), `127.0.0.1 ${hosts.join(' ')}\n`);
  const server = (host: string, location: string): string =>
    `server { listen 443 ssl; server_name ${host};
  ssl_certificate /etc/ssl/certs/names.pem; ssl_certificate_key /etc/ssl/private/names.key;
  location / { ${location} } }\n`;
  const servers = issuers.flatMap((issuer) =>
    hostsOf(issuer).map((host) =>
      server(host, `proxy_pass ${issuer.url}; proxy_set_header ${ORIGIN_HEADER} https://${host};`),
    ),
  );
  const portal = `proxy_pass http://unix:${SOCKET}; proxy_set_header Host $host; proxy_set_header X-Forwarded-Proto https;`;
  shell.write('/etc/nginx/conf.d/names.conf', [...servers, server(PORTAL, portal)].join(''));
  for (const { url } of issuers) await machine.bringIn(Number(new URL(url).port));
  await shell.must(`update-ca-certificates
install -d -o condor -g www-data -m 2750 ${SOCKET.replace('/socket', '')}
`);
  machine.start(['/usr/sbin/nginx', '-g', 'daemon off;']);
}
