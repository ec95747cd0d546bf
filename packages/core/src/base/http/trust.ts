// Whom TLS trusts: Node's own list, the system's certificate store, the grid's
// authorities and those of knobs, read when first needed.
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { existsSync } from 'node:fs';
import { systemClock } from '../time/clock.ts';
import { CodedError } from '../errors/errors.ts';
import {
  bodyOf,
  findCertificateFiles,
  readCertificates,
  versionOfPlaces,
  type FoundFile,
  type TrustPath,
  type TrustPlaces,
} from './trust-files.ts';

/**
 * What an administrator named: paths of AUTH_SSL_CLIENT_CAFILE and AUTH_SSL_CLIENT_CADIR;
 * `knobs` names them in messages.
 */
export interface NamedTrust {
  readonly caFile: string | undefined;
  readonly caDirectory: string | undefined;
  readonly knobs: string;
}

/**
 * The authorities as the files are now. The same value as long as nothing has changed.
 */
export interface TrustState {
  readonly context: SecureContext;
  /** How many different certificates are trusted. */
  readonly count: number;
  /**
   * Where they are from, and how many each place has; `Node.js` is the list that is
   * compiled in.
   */
  readonly sources: readonly { readonly path: string; readonly count: number }[];
  /** One sentence for each file or directory that was skipped. */
  readonly problems: readonly string[];
}

/** Trusted authorities that follow their files. */
export interface Trust {
  /**
   * The authorities now. Files are read at the first call; whether they changed is looked
   * at every few seconds.
   * @throws CodedError `CONFIG_READ` where named authorities alone count and cannot be
   * read
   */
  current(): TrustState;
  /** Makes the next call of `current` look at every file again. */
  renew(): void;
  /**
   * What an administrator does about an authority that is missing: words after "fix:".
   */
  readonly remedy: string;
}

/**
 * How authorities are found. `only`: the named ones alone count. `trouble` learns once of
 * each file that is skipped.
 */
export interface TrustOptions {
  readonly named?: () => NamedTrust | undefined;
  readonly only?: boolean;
  readonly trouble?: (text: string) => void;
  /**
   * SSL_CERT_FILE, SSL_CERT_DIR and NODE_EXTRA_CA_CERTS count. Default: the process's.
   */
  readonly environment?: Readonly<Record<string, string | undefined>>;
  /** The usual places. Default: {@link USUAL_PLACES}. */
  readonly usual?: { readonly files: readonly string[]; readonly directories: readonly string[] };
  /** Seconds on a line that no clock step moves. */
  readonly steady?: () => number;
}

/** The certificate stores of Debian, Red Hat, SUSE and Alpine, and the grid's. */
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

/**
 * Seconds between two looks at the places, and between two looks at each file in the
 * directories.
 */
const LOOK_SECONDS = 2;
const FULL_LOOK_SECONDS = 60;

/** Trust as the options say. Nothing is read before the first `current`. */
export function createTrust(options: TrustOptions = {}): Trust {
  const { steady = () => systemClock.steady(), only = false, trouble } = options;
  let state: TrustState | undefined;
  let looked = { at: -Infinity, fullAt: -Infinity, version: '', fullVersion: '' };
  let said = new Set<string>();
  const build = (
    found: readonly FoundFile[],
  ): { readonly state: TrustState; readonly whole: boolean } => {
    const { next, whole } = stateOf(found, options);
    if (!whole && state) return { state, whole };
    for (const problem of next.problems) if (!said.has(problem)) trouble?.(problem);
    said = new Set(next.problems);
    return { state: next, whole };
  };
  return {
    current: () => {
      const now = steady();
      // Of named files alone there are two at the most: each request looks at them.
      if (state && !only && now - looked.at < LOOK_SECONDS) return state;
      const places = placesOf(options);
      const version = JSON.stringify(places) + versionOfPlaces(places);
      if (state && version === looked.version && now - looked.fullAt < FULL_LOOK_SECONDS) {
        looked = { ...looked, at: now };
        return state;
      }
      const found = findCertificateFiles(places);
      const fullVersion = JSON.stringify(found);
      let whole = true;
      if (!state || fullVersion !== looked.fullVersion) ({ state, whole } = build(found));
      looked = whole
        ? { at: now, fullAt: now, version, fullVersion }
        : { at: now, fullAt: -Infinity, version: '', fullVersion: '' };
      return state;
    },
    renew: () => {
      looked = { ...looked, at: -Infinity, fullAt: -Infinity };
    },
    get remedy() {
      return remedyOf(options);
    },
  };
}

function placesOf({
  named,
  only = false,
  environment = process.env,
  usual = USUAL_PLACES,
}: TrustOptions): TrustPlaces {
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
 * What this process or host is short of for a moment: the files are read again at the
 * next look, and until then the old state counts.
 */
const SHORTAGES = new Set(['EMFILE', 'ENFILE', 'ENOMEM', 'EAGAIN', 'EINTR']);

function stateOf(
  found: readonly FoundFile[],
  { only = false }: TrustOptions,
): { readonly next: TrustState; readonly whole: boolean } {
  const all = new Map((only ? [] : rootCertificates).map((pem) => [bodyOf(pem), pem]));
  const sources = only ? [] : [{ path: 'Node.js', count: all.size }];
  const known = new Set(all.keys());
  const problems: string[] = [];
  let whole = true;
  const counts = new Map<string, number>();
  for (const file of found) {
    const read =
      'problem' in file
        ? { certificates: [], problem: file.problem }
        : readCertificates(file.path, known);
    whole &&= !SHORTAGES.has(read.problem ?? '');
    if (only && whole && read.certificates.length === 0 && file.path === file.place.path)
      throw unreadable(file.place, read.problem ?? 'no certificate in it');
    if (read.problem !== undefined)
      problems.push(problemText(file, read.problem, read.certificates.length));
    for (const pem of read.certificates) {
      const body = bodyOf(pem);
      known.add(body);
      all.set(body, pem);
    }
    const { path } = file.place;
    if (read.certificates.length > 0)
      counts.set(path, (counts.get(path) ?? 0) + read.certificates.length);
  }
  for (const [path, count] of counts) sources.push({ path, count });
  // Each certificate for itself: OpenSSL stops reading a text at the first one that it
  // cannot parse.
  const context = createSecureContext({ ca: [...all.values()] });
  return { next: { context, count: all.size, sources, problems }, whole };
}

function problemText({ path, place: { by } }: FoundFile, problem: string, usable: number): string {
  const named = by === undefined ? '' : ` (named by ${by})`;
  const rest = usable > 0 ? 'these are skipped' : 'skipped';
  return `certificate authorities in ${path}${named}: ${problem}; ${rest}`;
}

function unreadable({ path, by = '' }: TrustPath, problem: string): CodedError {
  return new CodedError(
    'CONFIG_READ',
    `the certificate authorities in ${path} cannot be read (${problem}); see ${by}`,
    { path },
  );
}

function remedyOf({ only = false, named }: TrustOptions): string {
  const { caFile, caDirectory, knobs } = named?.() ?? {};
  if (only)
    return `add its certificate (PEM) to ${caFile ?? caDirectory ?? ''}, which ${knobs ?? ''} names; no other authority counts there`;
  const store = existsSync('/etc/pki/ca-trust')
    ? 'copy its certificate (PEM) to /etc/pki/ca-trust/source/anchors/ and run update-ca-trust'
    : 'copy its certificate (PEM) to /usr/local/share/ca-certificates/NAME.crt and run update-ca-certificates';
  return `${store}, or name the file in AUTH_SSL_CLIENT_CAFILE`;
}

/** The authorities and their sources in one line, for a person. */
export function trustText({ count, sources }: TrustState): string {
  const parts = sources.map((source) => `${source.path} (${source.count})`);
  return `${count} certificate authorities are trusted, from ${parts.join(', ') || 'no file'}`;
}

let shared: Trust | undefined;

/**
 * The trust of a program without knobs: everything but what knobs name. One for the whole
 * process.
 */
export function systemTrust(): Trust {
  return (shared ??= createTrust());
}
