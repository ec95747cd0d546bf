// Certificate files: which of them exist, whether they changed, and the certificates in
// them. Nothing here throws for a bad file.
import { X509Certificate } from 'node:crypto';
import { lstatSync, readFileSync, readdirSync, statSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { messageOf, systemCode } from '../errors/errors.ts';

/**
 * A file or directory of certificates. `by` is the knob or variable that names it;
 * without it, a missing one is not a problem.
 */
export interface TrustPath {
  readonly path: string;
  readonly by?: string;
}

/** Where certificate authorities are read from. */
export interface TrustPlaces {
  readonly files: readonly TrustPath[];
  readonly directories: readonly TrustPath[];
}

/**
 * A file that was found (`version` changes with its contents), or a place that cannot be
 * used and the reason.
 */
export type FoundFile =
  | { readonly path: string; readonly place: TrustPath; readonly version: string }
  | { readonly path: string; readonly place: TrustPath; readonly problem: string };

/** A certificate file with more bytes is not read. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;

/**
 * As OpenSSL and the grid name certificates in a directory: hash links, `.pem`, `.crt`
 * and `.cer`; no CRLs (`.r0`), no policies.
 */
const CERTIFICATE_NAME = /\.(\d+|pem|crt|cer)$/;

/**
 * A text that changes when one of the places changes; files that were changed in place
 * inside a directory are not noticed.
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

/** All certificate files of the places, each once, however many links lead to it. */
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
 * A usual place may be missing, and a file may vanish while its directory is read; a link
 * to nothing is a problem.
 */
function missing(path: string, place: TrustPath): FoundFile[] {
  const named = place.by !== undefined && place.path === path;
  const dangling = lstatSync(path, { throwIfNoEntry: false }) !== undefined;
  return named || dangling ? [{ path, place, problem: 'ENOENT' }] : [];
}

/** Certificates as PEM texts, and what is wrong with the file, if anything. */
export interface CertificatesRead {
  readonly certificates: readonly string[];
  readonly problem?: string;
}

/**
 * Reads one certificate file, PEM or DER. `known` holds certificates that need no second
 * look, by {@link bodyOf}.
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
 * The certificates in the bytes of a file, whatever text is around them. One malformed
 * certificate does not hide the next.
 */
export function certificatesIn(bytes: Buffer, known: ReadonlySet<string>): CertificatesRead {
  const text = bytes.toString('latin1');
  const begun = text.match(BEGIN)?.length ?? 0;
  if (begun === 0) return certificateInDer(bytes);
  const certificates = [...text.matchAll(PEM)].flatMap(([, label = '', inner = '']) => {
    const body = inner.replaceAll(/\s+/g, '');
    // The line length that every reader of PEM accepts.
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
    ? { certificates: [], problem: 'no certificate in it' }
    : { certificates: [pem] };
}

function isCertificate(pem: string): boolean {
  return pemOf(pem) !== undefined;
}

function pemOf(certificate: string | Buffer): string | undefined {
  try {
    return new X509Certificate(certificate).toString();
  } catch {
    // OpenSSL says only that it is none; the caller names the file.
    return undefined;
  }
}

/**
 * The base64 text of a PEM certificate: equal for equal certificates, however their lines
 * are broken.
 */
export function bodyOf(pem: string): string {
  return pem.replaceAll(/-----[^-]*-----|\s+/g, '');
}

function codeOf(error: unknown): string {
  return systemCode(error) ?? messageOf(error);
}
