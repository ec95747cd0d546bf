// Reads what the portal serves and uses: templates and the style sheet from the views
// folder; the issuer's public keys from world-readable files, never its private key; and
// the private key of a client that authenticates with it.
import type { Ports, Views } from '../flow/ports.ts';
import type { Settings } from '../settings/settings.ts';
import { readTextFile } from './credential-files.ts';
import { CodedError, messageOf, rememberFiles, systemCode } from '@credmon/core/base';
import { Eta } from 'eta';
import { existsSync, readFileSync, readdirSync, statSync, type Stats } from 'node:fs';
import { basename, join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';

/**
 * The key set in a key directory; `scitokens key publish` and `condor_credmon keys
 * publish` write it.
 */
const KEY_SET_FILE = 'jwks.json';

/** Returns the ports that read the keys of this issuer. */
export function openPublicKeys({
  publicKeyFile,
  keyDirectories = [],
}: Settings['localIssuer']): Pick<Ports, 'readPublicKey' | 'readKeySets'> {
  const readText = rememberingReader();
  return {
    // While an administrator moves from a PEM file to a key directory, both are
    // published; afterwards the PEM file is removed.
    readPublicKey: () =>
      keyDirectories.length > 0 && !existsSync(publicKeyFile)
        ? undefined
        : readText(publicKeyFile, 'LOCAL_CREDMON_PUBLIC_KEY'),
    readKeySets: () =>
      keyDirectories.map((directory) =>
        readText(join(directory, KEY_SET_FILE), 'run condor_credmon keys publish, as root'),
      ),
  };
}

/** A local issuer has few key files. */
const MOST_KEY_FILES = 100;

/** Returns a {@link readTextFile} that reads a file again only if it has changed. */
function rememberingReader(): typeof readTextFile {
  const memory = rememberFiles<string>(MOST_KEY_FILES);
  return (path, what) => {
    // The stat comes first: what is read is of this state or a later one.
    const found = statIfThere(path);
    const known = found && memory.recall(path, found);
    if (known !== undefined) return known;
    const text = readTextFile(path, what);
    if (found) memory.keep(path, found, text);
    return text;
  };
}

/**
 * Returns the stat of the file that a path leads to: in a mounted volume, a link in the middle
 * changes. `undefined` if there is none: reading it then gives the reason.
 */
function statIfThere(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return undefined;
  }
}

/**
 * Returns the private key of a client (CREDMON_<PROVIDER>_CLIENT_KEY_FILE), read again for
 * every request. It must be closed to others and belong to root or this process.
 * @throws CodedError `SECRET_UNREADABLE`
 */
export function readClientKeyFile(path: string): string {
  try {
    const { mode, uid } = statSync(path);
    const isClosed = (mode & 0o077) === 0 && [0, process.geteuid?.()].includes(uid);
    if (!isClosed)
      throw new CodedError(
        'SECRET_UNREADABLE',
        `${path} can be read by others, or belongs to another user`,
      );
    return readTextFile(path, 'CREDMON_<PROVIDER>_CLIENT_KEY_FILE');
  } catch (error) {
    throw new CodedError('SECRET_UNREADABLE', messageOf(error), { path }, error);
  }
}

/**
 * The folder in the source, beside the bundle, and in the source of the compiled package.
 */
const FOLDERS = ['../views', './views', '../../src/views'] as const;

/** Returns the texts of all files of a folder, by name. */
function textsIn(folder: string): ReadonlyMap<string, string> {
  const names = readdirSync(folder);
  return new Map(names.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
}

/** The texts of the views in a single executable, which has no folder of them. */
const VIEWS_ASSET = 'views.json';

let views: Views | undefined;

/**
 * Opens the views. They are read once: a portal that runs while its program is replaced
 * keeps the pages of its own version, also after a reload. Templates are compiled at first
 * use.
 * @throws the system error if they do not exist
 */
export function openViews(): Views {
  views ??= isSea() ? embeddedViews() : viewsIn(viewsFolder());
  return views;
}

function viewsFolder(): string {
  const folders = FOLDERS.map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
  const found = folders.find((path) => existsSync(join(path, 'style.css')));
  return found ?? fileURLToPath(new URL(FOLDERS[0], import.meta.url));
}

function embeddedViews(): Views {
  const texts = JSON.parse(getAsset(VIEWS_ASSET, 'utf8')) as Record<string, string>;
  return viewsOf(new Map(Object.entries(texts)), '/views');
}

/**
 * Reads the views of a folder.
 * @throws the system error if they do not exist
 */
export function viewsIn(folder: string): Views {
  return viewsOf(textsIn(folder), folder);
}

function viewsOf(texts: ReadonlyMap<string, string>, folder: string): Views {
  const textOf = (name: string): string => texts.get(name) ?? '';
  const eta = new Eta({ views: folder, cache: true, autoEscape: true });
  // All templates are in one folder: their names need no look at paths.
  eta.resolvePath = (name) => `${basename(name)}.eta`;
  eta.readFile = textOf;
  return {
    render: (page, data) => eta.render(`./${page}`, data),
    styleSheet: textOf('style.css'),
    icon: textOf('icon.svg'),
  };
}
