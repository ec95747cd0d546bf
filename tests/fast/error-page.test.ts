// docs/errors.md and the catalogue of error codes name the same codes, each once.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { ERROR_CODES } from '@credmon/core/base';
import { expect, it } from 'vitest';

it('every error code has its row in docs/errors.md, and every row its code', () => {
  const page = readFileSync(fileURLToPath(new URL('../../docs/errors.md', import.meta.url)), 'utf8');
  const rows = [...page.matchAll(/^\| `([A-Z_]+)`/gm)].map((match) => match[1]);
  expect(rows.sort()).toEqual(Object.keys(ERROR_CODES).sort());
});
