// A certificate authority for one test run, and a server certificate for this machine,
// created with openssl.
import { execFileSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of the PEM files; `ca` is the text of the authority. */
export interface Certificates {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly ca: string;
}

/**
 * What the server's certificate says. `names` as OpenSSL writes them; `from` and `until`
 * as `20240201030405Z`.
 */
export interface CertificateOptions {
  readonly names?: string;
  readonly from?: string;
  readonly until?: string;
}

const KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout'];

/**
 * Creates an authority and a certificate, by default for `localhost`, 127.0.0.1 and ::1
 * and valid for two days, in `directory`.
 */
export function makeCertificates(
  directory: string,
  { names = 'DNS:localhost,IP:127.0.0.1,IP:::1', from, until }: CertificateOptions = {},
): Certificates {
  const path = (name: string): string => join(directory, name);
  const openssl = (...options: readonly string[]): void => {
    execFileSync('openssl', options, { cwd: directory, stdio: ['ignore', 'ignore', 'pipe'] });
  };
  const two = ['-days', '2'];
  const ca = ['-subj', '/CN=credmon test authority', '-out', 'ca.crt'];
  openssl('req', '-x509', ...KEY, 'ca.key', ...two, ...ca);
  const server = [...KEY, 'server.key', '-subj', '/CN=localhost'];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  const extensions = [...leaf, '-addext', `subjectAltName=${names}`];
  if (from === undefined && until === undefined) {
    const signer = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-out', 'server.crt'];
    openssl('req', '-x509', ...server, ...two, ...signer, ...extensions);
  } else {
    // Only `openssl ca` takes dates in all versions of OpenSSL.
    openssl('req', ...server, ...extensions, '-out', 'server.csr');
    writeFileSync(path('ca.conf'), CA_CONF);
    for (const [name, text] of [['index.txt', ''] as const, ['serial', '01\n'] as const])
      writeFileSync(path(name), text);
    const signer = ['-batch', '-config', 'ca.conf', '-cert', 'ca.crt', '-keyfile', 'ca.key'];
    const dates = ['-startdate', from ?? EARLY, '-enddate', until ?? LATE];
    openssl('ca', ...signer, ...dates, '-in', 'server.csr', '-notext', '-out', 'server.crt');
  }
  return readCertificates(directory);
}

/** What {@link makeCertificates} has left in `directory`. */
export function readCertificates(directory: string): Certificates {
  const path = (name: string): string => join(directory, name);
  return {
    caFile: path('ca.crt'),
    certificateFile: path('server.crt'),
    keyFile: path('server.key'),
    ca: readFileSync(path('ca.crt'), 'utf8'),
  };
}

const [EARLY, LATE] = ['20000101000000Z', '21000101000000Z'];

const CA_CONF = `[ca]
default_ca = test
[test]
database = index.txt
serial = serial
new_certs_dir = .
default_md = sha256
policy = names
copy_extensions = copy
unique_subject = no
[names]
commonName = supplied
`;
