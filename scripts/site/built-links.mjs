// Reads the built site as a browser would: every link within it leads to a page and a
// section that exist, and no page loads anything from another host.
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';

/** Elements and attributes by which a page loads something. */
const LOADS = /<(?:script|img|iframe|link|source|video|audio|object|embed)\b[^>]*>/g;

/** Returns one line for each dead link and for each load from another host. */
export function brokenReferences(folder) {
  const names = readdirSync(folder, { recursive: true, encoding: 'utf8' });
  const files = names.filter((name) => name.endsWith('.html')).sort();
  const texts = new Map(files.map((name) => [name, readFileSync(join(folder, name), 'utf8')]));
  const ids = new Map([...texts].map(([name, text]) => [name, idsOf(text)]));
  const styles = names.filter((name) => name.endsWith('.css'));
  return [
    ...[...texts].flatMap(([name, text]) => [
      ...linksOf(text).flatMap((link) => deadLink(folder, name, link, ids)),
      ...[...text.matchAll(LOADS)]
        .filter(([tag]) => /(?:src|href)="(?:https?:)?\/\//.test(tag))
        .map(([tag]) => `${name}: loads from another host: ${tag}`),
    ]),
    ...styles
      .filter((name) => /(?:url\(|@import\s*)["']?(?:https?:)?\/\//.test(read(folder, name)))
      .map((name) => `${name}: loads from another host`),
  ];
}

const read = (folder, name) => readFileSync(join(folder, name), 'utf8');
const idsOf = (text) => new Set([...text.matchAll(/\bid="([^"]+)"/g)].map(([, id]) => id));
const linksOf = (text) => [...text.matchAll(/<a\b[^>]*\bhref="([^"]+)"/g)].map(([, to]) => to);

function deadLink(folder, name, link, ids) {
  if (/^[a-z]+:/i.test(link)) return [];
  const [path, hash] = link.replaceAll('&amp;', '&').split('#');
  const base = path.startsWith('/') ? folder : join(folder, dirname(name));
  const target = path === '' ? join(folder, name) : join(base, decodeURI(path));
  const file = [target, `${target}.html`, join(target, 'index.html')].find(
    (one) => existsSync(one) && statSync(one).isFile(),
  );
  if (file === undefined) return [`${name}: dead link ${link}`];
  const known = ids.get(relative(folder, file));
  if (!hash || known === undefined || known.has(decodeURIComponent(hash))) return [];
  return [`${name}: no section ${link}`];
}
