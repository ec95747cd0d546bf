// Certificate files: where they are, their existence, changes and contents. Nothing here
// throws for a bad file.
import { X509Certificate } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '../errors/errors.ts';

/**
 * A file or directory of certificates. `by` is the knob or variable that names it;
 * without `by`, a missing one is not a problem.
 */
export interface TrustPath {
  readonly path: string;
  readonly by?: string;
}

/** The files and directories with certificate authorities. */
export interface TrustPlaces {
  readonly files: readonly TrustPath[];
  readonly directories: readonly TrustPath[];
}

/**
 * The administrator's settings: paths of AUTH_SSL_CLIENT_CAFILE and
 * AUTH_SSL_CLIENT_CADIR; `knobs` names them in messages.
 */
export interface NamedTrust {
  readonly caFile: string | undefined;
  readonly caDirectory: string | undefined;
  readonly knobs: string;
}

/**
 * The certificate stores of Debian, Red Hat, SUSE and Alpine, and the grid's directory.
 */
export const USUAL_PLACES = {
  files: [
    '/etc/ssl/certs/ca-certificates.crt',
    '/etc/pki/tls/certs/ca-bundle.crt',
    '/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
    '/etc/ssl/ca-bundle.pem',
    '/etc/ssl/cert.pem',
  ],
  directories: ['/etc/grid-security/certificates'],
} as const;

/** Where to look. `only`: only in the named places. */
export interface PlaceOptions {
  readonly named?: () => NamedTrust | undefined;
  readonly only?: boolean;
  /**
   * For SSL_CERT_FILE, SSL_CERT_DIR and NODE_EXTRA_CA_CERTS. Default: the process's
   * environment.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The default paths. Default: {@link USUAL_PLACES}. */
  readonly usual?: { readonly files: readonly string[]; readonly directories: readonly string[] };
}

/** Returns the files and directories: default ones, those of variables, and the named ones. */
export function trustPaths({
  named,
  only = false,
  environment = process.env,
  usual = USUAL_PLACES,
}: PlaceOptions): TrustPlaces {
  const { caFile, caDirectory, knobs = '' } = named?.() ?? {};
  const by = (paths: readonly (string | undefined)[], name: string): TrustPath[] =>
    paths.flatMap((path) => (path === undefined || path === '' ? [] : [{ path, by: name }]));
  const files = by([caFile], knobs);
  const directories = by([caDirectory], knobs);
  if (only) return { files, directories };
  const { SSL_CERT_FILE, SSL_CERT_DIR, NODE_EXTRA_CA_CERTS } = environment;
  return {
    files: [
      ...usual.files.map((path) => ({ path })),
      ...by([SSL_CERT_FILE], 'SSL_CERT_FILE'),
      ...by([NODE_EXTRA_CA_CERTS], 'NODE_EXTRA_CA_CERTS'),
      ...files,
    ],
    directories: [
      ...usual.directories.map((path) => ({ path })),
      ...by(SSL_CERT_DIR?.split(':') ?? [], 'SSL_CERT_DIR'),
      ...directories,
    ],
  };
}

/**
 * A found file (`version` changes with its contents), or a path that cannot be used and
 * the reason.
 */
export type FoundFile =
  | { readonly path: string; readonly place: TrustPath; readonly version: string }
  | { readonly path: string; readonly place: TrustPath; readonly problem: string };

/** Certificate files with more bytes are not read. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/**
 * Names of certificates in a directory, as OpenSSL and the grid write them: hash links,
 * `.pem`, `.crt` and `.cer`; not CRLs (`.r0`) or policies.
 */
const CERTIFICATE_NAME = /\.(\d+|pem|crt|cer)$/;

/**
 * Returns a text that changes when one of the paths changes. Files edited in place inside
 * a directory are not noticed.
 */
export function versionOfPlaces({ files, directories }: TrustPlaces): string {
  return [...files, ...directories].map(({ path }) => versionOfPath(path)).join('\n');
}

function versionOfPath(path: string): string {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    return stats ? versionOf(stats) : '';
  } catch (error) {
    return codeOf(error);
  }
}

const versionOf = ({ dev, ino, mtimeMs, ctimeMs, size }: Stats): string =>
  [dev, ino, mtimeMs, ctimeMs, size].join(':');

/** Returns all certificate files, each once even if several links point to it. */
export function findCertificateFiles({ files, directories }: TrustPlaces): FoundFile[] {
  const seen = new Set<string>();
  const found = files.flatMap((place) => look(place.path, place, seen));
  for (const place of directories) for (const file of lookInto(place, seen)) found.push(file);
  return found;
}

function lookInto(place: TrustPath, seen: Set<string>): FoundFile[] {
  let names: string[];
  try {
    names = readdirSync(place.path).filter((name) => CERTIFICATE_NAME.test(name));
  } catch (error) {
    const code = codeOf(error);
    return code === 'ENOENT' && place.by === undefined
      ? []
      : [{ path: place.path, place, problem: code }];
  }
  return names.sort().flatMap((name) => look(join(place.path, name), place, seen));
}

function look(path: string, place: TrustPath, seen: Set<string>): FoundFile[] {
  try {
    const stats = statSync(path, { throwIfNoEntry: false });
    if (!stats) return missing(path, place);
    const identity = `${stats.dev}:${stats.ino}`;
    if (seen.has(identity)) return [];
    seen.add(identity);
    if (!stats.isFile()) return [{ path, place, problem: 'not a regular file' }];
    if (stats.size > MAX_FILE_BYTES)
      return [{ path, place, problem: `larger than ${MAX_FILE_BYTES / 2 ** 20} MiB` }];
    return [{ path, place, version: versionOf(stats) }];
  } catch (error) {
    return [{ path, place, problem: codeOf(error) }];
  }
}

/**
 * A default path may be missing, and a file may vanish while its directory is read. A
 * dangling link is a problem.
 */
function missing(path: string, place: TrustPath): FoundFile[] {
  const named = place.by !== undefined && place.path === path;
  const dangling = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  return named || dangling ? [{ path, place, problem: 'ENOENT' }] : [];
}

/** Certificates as PEM texts, and the problem of the file, if any. */
export interface CertificatesRead {
  readonly certificates: readonly string[];
  readonly problem?: string;
}

/**
 * Reads one certificate file, PEM or DER. `known` contains certificates, by {@link
 * bodyOf}, that need no validation again.
 */
export function readCertificates(path: string, known: ReadonlySet<string>): CertificatesRead {
  try {
    return certificatesIn(readFileSync(path), known);
  } catch (error) {
    return { certificates: [], problem: codeOf(error) };
  }
}

const PEM = /-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----([^-]*)-----END \1-----/g;
const BEGIN = /-----BEGIN (?:X509 |TRUSTED )?CERTIFICATE-----/g;

/**
 * Returns the certificates in the bytes of a file and ignores other text. A malformed
 * certificate does not hide the next one.
 */
export function certificatesIn(bytes: Buffer, known: ReadonlySet<string>): CertificatesRead {
  const text = bytes.toString('latin1');
  const begun = text.match(BEGIN)?.length ?? 0;
  if (begun === 0) return certificateInDer(bytes);
  const certificates = [...text.matchAll(PEM)].flatMap(([, label = '', inner = '']) => {
    const body = inner.replaceAll(/\s+/g, '');
    // 64 characters: the line length that every PEM parser accepts.
    const lines = body.match(/.{1,64}/g)?.join('\n') ?? '';
    const pem = `-----BEGIN ${label}-----\n${lines}\n-----END ${label}-----\n`;
    return known.has(body) || isCertificate(pem) ? [pem] : [];
  });
  const bad = begun - certificates.length;
  if (bad === 0) return { certificates };
  return {
    certificates,
    problem: begun === 1 ? 'malformed certificate' : `${bad} of ${begun} certificates malformed`,
  };
}

function certificateInDer(bytes: Buffer): CertificatesRead {
  const pem = bytes[0] === 0x30 ? pemOf(bytes) : undefined;
  return pem === undefined
    ? { certificates: [], problem: 'contains no certificate' }
    : { certificates: [pem] };
}

function isCertificate(pem: string): boolean {
  return pemOf(pem) !== undefined;
}

function pemOf(certificate: string | Buffer): string | undefined {
  try {
    return new X509Certificate(certificate).toString();
  } catch {
    // OpenSSL's message has no details; the caller names the file.
    return undefined;
  }
}

/** Returns the base64 text of a PEM certificate without line breaks, for comparison. */
export function bodyOf(pem: string): string {
  return pem.replaceAll(/-----[^-]*-----|\s+/g, '');
}

function codeOf(error: unknown): string {
  return systemCode(error) ?? messageOf(error);
}
