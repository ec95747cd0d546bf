// The packages that a bundle contains, and the text of their licences.
import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { byText } from './modules.mjs';

const NODE_MODULES = 'node_modules/';

/**
 * Writes beside a bundle which packages are in it: name, version, licence, and the folder
 * where they were found, relative to the root of the checkout.
 */
export function writeBundledPackages(bundle, metafile) {
  const folders = new Set();
  for (const path of Object.keys(metafile.inputs)) {
    const at = path.lastIndexOf(NODE_MODULES);
    if (at < 0) continue;
    const parts = path.slice(at + NODE_MODULES.length).split('/');
    const name = parts.slice(0, parts[0].startsWith('@') ? 2 : 1).join('/');
    folders.add(`${path.slice(0, at + NODE_MODULES.length)}${name}`);
  }
  writeFileSync(
    bundledFile(bundle),
    `${JSON.stringify([...folders].sort(byText), undefined, 1)}\n`,
  );
}

function bundledFile(bundle) {
  return join(dirname(bundle), `${basename(bundle).replace(/\.c?js$/, '')}.packages.json`);
}

/**
 * Returns the packages in the bundles, by name and version: `{ name, version, license,
 * description, author, homepage, texts }`. `texts` are the licence files, and the copyright
 * lines of the README where a package has no such file.
 */
export function bundledPackages(root, bundles) {
  const folders = new Set(
    bundles.flatMap((bundle) => JSON.parse(readFileSync(bundledFile(bundle), 'utf8'))),
  );
  const found = new Map();
  for (const folder of folders) {
    const path = join(root, folder);
    const manifest = JSON.parse(readFileSync(join(path, 'package.json'), 'utf8'));
    const { name, version, license, description, author, homepage } = manifest;
    const facts = { name, version, license, description, author, homepage };
    found.set(`${name}@${version}`, { ...facts, texts: licenceTexts(path, manifest) });
  }
  return [...found.entries()].sort(([a], [b]) => byText(a, b)).map(([, facts]) => facts);
}

function licenceTexts(folder, { name, license, author }) {
  const files = readdirSync(folder)
    .filter((file) => /^(licen[cs]e|copying|notice)/i.test(file))
    .sort(byText);
  if (files.length > 0) return files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (typeof license !== 'string') throw new Error(`${name}: no licence in its manifest`);
  const readme = join(folder, 'README.md');
  const section = existsSync(readme)
    ? /^#+ licen[cs]e\s*$(.*?)(?=^#|$(?![^]))/ims.exec(readFileSync(readme, 'utf8'))?.[1].trim()
    : undefined;
  const by = typeof author === 'string' ? author : author?.name;
  return [[`${license} licence`, by && `Copyright: ${by}`, section].filter(Boolean).join('\n\n')];
}

/** Returns the text of THIRD-PARTY-LICENSES for the packages. */
export function licenceText(packages) {
  const parts = packages.map(({ name, version, license, texts }) =>
    [`${name} ${version} (${license})`, '', ...texts].join('\n'),
  );
  const rule = `\n\n${'-'.repeat(78)}\n\n`;
  const head = 'The programs contain these packages, each under its own licence.';
  return `${[head, ...parts].join(rule)}\n`;
}
