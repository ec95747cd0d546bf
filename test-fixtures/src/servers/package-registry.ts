// An npm registry with the packages of this checkout: tests install tarballs with the
// versions of the lock file, and without a network.
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

/** A running registry. `asked`: the names that were asked for and are not here. */
export interface PackageRegistry extends AsyncDisposable {
  readonly url: string;
  readonly missing: readonly string[];
}

interface Manifest {
  readonly name: string;
  readonly version: string;
}

/** Starts a registry that serves what pnpm installed into `nodeModules`. */
export async function startPackageRegistry(nodeModules: string): Promise<PackageRegistry> {
  const folders = installedPackages(join(nodeModules, '.pnpm'));
  const missing: string[] = [];
  let url = '';
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '').slice(1);
    const [name = '', version] = path.split('/-/');
    const versions = folders.get(name);
    if (!versions) {
      missing.push(name);
      response.writeHead(404).end('{}');
      return;
    }
    if (version !== undefined) {
      response.end(tarball(versions.get(version) ?? ''));
      return;
    }
    response.setHeader('content-type', 'application/json');
    response.end(JSON.stringify(packument(name, versions, url)));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  url = `http://127.0.0.1:${typeof address === 'object' ? address?.port : ''}`;
  return {
    url,
    missing,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Returns the folder of each package, by name and version. */
function installedPackages(store: string): Map<string, Map<string, string>> {
  const found = new Map<string, Map<string, string>>();
  for (const entry of readdirSync(store)) {
    const inside = join(store, entry, 'node_modules');
    if (!existsSync(inside)) continue;
    for (const folder of realFolders(inside)) {
      const { name, version } = manifestIn(folder);
      const versions = found.get(name) ?? new Map<string, string>();
      found.set(name, versions.set(version, folder));
    }
  }
  return found;
}

/** A package's dependencies are links beside it; it is the one real folder. */
function realFolders(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    if (!entry.isDirectory()) return [];
    if (entry.name.startsWith('@')) return realFolders(path);
    return existsSync(join(path, 'package.json')) ? [path] : [];
  });
}

function manifestIn(folder: string): Manifest {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Manifest;
}

function packument(name: string, versions: ReadonlyMap<string, string>, url: string): object {
  const all = [...versions].map(([version, folder]) => [
    version,
    { ...manifestIn(folder), dist: { tarball: `${url}/${name}/-/${version}` } },
  ]);
  return {
    name,
    'dist-tags': { latest: [...versions.keys()].at(-1) },
    versions: Object.fromEntries(all),
  };
}

function tarball(folder: string): Buffer {
  const { status, stdout, stderr } = spawnSync(
    'tar',
    [
      '-czf',
      '-',
      '--hard-dereference',
      '--exclude=./node_modules',
      '--transform=s,^\\.,package,',
      '-C',
      folder,
      '.',
    ],
    { maxBuffer: 1 << 30 },
  );
  if (status !== 0) throw new Error(`tar of ${folder}: ${stderr.toString()}`);
  return stdout;
}
