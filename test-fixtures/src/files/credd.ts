// Plays condor_credd for tests and the demo: key files, stored credentials, marks and
// sweeps, byte for byte as CredD leaves them.
import { randomBytes } from 'node:crypto';
import {
  closeSync,
  existsSync,
  fchmodSync,
  lstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

/** One ad of a key file: every attribute is always there, empty when unset. */
export interface KeyFileAd {
  readonly Handle: string;
  readonly Scopes: string;
  readonly Audience: string;
  readonly ClientId: string;
  readonly Provider: string;
  readonly TokenUrl: string;
  readonly LocalUser: string;
  readonly ReturnUrl: string;
  readonly ClientSecret: string;
  readonly AuthorizationUrl: string;
}

/** A key file that was written, and the address that condor_submit would print for it. */
export interface KeyFile {
  readonly key: string;
  readonly path: string;
  readonly url: string;
}

/** CredD's order: by length of the name, then by alphabet. */
const ORDER: readonly (keyof KeyFileAd)[] = [
  'Handle',
  'Scopes',
  'Audience',
  'ClientId',
  'Provider',
  'TokenUrl',
  'LocalUser',
  'ReturnUrl',
  'ClientSecret',
  'AuthorizationUrl',
];

/**
 * The text of a key file. Only quotes are escaped, as CredD does it; a line feed in a
 * value begins a line of its own.
 */
export function keyFileText(ads: readonly KeyFileAd[]): string {
  return ads
    .map((ad) => ORDER.map((name) => `${name} = "${ad[name].replaceAll('"', '\\"')}"\n`).join(''))
    .join('\n');
}

/**
 * Writes a key file as CredD does: a random name of 64 hex digits, mode 0640, written in
 * place.
 */
export function writeKeyFile(
  directory: string,
  webPrefix: string,
  content: readonly KeyFileAd[] | string,
  key: string = randomBytes(32).toString('hex'),
): KeyFile {
  const path = join(directory, key);
  const descriptor = openSync(path, 'w', 0o640);
  try {
    fchmodSync(descriptor, 0o640);
    writeSync(descriptor, typeof content === 'string' ? content : keyFileText(content));
  } finally {
    closeSync(descriptor);
  }
  return { key, path, url: `${webPrefix}/key/${key}` };
}

/** Where a token stands: the user's directory and the stem of its files. */
export interface StoredName {
  readonly directory: string;
  readonly user: string;
  readonly stem: string;
}

/**
 * Stores a credential as `condor_store_cred add-oauth` makes CredD do: temporary name,
 * rename, 0600 in a 0700 directory.
 */
export function storeCredential(
  { directory, user, stem }: StoredName,
  content: string,
  kind: 'top' | 'use' = 'top',
): string {
  const home = join(directory, user);
  if (!existsSync(home)) mkdirSync(home, { mode: 0o700 });
  const path = join(home, `${stem}.${kind}`);
  writeFileSync(`${path}.tmp`, content, { mode: 0o600 });
  renameSync(`${path}.tmp`, path);
  return path;
}

/**
 * Removes `.top` and `.use`, not `.meta`, as `condor_store_cred delete-oauth -s` does.
 */
export function deleteCredential({ directory, user, stem }: StoredName): void {
  for (const kind of ['top', 'use'])
    rmSync(join(directory, user, `${stem}.${kind}`), { force: true });
}

/**
 * Marks a user as the schedd does when the last job has gone; only somebody who has a
 * directory.
 */
export function markUser(directory: string, user: string): void {
  if (existsSync(join(directory, user)))
    closeSync(openSync(join(directory, `${user}.mark`), 'a', 0o600));
}

/**
 * Sweeps as CredD does: every mark of at least `delay` seconds goes, and with it the
 * user's directory. Answers who was swept.
 */
export function sweep(directory: string, delay: number, now: number): string[] {
  const marks = readdirSync(directory).filter((name) => {
    if (!name.endsWith('.mark')) return false;
    const stats = lstatSync(join(directory, name));
    return !stats.isDirectory() && now - stats.mtimeMs / 1000 >= delay;
  });
  return marks.map((mark) => {
    const user = mark.slice(0, -'.mark'.length);
    rmSync(join(directory, mark));
    rmSync(join(directory, user), { recursive: true, force: true });
    return user;
  });
}

/**
 * The pid that CredD would signal, from the `pid` file; `undefined` when there is none.
 */
export function credmonPid(directory: string): number | undefined {
  const path = join(directory, 'pid');
  const pid = existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : 0;
  return pid > 0 ? pid : undefined;
}
