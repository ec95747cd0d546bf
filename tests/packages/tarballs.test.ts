// The npm tarballs as other projects meet them: installed beside each other, type-checked,
// their examples run, bundled.
import { createHash } from 'node:crypto';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  startPackageRegistry,
  type PackageRegistry,
} from '@credmon/test-fixtures/servers/package-registry';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { blocksToRun } from '../support/page-blocks.ts';
import { run } from './commands.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const folder = realpathSync(mkdtempSync(join(tmpdir(), 'credmon-tarballs-')));
const tarballs = join(folder, 'npm');
const tool = (name: string): string => join(root, 'node_modules/.bin', name);
const tarball = (name: string): string => join(tarballs, `credmon-${name}-0.1.0.tgz`);
const NAMES = ['core', 'scitokens', 'credmon', 'webserver'];
let registry: PackageRegistry;

/**
 * Installs packages into a new project, from the registry of this test: with `command`, for
 * which `packages` are in the project's directory.
 */
async function project(
  name: string,
  packages: readonly string[],
  command?: string,
): Promise<string> {
  const directory = join(folder, name);
  mkdirSync(directory);
  if (command !== undefined)
    for (const path of packages) cpSync(path, join(directory, basename(path)));
  // The registry has only the versions of the lock file, which pnpm-workspace.yaml overrides.
  const manifest = { type: 'module', private: true, overrides: { cookie: '^1.1.1' } };
  writeFileSync(join(directory, 'package.json'), JSON.stringify(manifest));
  await run(directory, ['sh', '-ec', command ?? `npm install ${packages.join(' ')}`], {
    NPM_CONFIG_AUDIT: 'false',
    NPM_CONFIG_FUND: 'false',
    NPM_CONFIG_REGISTRY: registry.url,
    NPM_CONFIG_CACHE: join(folder, 'cache'),
    NPM_CONFIG_UPDATE_NOTIFIER: 'false',
  });
  return directory;
}

/** Returns the examples of a page, in the order in which they are there. */
function examplesOf(page: string, fence: string): string[] {
  const text = readFileSync(join(root, page), 'utf8');
  return [...text.matchAll(new RegExp(`^\`\`\`${fence}\\n(.*?)^\`\`\``, 'gms'))].map(
    ([, code = '']) => code,
  );
}

/** Returns the examples in the comments of a package's sources. */
function examplesInSources(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts'))
    .sort()
    .flatMap((name) => [
      ...readFileSync(join(root, folder, name), 'utf8').matchAll(
        /^ \* @example\n \* ```ts\n((?: \*.*\n)*?) \* ```$/gm,
      ),
    ])
    .map(([, code = '']) => code.replaceAll(/^ \* ?/gm, ''));
}

function digests(directory: string): Record<string, string> {
  return Object.fromEntries(
    readdirSync(directory).map((file) => [
      file,
      createHash('sha256')
        .update(readFileSync(join(directory, file)))
        .digest('hex'),
    ]),
  );
}

beforeAll(async () => {
  registry = await startPackageRegistry(join(root, 'node_modules'));
  await run(root, [process.execPath, 'scripts/pack.mjs', tarballs]);
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

describe('the tarballs', () => {
  it('are the same bytes when they are made again', async () => {
    const again = join(folder, 'again');
    await run(root, [process.execPath, 'scripts/pack.mjs', again]);
    expect(digests(again)).toEqual(digests(tarballs));
  });

  it.each(NAMES)('of %s have no fault that publint finds', async (name) => {
    expect(await run(folder, [tool('publint'), tarball(name), '--strict'])).toContain('All good!');
  });

  it.each(NAMES)('of %s have types that resolve from modules and bundlers', async (name) => {
    const words = [tool('attw'), tarball(name), '--profile', 'esm-only', '--format', 'ascii'];
    expect(await run(folder, words)).toContain('node16 (from ESM): 🟢 (ESM)');
  });

  it.each(NAMES)('of %s hold a licence, a README and no source map', async (name) => {
    const files = (await run(folder, ['tar', '-tzf', tarball(name)])).split('\n');
    expect(files).toEqual(expect.arrayContaining(['package/LICENSE', 'package/README.md']));
    expect(files.includes('package/THIRD-PARTY-LICENSES')).toBe(name !== 'core');
    expect(files.filter((path) => /\.map$|\.ts$/.test(path) && !path.endsWith('.d.ts'))).toEqual(
      [],
    );
    const contents = await run(folder, ['tar', '-xzOf', tarball(name)]);
    expect(contents).not.toContain('\n//# sourceMappingURL=');
    const manifest: unknown = JSON.parse(
      await run(folder, ['tar', '-xzOf', tarball(name), 'package/package.json']),
    );
    expect(manifest).toMatchObject({
      name: `@credmon/${name}`,
      keywords: expect.arrayContaining(['htcondor']),
      repository: { directory: `packages/${name}` },
      sideEffects: expect.anything(),
    });
    expect(JSON.stringify(manifest)).not.toMatch(/workspace:|catalog:|@credmon\/source/);
  });
});

describe('a project with all four packages', () => {
  let directory: string;
  const examples = [
    ...examplesOf('packages/core/README.md', 'ts'),
    ...examplesOf('docs/scitokens.md', 'ts run'),
    ...examplesOf('packages/webserver/README.md', 'ts'),
    ...examplesInSources('packages/core/src'),
    ...examplesInSources('packages/scitokens/src'),
  ];

  beforeAll(async () => {
    directory = await project('all', [...NAMES.map(tarball), '@types/node']);
    const condor = join(directory, 'condor_config');
    const creds = join(directory, 'creds');
    mkdirSync(creds, { mode: 0o770 });
    mkdirSync(join(creds, 'alice'), { mode: 0o770 });
    writeFileSync(join(creds, 'alice/lost.top'), '{"refresh_token":"r"}');
    writeFileSync(condor, `use feature : OAUTH\nMAX_DEFAULT_LOG = 2 Mb\n${portal()}`);
    for (const [index, example] of examples.entries())
      writeFileSync(
        join(directory, `example-${index}.ts`),
        example
          .replaceAll('/var/lib/condor/oauth_credentials', creds)
          .replaceAll('/etc/condor/condor_config', condor)
          .replaceAll('/var/cache/my-service', directory),
      );
  });

  /** A portal that is only started and stopped. */
  function portal(): string {
    const sessions = join(directory, 'sessions');
    return `SEC_CREDENTIAL_DIRECTORY_OAUTH = ${join(directory, 'creds')}
CREDMON_WEB_PREFIX = http://127.0.0.1:18111
CREDMON_WEB_LISTEN = 127.0.0.1:0
CREDMON_ALLOW_LOOPBACK_HTTP = true
CREDMON_WEB_SESSION_DIR = ${sessions}
`;
  }

  it('has seven examples in documents and five in comments', () =>
    expect(examples).toHaveLength(12));

  it('type-checks every example, strictly and with the declarations', async () => {
    const options = '--strict --noEmitOnError --module nodenext --target es2023 --types node';
    const output = await run(directory, [
      tool('tsc'),
      ...options.split(' '),
      ...examples.map((_, index) => `example-${index}.ts`),
    ]);
    expect(output).toBe('');
  });

  it.each(examples.map((_, index) => index))('runs example %i', async (index) => {
    const output = await run(directory, [process.execPath, `example-${index}.js`], {
      CONDOR_CONFIG: join(directory, 'condor_config'),
    });
    const promised = [...(examples[index] ?? '').matchAll(/\/\/ prints (.*)/g)];
    const expected = promised.map(([, text = '']) => `${text}\n`).join('');
    expect(output).toContain(expected);
  });

  it('starts every program', async () => {
    for (const name of ['condor_credmon', 'condor_credmon_webserver', 'condor_credmon_mytoken'])
      expect(await run(directory, [`node_modules/.bin/${name}`, '--version'])).toBe('0.1.0\n');
    expect(await run(directory, ['node_modules/.bin/scitokens', '--help'])).toContain(
      'scitokens key',
    );
  });
});

describe('a project with scitokens alone', () => {
  let directory: string;
  beforeAll(async () => {
    const command = blocksToRun('docs/install.md', 'sh run npm').join('');
    directory = await project('alone', [tarball('scitokens')], command);
  });

  it('installs fewer than 12 packages', () => {
    const lock = JSON.parse(
      readFileSync(join(directory, 'node_modules/.package-lock.json'), 'utf8'),
    ) as { readonly packages: object };
    expect(Object.keys(lock.packages).length).toBeLessThan(12);
  });

  it('bundles two functions to less than 15 kB', async () => {
    const { outputFiles } = await build({
      stdin: {
        contents: "export { verifyWithKeys, readKeySet } from '@credmon/scitokens';",
        resolveDir: directory,
      },
      bundle: true,
      minify: true,
      write: false,
      platform: 'node',
      format: 'esm',
    });
    expect(outputFiles[0]?.contents.length).toBeLessThan(15_000);
    expect(outputFiles[0]?.contents.length).toBeGreaterThan(1000);
  });

  it('recognises the errors of its own copy of core', async () => {
    writeFileSync(
      join(directory, 'errors.js'),
      "import { isCoded, readKeySet } from '@credmon/scitokens';\n" +
        'try { readKeySet({}); } catch (error) { console.log(isCoded(error), error.code); }\n',
    );
    expect(await run(directory, [process.execPath, 'errors.js'])).toMatch(/^true [A-Z_]+\n$/);
  });
});
