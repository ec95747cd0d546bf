// The pages of docs/recipes as steps that can be run: the blocks `sh` in their order, each
// with the lines that its output must have.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const FOLDER = fileURLToPath(new URL('../../docs/recipes/', import.meta.url));

/** The names of all pages. */
export const RECIPES = readdirSync(FOLDER).filter((name) => name.endsWith('.md'));

/** One block of commands. Each runs in a bash of its own, as root, with `set -euo pipefail`. */
export interface RecipeStep {
  /** The heading above it. */
  readonly heading: string;
  /** True for installation from the network (`sh setup`): a prepared machine has it done. */
  readonly setup: boolean;
  readonly commands: string;
  /** Lines that the output has, in this order; other lines may be between them. */
  readonly expected: readonly string[];
}

/** Returns the steps of a page. */
export function recipeSteps(page: string): RecipeStep[] {
  const text = readFileSync(join(FOLDER, page), 'utf8');
  const steps: { heading: string; setup: boolean; commands: string; expected: string[] }[] = [];
  let heading = '';
  for (const [, title, info, body = ''] of text.matchAll(
    /^## (.*)$|^```([^\n]*)\n([\s\S]*?)^```$/gm,
  )) {
    if (title !== undefined) heading = title;
    else if (info === 'sh' || info === 'sh setup')
      steps.push({ heading, setup: info !== 'sh', commands: body, expected: [] });
    else steps.at(-1)?.expected.push(...body.split('\n').filter((line) => line !== ''));
  }
  return steps;
}

/** The files that commands write with `cat > FILE <<END`, by their paths. */
export function writtenFiles(commands: string): Readonly<Record<string, string>> {
  const found = commands.matchAll(/^cat > (\S+) <<'?END'?\n([\s\S]*?)^END$/gm);
  return Object.fromEntries([...found].map(([, path = '', text = '']) => [path, text]));
}
