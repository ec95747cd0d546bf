// Programs that only some machines have: a test that needs one is skipped and listed at
// the end, but in CI its absence is a failure.
import { existsSync } from 'node:fs';
import { skipWithout } from '@credmon/test-fixtures/processes/skipped';

/**
 * Where Debian puts the programs that these tests drive, and the package that brings
 * each.
 */
const PROGRAMS = {
  chromium: { path: '/usr/bin/chromium', package: 'chromium' },
  nginx: { path: '/usr/sbin/nginx', package: 'nginx-light' },
  apache2: { path: '/usr/sbin/apache2', package: 'apache2' },
  promtool: { path: '/usr/bin/promtool', package: 'prometheus' },
  openssl: { path: '/usr/bin/openssl', package: 'openssl' },
  libfaketime: {
    path: '/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1',
    package: 'libfaketime',
  },
  strace: { path: '/usr/bin/strace', package: 'strace' },
  unshare: { path: '/usr/bin/unshare', package: 'util-linux' },
  nsenter: { path: '/usr/bin/nsenter', package: 'util-linux' },
  setpriv: { path: '/usr/bin/setpriv', package: 'util-linux' },
  mandoc: { path: '/usr/bin/mandoc', package: 'mandoc' },
  rpmbuild: { path: '/usr/bin/rpmbuild', package: 'rpm' },
  lintian: { path: '/usr/bin/lintian', package: 'lintian' },
  'systemd-analyze': { path: '/usr/bin/systemd-analyze', package: 'systemd' },
  zsh: { path: '/usr/bin/zsh', package: 'zsh' },
  fish: { path: '/usr/bin/fish', package: 'fish' },
  mkfifo: { path: '/usr/bin/mkfifo', package: 'coreutils' },
} as const;

/** A program's name. */
export type Program = keyof typeof PROGRAMS;

/** The path of a program. */
export function programPath(name: Program): string {
  return PROGRAMS[name].path;
}

/**
 * True when one of `programs` is not here, for `describe.skipIf`; which ones is listed at
 * the end of the run.
 * @throws Error in CI, so that the file counts as failed
 */
export function isMissing(...programs: readonly Program[]): boolean {
  const missing = programs.filter((name) => !existsSync(programPath(name)));
  if (missing.length === 0) return false;
  const packages = [...new Set(missing.map((name) => PROGRAMS[name].package))];
  return skipWithout(missing.map(programPath).join(', '), `apt-get install ${packages.join(' ')}`);
}
