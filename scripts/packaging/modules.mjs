// The modules that a package's exports reach: what its npm tarball needs of dist, without
// source maps (their sources are not published) and without what an older build left.
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';

/**
 * A module name in an import, an export, a dynamic import or a type's import; not in the example
 * of a comment.
 */
const SPECIFIER = /(?<!^ *\*.*)(\bfrom\s*|\bimport\s*\(?\s*)(['"])([^'"\n]+)\2/gm;
/** The compiler leaves the attribute of an import out of declarations. */
const JSON_IMPORT = /(\bfrom (['"])[^'"\n]+\.json\2);/g;
const JSON_TYPE = "$1 with { type: 'json' };";
const SOURCE_MAP = /\n\/\/# sourceMappingURL=\S+\s*$/;

/**
 * Returns the files that `entries` reach, as a map from the path in the package to the
 * text. `inside` gives the folder in the package for a bare module name whose files the
 * package carries itself, and their source: `{ entry, from, to }`, or undefined.
 */
export function reachedModules(folder, entries, inside = () => undefined) {
  const found = new Map();
  const queue = entries.map((entry) => ({ source: join(folder, entry), from: folder, to: '' }));
  for (const { source, from, to } of queue) {
    const path = join(to, relative(from, source));
    if (found.has(path)) continue;
    const follow = (target) => {
      queue.push(target);
      return join(target.to, relative(target.from, target.source));
    };
    const raw = readFileSync(source, 'utf8').replace(SOURCE_MAP, '\n');
    const text = source.endsWith('.d.ts') ? raw.replaceAll(JSON_IMPORT, JSON_TYPE) : raw;
    if (source.endsWith('.json')) {
      found.set(path, text);
      continue;
    }
    found.set(path, undefined);
    found.set(
      path,
      text.replaceAll(SPECIFIER, (whole, before, quote, name) => {
        let target;
        if (name.startsWith('.'))
          target = { source: join(dirname(source), name.replace(/\.ts$/, '.js')), from, to };
        else target = inside(name);
        if (!target) return whole;
        const wanted = source.endsWith('.d.ts') ? declarationOf(target.source) : target.source;
        const at = follow({ ...target, source: wanted }).replace(/\.d\.ts$/, '.js');
        if (!existsSync(wanted)) throw new Error(`${source}: ${name} does not exist`);
        return `${before}${quote}${fromFolder(dirname(path), at)}${quote}`;
      }),
    );
    const types = source.replace(/\.js$/, '.d.ts');
    if (source.endsWith('.js') && existsSync(types)) queue.push({ source: types, from, to });
    const code = source.replace(/\.d\.ts$/, '.js');
    if (source.endsWith('.d.ts') && existsSync(code)) queue.push({ source: code, from, to });
  }
  return found;
}

function declarationOf(path) {
  return path.endsWith('.js') ? path.replace(/\.js$/, '.d.ts') : path;
}

function fromFolder(folder, path) {
  const way = relative(folder, path).split(sep).join('/');
  return way.startsWith('.') ? way : `./${way}`;
}

/** Orders texts by their code units: the same on every machine. */
export function byText(a, b) {
  return a < b ? -1 : 1;
}

/** Returns the sorted names of the packages that the modules import and do not carry. */
export function foreignPackages(modules) {
  const names = new Set();
  for (const [path, text] of modules) {
    if (!path.endsWith('.js')) continue;
    for (const [, , , name] of text.matchAll(SPECIFIER)) {
      if (name.startsWith('.') || name.startsWith('node:')) continue;
      const parts = name.split('/');
      names.add(parts.slice(0, name.startsWith('@') ? 2 : 1).join('/'));
    }
  }
  return [...names].sort(byText);
}
