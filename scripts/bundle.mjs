// Bundles each executable into one file: start-up then reads one file, and a copy of it
// needs no node_modules.
import { build } from 'esbuild';
import { chmodSync, cpSync, existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * `assets` are folders that the executable reads beside itself; `external` stays in
 * node_modules.
 */
const executables = [
  {
    entry: 'packages/credmon/src/main.ts',
    // Name look-ups share a few threads, each blocked by a name that nobody answers for.
    // Their number can be set until the first one is used, and Node uses one to read a
    // module: so this program is none, however it is started.
    out: 'packages/credmon/dist/bin/condor_credmon.cjs',
    first: "process.env.UV_THREADPOOL_SIZE ??= '32';",
  },
  {
    entry: 'packages/credmon/src/storer/main.ts',
    out: 'packages/credmon/dist/bin/condor_credential_storer.js',
  },
  // Sites copy this one to where their other token programs are: a .cjs file needs no
  // manifest beside it.
  {
    entry: 'packages/credmon/src/mytoken/main.ts',
    out: 'packages/credmon/dist/bin/condor_credmon_mytoken.cjs',
  },
  {
    entry: 'packages/webserver/src/main.ts',
    out: 'packages/webserver/dist/bin/condor_credmon_webserver.js',
    assets: { from: 'packages/webserver/src/views', to: 'packages/webserver/dist/bin/views' },
  },
  { entry: 'packages/scitokens/src/cli/main.ts', out: 'packages/scitokens/dist/bin/scitokens.js' },
  ...['create-key', 'create-token', 'verify-token'].map((name) => ({
    entry: `packages/scitokens/src/cli/${name}-main.ts`,
    out: `packages/scitokens/dist/bin/scitokens-${name === 'verify-token' ? name : `admin-${name}`}.js`,
  })),
  {
    entry: 'test-fixtures/src/demo/main.ts',
    out: 'test-fixtures/dist/demo.js',
    external: ['oidc-provider', 'jose'],
  },
  {
    entry: 'test-fixtures/src/profile-issuers/main.ts',
    out: 'test-fixtures/dist/profile-issuer.js',
  },
];

const classic = {
  format: 'cjs',
  banner: "const __bundleUrl = require('node:url').pathToFileURL(__filename).href;",
  define: { 'import.meta.url': '__bundleUrl' },
};
const modern = {
  format: 'esm',
  define: { __dirname: '__bundleDir', __filename: '__bundleFile' },
  banner: `import { createRequire as __createRequire } from 'node:module';
import { fileURLToPath as __toPath } from 'node:url';
const require = __createRequire(import.meta.url);
const __bundleFile = __toPath(import.meta.url);
const __bundleDir = __toPath(new URL('.', import.meta.url));`,
};

for (const { entry, out, assets, external = [], first = '' } of executables) {
  if (!existsSync(join(root, entry))) continue;
  const { format, banner, define } = out.endsWith('.cjs') ? classic : modern;
  await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: out,
    bundle: true,
    platform: 'node',
    target: 'node20.19',
    format,
    conditions: ['@credmon/source'],
    sourcemap: 'linked',
    sourcesContent: false,
    external,
    banner: { js: `#!/usr/bin/env node\n${first}${banner}` },
    define,
    logLevel: 'warning',
  });
  chmodSync(join(root, out), 0o755);
  if (assets) cpSync(join(root, assets.from), join(root, assets.to), { recursive: true });
}
