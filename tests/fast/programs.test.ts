// The programs are built where nothing was built before, as in a fresh checkout, and
// installed over an installation that is in use.
import { spawnSync } from 'node:child_process';
import {
  linkSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PATIENCE } from '@credmon/test-fixtures/clocks/patience';
import { beforeAll, expect, it } from 'vitest';

const scripts = fileURLToPath(new URL('../../scripts/', import.meta.url));
const node = (...args: readonly string[]): ReturnType<typeof spawnSync> =>
  spawnSync(process.execPath, args, { encoding: 'utf8', timeout: PATIENCE * 1000 });

let output: string;
let build: ReturnType<typeof spawnSync>;
beforeAll(() => {
  output = mkdtempSync(join(tmpdir(), 'credmon-built-'));
  build = node(join(scripts, 'bundle.mjs'), output);
});

it('are built into an empty directory', () => {
  expect(build).toMatchObject({ stderr: '', status: 0 });
  const program = join(output, 'packages/credmon/dist/bin/condor_credmon.cjs');
  expect(node(program, '--version')).toMatchObject({ stderr: '', status: 0 });
});

it('are installed by replacing each file, not its content', () => {
  const prefix = mkdtempSync(join(tmpdir(), 'credmon-installed-'));
  const library = join(prefix, 'lib/credmon');
  mkdirSync(join(library, 'views'), { recursive: true });
  const files = ['condor_credmon.cjs', 'scitokens.js', 'views/layout.eta', 'package.json'];
  for (const file of files) {
    writeFileSync(join(library, file), 'old');
    linkSync(join(library, file), `${join(library, file)}.kept`);
  }
  expect(node(join(scripts, 'install.mjs'), prefix, output)).toMatchObject({
    stderr: '',
    status: 0,
  });
  for (const file of files) {
    expect(readFileSync(join(library, `${file}.kept`), 'utf8')).toBe('old');
    expect(readFileSync(join(library, file), 'utf8')).not.toBe('old');
  }
  expect(lstatSync(join(prefix, 'bin/condor_credmon_oauth')).isSymbolicLink()).toBe(true);
  const left = [library, join(library, 'views'), join(prefix, 'bin')].flatMap((folder) =>
    readdirSync(folder).filter((name) => name.endsWith('.new')),
  );
  expect(left).toEqual([]);
});
