// Acts as condor_credd for tests and the demo: writes key files, stored credentials and
// marks, and sweeps, byte for byte like CredD.
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

/** One ad of a key file: all attributes are present, empty if unset. */
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

/** A key file, and the link that condor_submit prints for it. */
export interface KeyFile {
  readonly key: string;
  readonly path: string;
  readonly url: string;
}

/** The order of CredD: by length of the name, then alphabetical. */
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
 * Returns the text of a key file. Like CredD, it escapes only quotes; a line feed in a
 * value begins a new line.
 */
export function keyFileText(ads: readonly KeyFileAd[]): string {
  return ads
    .map((ad) => ORDER.map((name) => `${name} = "${ad[name].replaceAll('"', '\\"')}"\n`).join(''))
    .join('\n');
}

/**
 * Writes a key file like CredD: a random name of 64 hex digits, mode 0640, written in
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

/** The location of a token: the directory of the user and the stem. */
export interface StoredName {
  readonly directory: string;
  readonly user: string;
  readonly stem: string;
}

/**
 * Stores a credential like CredD after `condor_store_cred add-oauth`: temporary name,
 * rename, mode 0600 in a 0700 directory.
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

/** Removes `.top` and `.use`, not `.meta`, like `condor_store_cred delete-oauth -s`. */
export function deleteCredential({ directory, user, stem }: StoredName): void {
  for (const kind of ['top', 'use'])
    rmSync(join(directory, user, `${stem}.${kind}`), { force: true });
}

/**
 * Writes the mark of a user, like the schedd after the last job; only if the user has a
 * directory.
 */
export function markUser(directory: string, user: string): void {
  if (existsSync(join(directory, user)))
    closeSync(openSync(join(directory, `${user}.mark`), 'a', 0o600));
}

/**
 * Sweeps like CredD: removes marks that are at least `delay` seconds old, and the
 * directories of their users.
 * @returns the swept users
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
 * Returns the pid that CredD would signal, from the `pid` file; `undefined` if there is
 * none.
 */
export function credmonPid(directory: string): number | undefined {
  const path = join(directory, 'pid');
  const pid = existsSync(path) ? Number.parseInt(readFileSync(path, 'utf8'), 10) : 0;
  return pid > 0 ? pid : undefined;
}
