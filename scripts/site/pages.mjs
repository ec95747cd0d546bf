// Collects the pages of the documentation site: copies of the Markdown files of the
// repository, in which links to other files of it lead to the site or to the repository.
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, posix } from 'node:path';

/** Pages that are not in docs/: the file, and the page of the site. */
const OTHERS = {
  'README.md': 'index.md',
  'CHANGELOG.md': 'changes.md',
  'packages/core/README.md': 'library/core.md',
};

/**
 * Returns the Markdown files of the site: for each path in the repository, the path in the
 * site.
 */
export function sitePages(root) {
  const names = readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' });
  const docs = names.filter((name) => name.endsWith('.md')).sort();
  const own = docs.map((name) => [
    posix.join('docs', name),
    name.replace(/(^|\/)README\.md$/, '$1index.md'),
  ]);
  return { ...OTHERS, ...Object.fromEntries(own) };
}

/**
 * Returns the text of a page with its links changed for the site. A link to a file that
 * does not exist stays: the build reports it.
 */
export function withSiteLinks(text, source, pages, { exists, isDirectory, repository }) {
  const here = pages[source];
  return outsideCode(text, (part) =>
    part.replaceAll(/(\]\()([^)\s#]+)(#[^)\s]*)?(?=\))/g, (whole, start, path, hash = '') => {
      if (/^[a-z]+:|^\//i.test(path)) return whole;
      const target = posix.join(posix.dirname(source), path).replace(/\/$/, '');
      const page = pages[target] ?? pages[`${target}/README.md`];
      if (page !== undefined) return `${start}${relativeLink(here, page)}${hash}`;
      if (target.startsWith('docs/images/') && exists(target))
        return `${start}${relativeLink(here, target.slice('docs/'.length))}`;
      if (!exists(target)) return whole;
      const kind = isDirectory(target) ? 'tree' : 'blob';
      return `${start}${repository}/${kind}/main/${target}${hash}`;
    }),
  );
}

/** Changes the text outside fenced code, indented code and code spans. */
function outsideCode(text, change) {
  return text
    .split(/(^(?:```|~~~)[^]*?^(?:```|~~~)$|^ {4}(?! *[-*\d]).*$|`[^`\n]+`(?!\]))/m)
    .map((part, index) => (index % 2 === 0 ? change(part) : part))
    .join('');
}

function relativeLink(from, to) {
  const path = posix.relative(posix.dirname(from), to);
  return path.startsWith('.') ? path : `./${path}`;
}

/** Writes all pages and pictures of the repository into the folder `output`. */
export function collectPages(root, output, repository) {
  const pages = sitePages(root);
  const facts = {
    repository,
    exists: (path) => existsSync(join(root, path)),
    isDirectory: (path) => statSync(join(root, path)).isDirectory(),
  };
  const commands = JSON.parse(readFileSync(join(root, 'site/commands.json'), 'utf8'));
  for (const [source, page] of Object.entries(pages)) {
    const text = readFileSync(join(root, source), 'utf8');
    const note = commandNote(commands[source], repository);
    write(join(output, page), withSiteLinks(text, source, pages, facts) + note);
  }
  const pictures = join(root, 'docs/images');
  if (!existsSync(pictures)) return;
  for (const name of readdirSync(pictures))
    write(join(output, 'images', name), readFileSync(join(pictures, name)));
}

/** Says which tests run the commands of a page: `marks` has them by the mark of a block. */
export function commandNote(marks, repository) {
  if (marks === undefined) return '';
  const tests = [...new Set(Object.values(marks))].map(
    (path) => `[${path}](${repository}/blob/main/${path})`,
  );
  return `\n---\n\n_Commands on this page:_ tested by ${tests.join(', ')}.\n`;
}

/** Writes a file and creates its folder. */
export function write(path, contents) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, contents);
}

/**
 * Corrects links of the described libraries: TypeDoc counts a member of an interface as a
 * section, and so numbers a section that is the only one of its name.
 */
export function withoutCounters(text, targetOf) {
  return text.replaceAll(/\]\(([^)\s#]*)#([^)\s]+?)-1\)/g, (whole, path, name) => {
    const heading = new RegExp(`^#+ ${name}(?:\\(\\))?$`, 'gim');
    const count = [...targetOf(path).matchAll(heading)].length;
    return count === 1 ? `](${path}#${name})` : whole;
  });
}

/** Corrects all pages of the folder `directory`. */
export function correctCounters(directory) {
  for (const name of readdirSync(directory).filter((one) => one.endsWith('.md'))) {
    const text = readFileSync(join(directory, name), 'utf8');
    const targetOf = (path) => readFileSync(join(directory, path || name), 'utf8');
    writeFileSync(join(directory, name), withoutCounters(text, targetOf));
  }
}
