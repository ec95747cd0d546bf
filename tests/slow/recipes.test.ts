// The pages of docs/recipes, run as they stand in a root of Debian 13: from an empty
// machine to the last command's output.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { noteSkipped } from '@credmon/test-fixtures/processes/skipped';
import { startProcess } from '@credmon/test-fixtures/processes/processes';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { missingLines, RECIPES, recipeSteps } from '../support/recipe-page.ts';
import { root } from './daemon-runs.ts';

/**
 * A root of Debian 13 with the packages of the blocks `sh setup`. It is not changed: the
 * recipes run in an overlay, without a network.
 */
const DEBIAN = process.env['CREDMON_RECIPE_ROOT'];
const canRun = DEBIAN !== undefined && process.getuid?.() === 0;
if (!canRun) noteSkipped('the recipes need root, and CREDMON_RECIPE_ROOT: see CONTRIBUTING.md');

let scratch: string;
beforeEach(() => {
  scratch = mkdtempSync(join(tmpdir(), 'recipe-'));
});
afterEach(() => rmSync(scratch, { recursive: true, force: true }));

describe.runIf(canRun)('R45 a recipe', () => {
  it.each(RECIPES)('%s runs from the first command to the last', async (page) => {
    const steps = recipeSteps(page).filter(({ setup }) => !setup);
    const number = (index: number): string => String(index + 1).padStart(2, '0');
    for (const [index, { commands }] of steps.entries())
      writeFileSync(join(scratch, `step-${number(index)}.sh`), commands);
    const script = join(root, 'tests/support/recipe-run.sh');
    const own = ['-m', '-p', '-n', '-u', '--fork', '--kill-child'];
    const args = own.concat('bash', script, DEBIAN ?? '', scratch, root);
    const run = startProcess('unshare', args, { PATH: process.env['PATH'] ?? '' });
    const { code } = await run.exited;
    const outputs = readdirSync(scratch).filter((name) => name.startsWith('out-'));
    const last = outputs.sort().at(-1);
    const shown = last === undefined ? run.output : readFileSync(join(scratch, last), 'utf8');
    expect({ page, code, shown: code === 0 ? '' : shown }).toEqual({ page, code: 0, shown: '' });
    for (const [index, step] of steps.entries()) {
      const output = readFileSync(join(scratch, `out-${number(index)}`), 'utf8');
      expect({ step: step.heading, missing: missingLines(step, output) }).toEqual({
        step: step.heading,
        missing: [],
      });
    }
  });
});
