// The documentation site: pages that scripts/docs.mjs has collected, search in the
// browser, nothing from other hosts.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { defineConfig } from 'vitepress';

const site = join(import.meta.dirname, '..');
const pages = join(site, 'pages');
const navigation = JSON.parse(readFileSync(join(site, 'navigation.json'), 'utf8'));
const { repository } = JSON.parse(readFileSync(join(site, '../package.json'), 'utf8'));

/** The first heading of a page. */
function titleOf(page) {
  const heading = /^# (.+)$/m.exec(readFileSync(join(pages, `${page}.md`), 'utf8'));
  return heading[1].replaceAll(/[`\\]/g, '');
}

/** The name of a section as GitHub makes it, so that links are right in both places. */
function sectionName(heading) {
  return heading
    .trim()
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .replaceAll(/\s/g, '-');
}

const linkOf = (page) => `/${page.replace(/(^|\/)index$/, '$1')}`;

/** The link of a section: its first page. */
const sections = navigation.map(({ text, items }) => ({
  text,
  link: linkOf(items[0]),
  collapsed: true,
  items:
    items.length === 1
      ? undefined
      : items.map((page) =>
          typeof page === 'string' ? { text: titleOf(page), link: linkOf(page) } : page,
        ),
}));

export default defineConfig({
  title: 'credmon',
  description: "Keeps HTCondor's access tokens fresh",
  lang: 'en',
  head: [['link', { rel: 'icon', href: 'data:,' }]],
  srcDir: 'pages',
  outDir: 'dist',
  cacheDir: '.cache',
  cleanUrls: false,
  lastUpdated: false,
  ignoreDeadLinks: false,
  markdown: {
    anchor: { slugify: sectionName },
    // `<name>` is a word of these pages, never an element.
    html: false,
    config(markdown) {
      markdown.linkify.set({ fuzzyLink: false, fuzzyEmail: false });
      const { text, fence, code_inline: inline } = markdown.renderer.rules;
      // Indented code looks as fenced code does.
      markdown.renderer.rules.code_block = (tokens, index, ...rest) => {
        tokens[index].info = '';
        return fence(tokens, index, ...rest);
      };
      // Braces in a text are text, not a template.
      const plain =
        (render) =>
        (...args) =>
          render(...args)
            .replaceAll('{{', '&#123;&#123;')
            .replaceAll('}}', '&#125;&#125;');
      markdown.renderer.rules.text = plain(text);
      markdown.renderer.rules.code_inline = plain(inline);
    },
  },
  themeConfig: {
    search: {
      provider: 'local',
      options: {
        miniSearch: {
          // Names in the libraries come after what an administrator looks for.
          searchOptions: { boostDocument: (id) => (id.startsWith('/api/') ? 0.1 : 1) },
        },
      },
    },
    outline: [2, 3],
    sidebar: sections,
    nav: sections
      .filter(({ text }) => ['Start in 10 minutes', 'Providers', 'Reference'].includes(text))
      .map(({ text, link }) => ({ text, link })),
    socialLinks: [{ icon: 'github', link: repository.url.replace(/^git\+|\.git$/g, '') }],
  },
});
