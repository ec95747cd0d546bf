// Bundles each executable into one file: start-up then reads one file, and a copy of it
// needs no node_modules. A file in parts loads only what a command needs.
import { build, transform } from 'esbuild';
import { createHash } from 'node:crypto';
import { createRequire } from 'node:module';
import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deflateRawSync } from 'node:zlib';
import { partFilesOf } from './packaging/layout.mjs';
import { writeBundledPackages } from './packaging/licences.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Where the programs are written: a test gives a directory of its own. */
const output = process.argv[2] ?? root;

/** The late modules of `condor_credmon`, see LATE_MODULES. */
const LATE = [
  ['core/src/classad', 'evaluate/evaluate', 'language/parse', 'map-file/map-file', 'print/print'],
  ['core/src/regexp', 'regexp'],
  ['credmon/src/daemon', 'attempt', 'provider-lookup', 'record-outcome'],
  ['credmon/src/issuance', 'issue'],
  [
    'credmon/src/providers',
    'client/credentials',
    'exchange/exchange',
    'exec/exec',
    'local/local',
    'oauth/refresh',
    'standing/login',
    'standing/standing',
    'vault/vault',
  ],
  ['credmon/src/revocation', 'revoker'],
];

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
    inParts: true,
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
  ...['run', 'child', 'library'].map((name) => ({
    entry: `bench/src/${name}.ts`,
    out: `bench/dist/${name}.js`,
  })),
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

/**
 * The HTTP client without what this program does not use: fetch, caches, mocks, WebSocket.
 * `request` is the one of undici's index.js, for a dispatcher that is given.
 */
const onlyUsedUndici = {
  name: 'only-used-undici',
  setup(bundle) {
    bundle.onResolve({ filter: /^undici$/ }, () => ({ path: 'undici', namespace: 'parts' }));
    bundle.onLoad({ filter: /^undici$/, namespace: 'parts' }, () => ({
      resolveDir: join(root, 'packages/core'),
      contents: `const Dispatcher = require('undici/lib/dispatcher/dispatcher.js');
Dispatcher.prototype.request = require('undici/lib/api/api-request.js');
exports.Agent = require('undici/lib/dispatcher/agent.js');
exports.buildConnector = require('undici/lib/core/connect.js');
exports.request = (url, { dispatcher, ...options }) => {
  const { origin, pathname, search } = new URL(url);
  return dispatcher.request({ ...options, origin, path: pathname + search });
};`,
    }));
  },
};

/**
 * winston without what this program does not use: its own transports and formats, colours,
 * and messages for who debugs it.
 */
const onlyUsedWinston = {
  name: 'only-used-winston',
  setup(bundle) {
    const source = readFileSync(join(root, 'packages/core/src/log/logger.ts'), 'utf8');
    for (const [, name] of source.matchAll(/\bwinston\.(\w+)/g))
      if (!['createLogger', 'format'].includes(name))
        throw new Error(`scripts/bundle.mjs must also give the daemon winston.${name}`);
    const core = createRequire(join(root, 'packages/core/package.json'));
    const logform = createRequire(core.resolve('winston')).resolve('logform/format.js');
    const texts = {
      winston: `exports.createLogger = require('winston/lib/winston/create-logger.js');
exports.format = require(${JSON.stringify(logform)});`,
      logform: 'exports.levels = (config) => config;',
      '@dabh/diagnostics': 'module.exports = () => () => undefined;',
    };
    bundle.onResolve({ filter: /^(winston|logform|@dabh\/diagnostics)$/ }, ({ path }) => ({
      path,
      namespace: 'winston-parts',
    }));
    bundle.onLoad({ filter: /.*/, namespace: 'winston-parts' }, ({ path }) => ({
      resolveDir: join(root, 'packages/core'),
      contents: texts[path],
    }));
  },
};

/**
 * Modules whose functions most commands never call. Each is a part that is loaded at the
 * first call: what imports it gets functions that load it. They export functions only.
 */
const LATE_MODULES = new Set(
  LATE.flatMap(([folder, ...names]) =>
    names.map((name) => join(root, 'packages', folder, `${name}.ts`)),
  ),
);

/** The name of a late module's part. */
const lateName = (path) =>
  `late-${relative(join(root, 'packages'), path).replace('/src/', '-').replace(/\.ts$/, '').replaceAll('/', '-')}`;

const lateModules = {
  name: 'late-modules',
  setup(bundle) {
    bundle.onResolve({ filter: /^\.{1,2}\/.*\.ts$/ }, ({ path, resolveDir, kind }) => {
      const file = join(resolveDir, path);
      if (kind === 'entry-point' || !LATE_MODULES.has(file)) return undefined;
      return { path: file, namespace: 'late', sideEffects: false };
    });
    bundle.onLoad({ filter: /.*/, namespace: 'late' }, ({ path }) => ({
      contents: [
        `const load = () => require('./${lateName(path)}.js');`,
        ...functionsOf(path).map(
          (name) => `export function ${name}(...given) { return load().${name}(...given); }`,
        ),
      ].join('\n'),
      loader: 'js',
    }));
    bundle.onResolve({ filter: /^\.\/late-/ }, ({ path }) => ({ path, external: true }));
  },
};

/** The names of what a module exports: functions only. */
function functionsOf(path) {
  const exported = [
    ...readFileSync(path, 'utf8').matchAll(/^export (?!type\b|interface\b)(.*)$/gm),
  ];
  return exported.map(([, text]) => {
    const name = /^(?:async )?function\*? (\w+)/.exec(text)?.[1];
    if (name === undefined) throw new Error(`${path} cannot be loaded late: it exports ${text}`);
    return name;
  });
}

/** Tables of at least this size, in bytes, are parts of their own: most commands need few. */
const LARGE_TABLE = 10_000;

/** Leaves out what only the documentation shows of a knob: most of the table. */
const withoutHelp = (key, value) =>
  ['help', 'readers', 'otherReaders'].includes(key) ? undefined : value;

/**
 * Returns the plugin that leaves large tables out of the parts with code, and adds the text
 * of each that is imported to `tables`. V8 parses JSON faster than it makes the same objects
 * from code.
 */
const withoutTables = (tables) => ({
  name: 'without-tables',
  setup(bundle) {
    bundle.onResolve({ filter: /\.json$/ }, ({ path, resolveDir }) => {
      const text = readFileSync(join(resolveDir, path), 'utf8');
      if (text.length < LARGE_TABLE) return undefined;
      // Not the hash of the file: the hash of all parts is the name of a build.
      const name = basename(path);
      tables.set(
        name,
        JSON.stringify(JSON.parse(text, name === 'knobs.json' ? withoutHelp : undefined)),
      );
      return { path: `./${name}`, external: true };
    });
  },
});

for (const { entry, out, assets, external = [], first = '', inParts = false } of executables) {
  if (!existsSync(join(root, entry))) continue;
  if (inParts) {
    await bundleInParts(entry, out, first);
    continue;
  }
  const { format, banner, define } = out.endsWith('.cjs') ? classic : modern;
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    outfile: join(output, out),
    bundle: true,
    metafile: true,
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
  chmodSync(join(output, out), 0o755);
  writeBundledPackages(join(output, out), metafile);
  if (assets) cpSync(join(root, assets.from), join(output, assets.to), { recursive: true });
}

/**
 * Writes a program, and beside it the file of its parts, one for each dynamic import and what
 * they share; `part-loader.ts` runs them. `.parts.json` lists the packages in each part, for
 * tests.
 */
async function bundleInParts(entry, out, first) {
  const texts = new Map();
  const result = await build({
    absWorkingDir: root,
    entryPoints: [
      { in: entry, out: 'main' },
      ...[...LATE_MODULES].map((path) => ({ in: path, out: lateName(path) })),
    ],
    outdir: 'parts',
    entryNames: '[name]',
    chunkNames: '[name]-[hash]',
    bundle: true,
    splitting: true,
    write: false,
    metafile: true,
    platform: 'node',
    target: 'node20.19',
    format: 'esm',
    conditions: ['@credmon/source'],
    // Names are kept, because nothing is renamed: `keepNames` would set each at the start.
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: 'none',
    plugins: [onlyUsedUndici, onlyUsedWinston, withoutTables(texts), lateModules],
    logLevel: 'warning',
  });
  for (const { path, text } of result.outputFiles) {
    // Nothing is used of what is imported without a name, and no module but the first does
    // anything when it is evaluated.
    const { code } = await transform(text.replaceAll(/\bimport"\.\/[\w-]+\.js";/g, ''), {
      format: 'cjs',
      platform: 'node',
      target: 'node20.19',
      minifySyntax: true,
      minifyWhitespace: true,
      // A part is loaded by the loader, also where the source says `import()`.
      supported: { 'dynamic-import': false },
      define: { 'import.meta.url': '__partUrl' },
      logLevel: 'warning',
    });
    if (Buffer.byteLength(code) !== code.length)
      throw new Error(`${out}: a part is not ASCII: ${basename(path)}`);
    texts.set(basename(path), withPlainExports(code));
  }
  const packages = Object.entries(result.metafile.outputs).map(([path, { inputs }]) => [
    basename(path),
    [...new Set(Object.keys(inputs).map(packageOf))],
  ]);
  const program = basename(out, '.cjs');
  const hash = createHash('sha256')
    .update([...texts].flat().join('\0'))
    .digest('hex');
  const named = `${program}.${hash.slice(0, 16)}`;
  const bytes = [...texts.values()].map((code) => deflateRawSync(code, { level: 9 }));
  let length = 0;
  const parts = {};
  for (const [index, name] of [...texts.keys()].entries()) {
    parts[name] = [length, bytes[index].length];
    length += bytes[index].length;
  }
  const main = basename(
    Object.entries(result.metafile.outputs).find(([, { entryPoint }]) => entryPoint === entry)[0],
  );
  const file = join(output, out);
  mkdirSync(dirname(file), { recursive: true });
  rmSync(`${file}.map`, { force: true });
  writeFileSync(join(dirname(file), `${named}.parts`), Buffer.concat(bytes));
  writeFileSync(file, await programText(first, { build: named, length, main, parts }));
  for (const old of partFilesOf(file))
    if (old !== `${named}.parts`) rmSync(join(dirname(file), old));
  writeFileSync(
    file.replace(/\.cjs$/, '.parts.json'),
    JSON.stringify(Object.fromEntries(packages), undefined, 1),
  );
  chmodSync(join(output, out), 0o755);
  writeBundledPackages(join(output, out), result.metafile);
}

/**
 * Returns the code of a part with its exports as plain properties, set at its end: esbuild
 * makes two functions for each, which takes a third of the time to evaluate the part. No
 * module exports a variable that changes.
 */
function withPlainExports(code) {
  const exported = /__export\((\w+),\{(.*?)\}\);module\.exports=__toCommonJS\(\1\);/s.exec(code);
  if (exported === null) return code;
  const plain = exported[2].replaceAll(/:\(\)=>([\w$]+)/g, ':$1');
  if (plain.includes('=>') || /\b__esm\(/.test(code)) throw new Error('unknown exports of a part');
  return `${code.replace(exported[0], () => '')}Object.assign(exports,{__esModule:!0,${plain}});`;
}

/** The loader with its table. */
async function programText(first, table) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    stdin: {
      contents: `import { runParts } from './packages/core/src/base/process/part-loader.ts';
runParts(__filename, ${JSON.stringify(table)}, require);`,
      resolveDir: root,
      loader: 'ts',
    },
    bundle: true,
    write: false,
    platform: 'node',
    target: 'node20.19',
    format: 'cjs',
    minify: true,
  });
  return `#!/usr/bin/env node
${first}${outputFiles[0].text}`;
}

/** `fs-extra` for a file of node_modules, or the first folders of one of ours. */
function packageOf(path) {
  const parts = path.split('node_modules/').at(-1).split('/');
  if (!path.includes('node_modules/')) return parts.slice(0, 4).join('/');
  return parts.slice(0, parts[0].startsWith('@') ? 2 : 1).join('/');
}
