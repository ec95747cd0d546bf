// The trusted authorities of TLS: Node's own list, the system's certificate store, the
// grid's authorities and those named by knobs. Files are read on first use.
import { createSecureContext, rootCertificates, type SecureContext } from 'node:tls';
import { existsSync } from 'node:fs';
import { systemClock } from '../time/clock.ts';
import { CodedError } from '../errors/errors.ts';
import {
  bodyOf,
  findCertificateFiles,
  readCertificates,
  trustPaths,
  versionOfPlaces,
  type FoundFile,
  type PlaceOptions,
  type TrustPath,
} from './trust-files.ts';

/** The current authorities. The same object as long as nothing has changed. */
export interface TrustState {
  readonly context: SecureContext;
  /** The number of distinct trusted certificates. */
  readonly count: number;
  /**
   * The paths and the number of certificates from each; `Node.js` is the built-in list.
   */
  readonly sources: readonly { readonly path: string; readonly count: number }[];
  /** One sentence for each skipped file or directory. */
  readonly problems: readonly string[];
}

/** Trusted authorities that are updated when their files change. */
export interface Trust {
  /**
   * Returns the current authorities. Reads the files at the first call and checks for
   * changes every few seconds.
   * @throws CodedError `CONFIG_READ` if only named authorities are trusted and they
   * cannot be read
   */
  current(): TrustState;
  /** Makes the next call of `current` check every file again. */
  renew(): void;
  /** What an administrator does about a missing authority: the words after "fix:". */
  readonly remedy: string;
}

/**
 * How authorities are found. `trouble` is called once for each skipped file.
 */
export interface TrustOptions extends PlaceOptions {
  readonly trouble?: (text: string) => void;
  /** Seconds of a clock that ignores clock steps. */
  readonly steady?: () => number;
}

/** Seconds between two checks of the paths, and of each file in the directories. */
const LOOK_SECONDS = 2;
const FULL_LOOK_SECONDS = 60;

/** Creates a {@link Trust}. Reads nothing before the first `current`. */
export function createTrust(options: TrustOptions = {}): Trust {
  const { steady = () => systemClock.steady(), only = false, trouble } = options;
  let state: TrustState | undefined;
  let looked = { at: -Infinity, fullAt: -Infinity, version: '', fullVersion: '' };
  let reported = new Set<string>();
  const build = (
    found: readonly FoundFile[],
  ): { readonly state: TrustState; readonly whole: boolean } => {
    const { next, whole } = stateOf(found, options);
    if (!whole && state) return { state, whole };
    for (const problem of next.problems) if (!reported.has(problem)) trouble?.(problem);
    reported = new Set(next.problems);
    return { state: next, whole };
  };
  return {
    current: () => {
      const now = steady();
      // At most two named files: they are checked at each request.
      if (state && !only && now - looked.at < LOOK_SECONDS) return state;
      const places = trustPaths(options);
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

/**
 * Temporary shortages of this process or host: the files are read again at the next
 * check, and the old state is used until then.
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
      throw unreadable(file.place, read.problem ?? 'contains no certificate');
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
  // One text for each certificate: OpenSSL stops reading a text at the first certificate
  // that it cannot parse.
  const context = createSecureContext({ ca: [...all.values()] });
  return { next: { context, count: all.size, sources, problems }, whole };
}

function problemText({ path, place: { by } }: FoundFile, problem: string, usable: number): string {
  const named = by === undefined ? '' : ` (named by ${by})`;
  const rest = usable > 0 ? 'the others are used' : 'skipped';
  return `certificate authorities in ${path}${named}: ${problem}; ${rest}`;
}

function unreadable({ path, by = '' }: TrustPath, problem: string): CodedError {
  return new CodedError(
    'CONFIG_READ',
    `failed to read the certificate authorities in ${path} (${problem}); see ${by}`,
    { path },
  );
}

function remedyOf({ only = false, named }: TrustOptions): string {
  const { caFile, caDirectory, knobs } = named?.() ?? {};
  if (only)
    return (
      `add its certificate (PEM) to ${caFile ?? caDirectory ?? ''} ` +
      `(${knobs ?? ''}); no other authority is trusted there`
    );
  const store = existsSync('/etc/pki/ca-trust')
    ? 'copy its certificate (PEM) to /etc/pki/ca-trust/source/anchors/ and run update-ca-trust'
    : 'copy its certificate (PEM) to /usr/local/share/ca-certificates/NAME.crt and run update-ca-certificates';
  return `${store}, or name the file in AUTH_SSL_CLIENT_CAFILE`;
}

/** Returns one line with the number of authorities and their sources. */
export function trustText({ count, sources }: TrustState): string {
  const parts = sources.map((source) => `${source.path} (${source.count})`);
  return `${count} certificate authorities are trusted, from ${parts.join(', ') || 'no file'}`;
}

let shared: Trust | undefined;

/** Returns the trust of a program without knobs. One instance for the process. */
export function systemTrust(): Trust {
  return (shared ??= createTrust());
}
