// Reads the templates and the style sheet from the folder beside this file.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Eta } from 'eta';
import type { Views } from '../flow/ports.ts';

/** Of the source, beside the bundle, and of the source for the compiled package. */
const FOLDERS = ['../views', './views', '../../src/views'];

/**
 * Opens the views. Templates are compiled at their first use and kept.
 * @throws the system's error when they are not there
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
