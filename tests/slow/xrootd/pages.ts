// Runs the shell blocks of a documentation page as they stand, with our executables in
// PATH.
import { execFile } from 'node:child_process';
import { mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
const TOOLS = [
  'scitokens',
  'scitokens-admin-create-key',
  'scitokens-admin-create-token',
  'scitokens-verify-token',
];

/** The text of a page in docs/. */
export function readPage(name: string): string {
  return readFileSync(join(ROOT, 'docs', name), 'utf8');
}

/** The blocks of a page that are marked so, for instance `sh run` or `ini`. */
export function blocks(page: string, mark: string): string[] {
  return [...page.matchAll(/^```([^\n]*)\n([\s\S]*?)^```$/gm)].flatMap(([, info, text = '']) =>
    info === mark ? [text] : [],
  );
}

/**
 * Runs blocks one after the other in one shell in `directory`, and returns what they
 * print; a failing line ends it with an error.
 */
export async function runBlocks(texts: readonly string[], directory: string): Promise<string> {
  const bin = join(directory, '.bin');
  mkdirSync(bin, { recursive: true });
  for (const name of TOOLS)
    symlinkSync(join(ROOT, 'packages/scitokens/dist/bin', `${name}.js`), join(bin, name));
  const script = `set -euo pipefail\n${texts.join('\n')}`;
  const env = { ...process.env, PATH: `${bin}:${process.env['PATH']}`, HOME: directory };
  const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: directory, env });
  return stdout;
}
