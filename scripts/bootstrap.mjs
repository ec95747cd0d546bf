// Makes a checkout ready to run with nothing but Node and npm. This file has the syntax of
// old versions, so that they can say in one sentence that they are too old.
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
const needed = manifest.engines.node.replace(/[^0-9.]/g, '');

/** True if the version `a` is older than `b`: both are numbers with dots. */
function isOlder(a, b) {
  const left = a.split('.').map(Number);
  const right = b.split('.').map(Number);
  const at = right.findIndex((number, index) => left[index] !== number);
  return at >= 0 && left[at] < right[at];
}

if (isOlder(process.versions.node, needed)) {
  console.error(
    `credmon needs Node.js ${needed} or newer, but this is ${process.versions.node}; install a newer one from https://nodejs.org/ or with the package manager of your system`,
  );
  process.exitCode = 1;
} else {
  import('./first-run/prepare.mjs')
    .then(({ prepare }) => prepare(process.argv.includes('--programs') ? 'programs' : 'all'))
    .catch((error) => {
      console.error(`bootstrap: ${error.message}`);
      process.exitCode = 1;
    });
}
