// Writes .oxlintrc.json: the import graph and the list of files that may touch the world,
// said once and repeated for every package.
import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

/** Who may import whom; everything else between packages is refused. */
const core = [
  'base',
  'classad',
  'config',
  'credential',
  'log',
  'oauth',
  'profiles',
  'renewal',
  'store',
].map((folder) => `@credmon/core/${folder}`);
const mayImport = {
  core: [],
  scitokens: ['@credmon/core/base', '@credmon/core/classad'],
  credmon: [...core, '@credmon/scitokens'],
  webserver: [...core, '@credmon/scitokens'],
};

/**
 * The files that touch clock, randomness, files, network and processes (CONTRIBUTING.md,
 * "the world").
 */
const worldFiles = [
  'packages/core/src/base/files/**',
  'packages/core/src/base/http/{agents,lookup,send,stale-socket,tls-refusal,trust,trust-files}.ts',
  'packages/core/src/base/process/{part-loader,process,program-lookup,service-manager}.ts',
  'packages/core/src/base/time/{clock,yielder}.ts',
  'packages/core/src/config/machine/**',
  'packages/core/src/log/{audit-log,rotating-file}.ts',
  'packages/core/src/store/{apply-change,directory-names,directory-scan,directory-store,directory-trust,lock,read-file,reserve,sync-group,token-scan,user-scan,user-turn}.ts',
  'packages/*/src/main.ts',
  'packages/*/src/cli/**',
  'packages/credmon/src/{commands,checks,host,storer}/**',
  'packages/credmon/src/mytoken/main.ts',
  'packages/credmon/src/daemon/{pid-and-complete,signals,master-watch}.ts',
  'packages/credmon/src/metrics/health-and-pages.ts',
  'packages/scitokens/src/keys/{create-key,key-directory,private-files}.ts',
  'packages/scitokens/src/verify/{discover,issuer-keys,key-files}.ts',
  'packages/webserver/src/{host,session-store}/**',
  'packages/webserver/src/server.ts',
];

const worldGlobals = [
  'process',
  'fetch',
  'Date',
  'globalThis',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'crypto',
  'performance',
];
const bareBuiltins =
  '^(fs|os|net|tls|http|https|http2|dgram|dns|child_process|cluster|worker_threads|crypto|process|timers|perf_hooks|stream|events|module|vm|v8|inspector|readline|repl|tty|zlib|util|assert|buffer|path|url|querystring|string_decoder|async_hooks|diagnostics_channel)(/.*)?$';
/**
 * node:path, node:url, node:util, node:buffer and the pure part of node:crypto (named
 * imports) are allowed everywhere.
 */
const worldBuiltins =
  '^node:(fs|fs/promises|os|net|tls|http|https|http2|dgram|dns|dns/promises|child_process|cluster|worker_threads|process|timers|timers/promises|perf_hooks|stream|stream/promises|events|module|vm|v8|inspector|readline|repl|tty|zlib|async_hooks|diagnostics_channel|sqlite|test)$';
const pureCrypto = [
  'createCipheriv',
  'createDecipheriv',
  'createHash',
  'createHmac',
  'createPrivateKey',
  'createPublicKey',
  'hkdfSync',
  'sign',
  'verify',
  'timingSafeEqual',
  'KeyObject',
  'JsonWebKey',
];

function importRule(name, world) {
  const others = Object.keys(mayImport)
    .filter((other) => other !== name)
    .flatMap((other) => [`@credmon/${other}`, ...(other === 'core' ? core : [])])
    .filter((other) => !mayImport[name].includes(other));
  const patterns = [
    {
      regex: '^(\\.\\./)+(core|scitokens|credmon|webserver)/',
      message: 'Import the other package by its name.',
    },
    { regex: bareBuiltins, message: 'Write node: in front of a built-in module.' },
  ];
  if (!world)
    patterns.push({
      regex: worldBuiltins,
      message: 'Effects live in the files that scripts/lint-config.mjs names.',
    });
  const paths = others.map((other) => ({
    name: other,
    message: `${name} may not import ${other}.`,
  }));
  if (!world) {
    paths.push({
      name: 'node:crypto',
      allowImportNames: pureCrypto,
      message: 'Only the pure part of node:crypto; randomness is a parameter.',
    });
  }
  return ['error', { paths, patterns }];
}

const sizes = {
  'max-lines': ['error', { max: 350, skipBlankLines: false, skipComments: false }],
  'max-lines-per-function': ['error', { max: 80, skipBlankLines: true, skipComments: true }],
};

const overrides = Object.keys(mayImport).map((name) => ({
  files: [`packages/${name}/src/**/*.ts`],
  rules: {
    ...sizes,
    'no-console': 'error',
    'no-restricted-globals': [
      'error',
      ...worldGlobals.map((global) => ({
        name: global,
        message: 'Pass it in: effects live in the files that scripts/lint-config.mjs names.',
      })),
    ],
    'no-restricted-properties': [
      'error',
      { object: 'Math', property: 'random', message: 'Randomness is a parameter.' },
    ],
    'no-restricted-imports': importRule(name, false),
  },
}));
for (const name of Object.keys(mayImport)) {
  overrides.push({
    files: worldFiles
      .filter(
        (pattern) => pattern.startsWith('packages/*/') || pattern.startsWith(`packages/${name}/`),
      )
      .map((pattern) => pattern.replace('packages/*/', `packages/${name}/`)),
    rules: {
      'no-restricted-globals': 'off',
      'no-restricted-properties': 'off',
      'no-restricted-imports': importRule(name, true),
    },
  });
}
overrides.push({
  files: [
    '**/*.test.ts',
    'tests/**',
    'test-fixtures/**',
    'bench/**',
    'scripts/**',
    'vitest.config.ts',
  ],
  rules: {
    'no-console': 'off',
    'max-lines-per-function': 'off',
    'typescript/no-unsafe-type-assertion': 'off',
  },
});

const config = {
  $schema: './node_modules/oxlint/configuration_schema.json',
  plugins: ['typescript', 'unicorn', 'oxc', 'import', 'promise', 'node', 'vitest'],
  options: { typeAware: true },
  categories: { correctness: 'error', suspicious: 'error' },
  ignorePatterns: ['**/dist/**', 'coverage/**', 'test-fixtures/golden/**', 'test-fixtures/data/**'],
  rules: {
    'import/no-cycle': 'error',
    'import/no-unassigned-import': 'off',
    'import/no-named-as-default-member': 'off',
    'no-shadow': 'off',
    'typescript/consistent-return': 'off',
    'no-underscore-dangle': 'off',
    'no-await-in-loop': 'off',
    'unicorn/consistent-function-scoping': 'off',
    'unicorn/no-array-sort': 'off',
    'typescript/no-explicit-any': 'error',
    'typescript/no-floating-promises': 'error',
    'typescript/no-misused-promises': 'error',
    'typescript/switch-exhaustiveness-check': [
      'error',
      { considerDefaultExhaustiveForUnions: true },
    ],
    'typescript/no-unsafe-type-assertion': 'off',
    'vitest/no-focused-tests': 'error',
    'vitest/require-mock-type-parameters': 'off',
  },
  overrides,
};

writeFileSync(join(root, '.oxlintrc.json'), JSON.stringify(config, null, 2) + '\n');
