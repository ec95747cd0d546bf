// The documentation site: every page is in its navigation, every link leads somewhere.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { sitePages, withSiteLinks, withoutCounters } from '../../scripts/site/pages.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages: Readonly<Record<string, string>> = sitePages(root);

interface Section {
  readonly text: string;
  readonly items: readonly (string | { readonly text: string; readonly link: string })[];
}

const navigation = JSON.parse(
  readFileSync(join(root, 'site/navigation.json'), 'utf8'),
) as readonly Section[];

/** Pages that the build generates. */
const GENERATED = ['reference/commands', 'api/core/index', 'api/scitokens/index'];

test('every page is in the navigation, once, and the navigation has no other page', () => {
  const listed = navigation.flatMap(({ items }) => items.filter((one) => typeof one === 'string'));
  const wanted = [...Object.values(pages).map((page) => page.replace(/\.md$/, '')), ...GENERATED];
  expect(listed.toSorted()).toEqual(wanted.filter((page) => page !== 'index').toSorted());
});

/** The names of sections as GitHub and the site make them. */
function sectionsOf(text: string): Set<string> {
  const found = new Map<string, number>();
  const prose = text.replaceAll(/^(```|~~~)[^]*?^\1$/gm, '');
  const headings = [...prose.matchAll(/^#{1,6} (.+)$/gm)].map(([, heading = '']) => heading);
  const names = headings.map((heading) => {
    const name = heading
      .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(/\s/g, '-');
    const count = found.get(name) ?? 0;
    found.set(name, count + 1);
    return count === 0 ? name : `${name}-${count}`;
  });
  return new Set(names);
}

/** A description for each link of a page that leads nowhere. */
function deadLinks(source: string): string[] {
  const text = readFileSync(join(root, source), 'utf8')
    .replaceAll(/^(```|~~~)[^]*?^\1$/gm, '')
    .replaceAll(/`[^`\n]+`/g, '');
  return [...text.matchAll(/\]\(([^)\s]+)\)/g)].flatMap(([, link = '']) => {
    if (/^[a-z]+:/i.test(link)) return [];
    const [path = '', hash] = link.split('#');
    const target = path === '' ? join(root, source) : join(root, dirname(source), path);
    if (!existsSync(target)) return [`${source}: ${link} does not exist`];
    const isPage = statSync(target).isFile() && target.endsWith('.md');
    if (hash === undefined || (isPage && sectionsOf(readFileSync(target, 'utf8')).has(hash)))
      return [];
    return [`${source}: ${link} is not a section`];
  });
}

test('every link of a page leads to a file and a section that exist', () => {
  const others = ['CONTRIBUTING.md', 'packages/scitokens/README.md', 'packages/credmon/README.md'];
  expect([...Object.keys(pages), ...others].flatMap(deadLinks)).toEqual([]);
});

test('every picture is used by a page', () => {
  const texts = Object.keys(pages).map((page) => readFileSync(join(root, page), 'utf8'));
  const unused = readdirSync(join(root, 'docs/images')).filter(
    (name) => !texts.some((text) => text.includes(`images/${name})`)),
  );
  expect(unused).toEqual([]);
});

const facts = {
  repository: 'https://code.example/credmon',
  exists: (path: string) => path === 'configs' || path === 'docs/images/a.svg',
  isDirectory: (path: string) => path === 'configs',
};
const few = { 'README.md': 'index.md', 'docs/web.md': 'web.md', 'docs/p/README.md': 'p/index.md' };

test.each([
  ['a page', 'README.md', '[a](docs/web.md#b)', '[a](./web.md#b)'],
  ['a folder with a page', 'docs/web.md', '[a](p)', '[a](./p/index.md)'],
  ['a page above', 'docs/p/README.md', '[a](../web.md)', '[a](../web.md)'],
  ['the README', 'docs/web.md', '[a](../README.md#b)', '[a](./index.md#b)'],
  [
    'a file',
    'docs/web.md',
    '[a](../configs)',
    '[a](https://code.example/credmon/tree/main/configs)',
  ],
  ['a picture', 'README.md', '![a](docs/images/a.svg)', '![a](./images/a.svg)'],
  ['a missing file', 'docs/web.md', '[a](no.md)', '[a](no.md)'],
  ['another host', 'docs/web.md', '[a](https://example.org/b.md)', '[a](https://example.org/b.md)'],
  ['code', 'docs/web.md', '`[a](../configs)`', '`[a](../configs)`'],
])('changes a link to %s for the site', (_, source, text, expected) => {
  expect(withSiteLinks(text, source, few, facts)).toBe(expected);
});

test('takes the number off a link to a section that is the only one of its name', () => {
  const page = '### DueReason\n\n### due()\n\n### Due\n';
  expect(withoutCounters('[a](#duereason-1) [b](x.md#due-1)', () => page)).toBe(
    '[a](#duereason) [b](x.md#due-1)',
  );
});
