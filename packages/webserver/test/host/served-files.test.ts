// The views are those of the version that runs.
import { cpSync, mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { viewsIn } from '../../src/host/served-files.ts';

const VIEWS = fileURLToPath(new URL('../../src/views', import.meta.url));

it('files that an installation replaces are not used until the next start', () => {
  const folder = mkdtempSync(join(tmpdir(), 'views-'));
  cpSync(VIEWS, folder, { recursive: true });
  const views = viewsIn(folder);
  for (const name of ['layout.eta', 'error.eta', 'style.css'])
    writeFileSync(join(folder, name), 'another version');
  const page = views.render('error', { mount: '', host: 'h', contact: undefined, title: 'Oops' });
  expect(page).toContain('Oops');
  expect(page).not.toContain('another version');
  expect(views.styleSheet).not.toBe('another version');
});

it('a folder without views is an error', () => {
  expect(() => viewsIn('/none')).toThrow('ENOENT');
});
