// Programs that only some machines have: a test that needs one is skipped with a word about it, but in CI its absence is a failure.
import { existsSync } from 'node:fs';

/** Where Debian puts the programs that these tests drive, and the package that brings each. */
const PROGRAMS = {
  chromium: { path: '/usr/bin/chromium', package: 'chromium' },
  nginx: { path: '/usr/sbin/nginx', package: 'nginx-light' },
  apache2: { path: '/usr/sbin/apache2', package: 'apache2' },
  promtool: { path: '/usr/bin/promtool', package: 'prometheus' },
  openssl: { path: '/usr/bin/openssl', package: 'openssl' },
} as const;

/** A program's name. */
export type Program = keyof typeof PROGRAMS;

/** The path of a program. */
export function programPath(name: Program): string {
  return PROGRAMS[name].path;
}

/**
 * True when one of `programs` is not here, for `describe.skipIf`; says which.
 * @throws Error in CI, so that the file counts as failed
 */
export function isMissing(...programs: readonly Program[]): boolean {
  const missing = programs.filter((name) => !existsSync(programPath(name)));
  if (missing.length === 0) return false;
  const said = `${missing.map(programPath).join(', ')} missing; to run these tests: apt-get install ${missing.map((name) => PROGRAMS[name].package).join(' ')}`;
  if ((process.env['CI'] ?? '') !== '') throw new Error(said);
  console.warn(`skipped: ${said}`);
  return true;
}
