// The pages of docs/recipes, run as they stand in a root of Debian 13: from an empty
// machine to the last command's output.
import { cpSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { startNamespace, type Namespace } from '@credmon/test-fixtures/pool/namespace';
import { isPoolMissing, rootDirectory } from '@credmon/test-fixtures/pool/root-directory';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingLines } from '../support/page-blocks.ts';
import { RECIPES, recipeSteps } from '../support/recipe-page.ts';

/** Only `npm run install-to` needs them, which the root directory has done. */
const NOT_INSTALLED = ['npm', 'git'];

describe.skipIf(isPoolMissing())('R45 a recipe', () => {
  let machine: Namespace;
  beforeEach(async () => {
    machine = await startNamespace(rootDirectory(tmpdir()).root);
    // What systemd-tmpfiles does at boot.
    await machine.must([
      'install',
      '-d',
      '-o',
      'condor',
      '-g',
      'condor',
      '/run/condor',
      '/run/lock',
    ]);
    cpSync('configs', machine.path('/usr/local/src/credmon/configs'), { recursive: true });
  });
  afterEach(() => machine.remove());

  it.each(RECIPES)('%s runs from the first command to the last', async (page) => {
    for (const [index, step] of recipeSteps(page).entries()) {
      if (step.setup) {
        await machine.must(['dpkg-query', '-W', ...packagesIn(step.commands)]);
        continue;
      }
      const file = `/tmp/step-${index}`;
      writeFileSync(machine.path(file), step.commands);
      // Daemons that a step starts keep its output open, so it is a file.
      const { code } = await machine.run([
        '/bin/bash',
        '-c',
        `exec /bin/bash -euo pipefail ${file} > ${file}.out 2>&1 < /dev/null`,
      ]);
      const output = readFileSync(machine.path(`${file}.out`), 'utf8');
      const failed = { heading: step.heading, code, output: code === 0 ? '' : output };
      expect(failed).toEqual({ heading: step.heading, code: 0, output: '' });
      expect({ heading: step.heading, missing: missingLines(step.expected, output) }).toEqual({
        heading: step.heading,
        missing: [],
      });
    }
    expect(existsSync(machine.path('/usr/local/bin/condor_credmon'))).toBe(true);
  });
});

/** What the commands install with apt-get. */
const packagesIn = (commands: string): string[] =>
  [...commands.matchAll(/apt-get install (.*)$/gm)]
    .flatMap(([, words = '']) => words.split(' '))
    .filter((word) => !word.startsWith('-') && !NOT_INSTALLED.includes(word));
