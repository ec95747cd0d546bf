// Runs a short program against our sources in its own process: as another user, or to be
// killed.
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

/**
 * The program `script`, whose imports are relative to `src/`, as one text for `node
 * --input-type=module`.
 */
export function programOf(script: string): string {
  const { outputFiles } = buildSync({
    stdin: {
      contents: script,
      loader: 'ts',
      resolveDir: fileURLToPath(new URL('../../src', import.meta.url)),
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    // CommonJS code requires built-in modules in this way.
    banner: {
      js: `import { createRequire } from 'node:module'; const require = createRequire('${import.meta.url}');`,
    },
    write: false,
  });
  return outputFiles[0]?.text ?? '';
}
