// Reads the templates and the style sheet from the views folder.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Views } from '../flow/ports.ts';

/**
 * The folder in the source, beside the bundle, and in the source of the compiled package.
 */
const FOLDERS = ['../views', './views', '../../src/views'];

/**
 * Opens the views. Templates are compiled at first use and cached.
 * @throws the system error if they do not exist
 */
export function openViews(): Views {
  const folders = FOLDERS.map((folder) => fileURLToPath(new URL(folder, import.meta.url)));
  const folder = folders.find((path) => existsSync(join(path, 'style.css'))) ?? folders[0] ?? '';
  const eta = new Eta({ views: folder, cache: true, autoEscape: true });
  return {
    render: (page, data) => eta.render(`./${page}`, data),
    styleSheet: readFileSync(join(folder, 'style.css'), 'utf8'),
    icon: readFileSync(join(folder, 'icon.svg'), 'utf8'),
  };
}
