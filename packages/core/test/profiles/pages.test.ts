// docs/providers agrees with the profiles: settings, errors, sources and the index.
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';
import { PROFILE_NAMES } from '../../src/profiles/profile.ts';
import { filled, indexText, profileText } from './profile-page.ts';

const folder = fileURLToPath(new URL('../../../../docs/providers/', import.meta.url));

const pages = [
  ['README', indexText()] as const,
  ...PROFILE_NAMES.map((name) => [name, profileText(name)] as const),
];

it('there is one page for each profile, and an index', () => {
  expect(readdirSync(folder).sort()).toEqual(pages.map(([name]) => `${name}.md`).sort());
});

it.each(pages)('%s.md says what the profile says (UPDATE_DOCS=1 writes it)', async (name, text) => {
  const path = join(folder, `${name}.md`);
  const page = readFileSync(path, 'utf8');
  const options = await resolveConfig(path);
  const wanted = await format(filled(page, text), { ...options, parser: 'markdown' });
  if (process.env['UPDATE_DOCS']) writeFileSync(path, wanted);
  expect(readFileSync(path, 'utf8')).toBe(wanted);
});

describe.each(PROFILE_NAMES)('the page %s.md', (name) => {
  const page = readFileSync(join(folder, `${name}.md`), 'utf8');

  it('has the parts that every page has', () => {
    expect(page.match(/^## .+$/gm)).toEqual([
      '## Register the client',
      '## Configure it',
      '## What users write and see',
      '## Limits',
      '## The profile',
    ]);
  });

  it('names the redirect URI of its configuration', () => {
    const provider = /^ {4}(\w+)_CLIENT_ID = /m.exec(page)?.[1];
    expect(page).toContain(`https://ap.example.org/return/${provider}`);
    expect(page).toContain(`${provider}_RETURN_URL_SUFFIX = /return/${provider}`);
  });
});
