// Reads the templates and the style sheet from the views folder.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { getAsset, isSea } from 'node:sea';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Views } from '../flow/ports.ts';

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
