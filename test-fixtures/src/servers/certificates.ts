// A certificate authority for one test run, and a server certificate for this machine,
// created with openssl.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The paths of the PEM files; `ca` is the text of the authority. */
export interface Certificates {
  readonly caFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly ca: string;
}

/**
 * Creates an authority and a certificate for `localhost`, 127.0.0.1 and ::1 in
 * `directory`.
 */
export function makeCertificates(directory: string): Certificates {
  const path = (name: string): string => join(directory, name);
  const make = (name: string, rest: readonly string[]): void => {
    const key = [
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-keyout',
      path(`${name}.key`),
    ];
    execFileSync(
      'openssl',
      ['req', '-x509', ...key, '-out', path(`${name}.crt`), '-days', '2', ...rest],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
  };
  make('ca', ['-subj', '/CN=credmon test authority']);
  const signer = ['-CA', path('ca.crt'), '-CAkey', path('ca.key')];
  const names = ['-addext', 'subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1'];
  const leaf = ['-addext', 'basicConstraints=critical,CA:FALSE'];
  make('server', ['-subj', '/CN=localhost', ...signer, ...leaf, ...names]);
  return {
    caFile: path('ca.crt'),
    certificateFile: path('server.crt'),
    keyFile: path('server.key'),
    ca: readFileSync(path('ca.crt'), 'utf8'),
  };
}
