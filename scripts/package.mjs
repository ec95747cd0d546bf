// Builds the packages of the Linux distributions in dist/package: a .deb, an .rpm, the bill
// of materials. The same sources give the same bytes.
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildDeb } from './packaging/deb.mjs';
import { packagesIn, sourceDate, versionOf } from './packaging/layout.mjs';
import { buildRpm } from './packaging/rpm.mjs';
import { buildStandalone } from './packaging/standalone.mjs';
import { sbomText } from './packaging/sbom.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const KINDS = {
  '--deb': buildDeb,
  '--rpm': buildRpm,
  '--sbom': buildSbom,
  '--standalone': buildStandalone,
};
const words = process.argv.slice(2);
const flags = words.filter((word) => word.startsWith('-'));
const [directory = join(root, 'dist', 'package'), ...more] = words.filter(
  (word) => !word.startsWith('-'),
);
const unknown = flags.find((flag) => !(flag in KINDS)) ?? more[0];
if (unknown !== undefined) {
  console.error(`package: unknown argument ${unknown}

usage: npm run package -- [--deb] [--rpm] [--sbom] [--standalone] [DIRECTORY]

Without options, the first three are built; --standalone makes one executable that contains
Node.js. DIRECTORY: default dist/package.`);
  process.exit(2);
}
if (!existsSync(join(root, 'packages/credmon/dist/bin/condor_credmon.cjs'))) {
  console.error('package: not built; run: npm run build');
  process.exit(1);
}

async function buildSbom(_, output) {
  const facts = { version: versionOf(root), epoch: sourceDate(root) };
  const path = join(output, `credmon-${facts.version}.cdx.json`);
  mkdirSync(output, { recursive: true });
  writeFileSync(path, sbomText(packagesIn(root, root), facts));
  return path;
}

try {
  for (const kind of flags.length > 0 ? flags : ['--deb', '--rpm', '--sbom'])
    console.log(await KINDS[kind](root, resolve(directory)));
} catch (error) {
  console.error(`package: ${error.message}`);
  process.exitCode = 1;
}
