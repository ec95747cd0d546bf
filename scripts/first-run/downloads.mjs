// How many packages an installation from pnpm's lock file takes. Before the installation
// there is no YAML parser; the file has one fixed layout.

/** Returns the part of the file below a key of the first column. */
function sectionOf(text, name) {
  const start = text.indexOf(`\n${name}:\n`);
  if (start < 0) return '';
  const rest = text.slice(start + name.length + 3);
  const end = rest.search(/^\S/m);
  return end < 0 ? rest : rest.slice(0, end);
}

/** Splits a section into its entries: a map from the key in column three to its lines. */
function entriesOf(section) {
  const entries = new Map();
  let lines = [];
  for (const line of section.split('\n')) {
    const [, key] = /^ {2}(?! )(.+?):(?: \{\})?$/.exec(line) ?? [];
    if (key === undefined) lines.push(line);
    else entries.set(unquote(key), (lines = []));
  }
  return entries;
}

const unquote = (text) => text.replace(/^'|'$/g, '');

/** Returns the snapshots that an entry needs, such as `ms@2.1.3`. */
function neededBy(lines, kinds) {
  const found = [];
  let isWanted = false;
  let name = '';
  for (const line of lines) {
    const [, kind] = /^ {4}(\w+):/.exec(line) ?? [];
    if (kind !== undefined) isWanted = kinds.includes(kind);
    const [, key, version] = /^ {6}(\S+):(?: (\S+))?$/.exec(line) ?? [];
    if (key !== undefined) name = unquote(key);
    const wanted = version ?? /^ {8}version: (\S+)$/.exec(line)?.[1];
    if (isWanted && wanted !== undefined && !wanted.startsWith('link:'))
      found.push(/^'?@?[^('@]+@/.test(wanted) ? unquote(wanted) : `${name}@${unquote(wanted)}`);
  }
  return found;
}

const isGlibc = () => process.report.getReport().header.glibcVersionRuntime !== undefined;

/** What a package may be limited to, and what this machine is. */
const here = () => ({
  os: process.platform,
  cpu: process.arch,
  libc: isGlibc() ? 'glibc' : 'musl',
});

/**
 * Returns the number of packages. Packages of other systems and processors do not count.
 * `withTools`: also the development dependencies.
 */
export function packagesToInstall(text, { withTools, machine = here() }) {
  const snapshots = entriesOf(sectionOf(text, 'snapshots'));
  const packages = entriesOf(sectionOf(text, 'packages'));
  const kinds = ['dependencies', 'optionalDependencies'];
  const first = withTools ? [...kinds, 'devDependencies'] : kinds;
  const isForUs = (id) =>
    (packages.get(id.replace(/\(.*$/, '')) ?? []).every((line) => {
      const [, kind, list] = /^ {4}(os|cpu|libc): \[(.*)\]$/.exec(line) ?? [];
      return kind === undefined || list.split(', ').includes(machine[kind]);
    });
  const seen = new Set();
  const queue = [...entriesOf(sectionOf(text, 'importers')).values()].flatMap((lines) =>
    neededBy(lines, first),
  );
  for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
    if (seen.has(id) || !isForUs(id)) continue;
    seen.add(id);
    queue.push(...neededBy(snapshots.get(id) ?? [], kinds));
  }
  return new Set([...seen].map((id) => id.replace(/\(.*$/, ''))).size;
}
