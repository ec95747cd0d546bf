// What the suites against XRootD need: root and a mount namespace, because libscitokens
// reads only the machine's trust store, which is covered there.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { skipWithout } from '@credmon/test-fixtures/processes/skipped';

/** The one file in which libscitokens looks for certificate authorities. */
export const BUNDLE = '/etc/ssl/certs/ca-certificates.crt';
/** The user as whom Debian runs XRootD. It refuses to run as root. */
export const USER = 'xrootd';

const FILES = [
  BUNDLE,
  ...['xrootd', 'scitokens-verify', 'openssl', 'curl', 'perl', 'unshare', 'setpriv'].map(
    (name) => `/usr/bin/${name}`,
  ),
];
/** Their file names carry XRootD's major version. */
const PLUGINS = ['libXrdHttp', 'libXrdAccSciTokens'];
const PACKAGES =
  'xrootd-server xrootd-server-plugins xrootd-scitokens-plugins scitokens-cpp openssl curl ca-certificates';

/** The user and group number of {@link USER}; `undefined` when there is no such user. */
export function xrootdUser(): number | undefined {
  const line = new RegExp(`^${USER}:[^:]*:(\\d+):`, 'm').exec(readFileSync('/etc/passwd', 'utf8'));
  return line?.[1] === undefined ? undefined : Number(line[1]);
}

/** What is missing here, in words; empty when the suites can run. */
export function missingForXrootd(): string[] {
  const found = [
    ...FILES.filter((path) => !existsSync(path)),
    ...PLUGINS.filter((name) => !hasLibrary(name)).map((name) => `${name}.so`),
    ...(xrootdUser() === undefined ? [`the user ${USER}`] : []),
  ];
  if (found.length > 0) return found;
  if (process.getuid?.() !== 0) return ['root'];
  const { status } = spawnSync('/usr/bin/unshare', ['--mount', '--propagation', 'private', 'true']);
  return status === 0 ? [] : ['permission for `unshare --mount`'];
}

/**
 * True when the suites cannot run here, for `describe.skipIf`; what is missing is listed
 * at the end of the run.
 * @throws Error in CI, so that the file counts as failed
 */
export function isXrootdMissing(): boolean {
  const missing = missingForXrootd();
  if (missing.length === 0) return false;
  return skipWithout(
    `XRootD: ${missing.join(', ')}`,
    `apt-get install ${PACKAGES}, and run them as root`,
  );
}

function hasLibrary(name: string): boolean {
  const pattern = new RegExp(`^${name}(?:-\\d+)?\\.so$`);
  const list = (path: string): string[] => (existsSync(path) ? readdirSync(path) : []);
  const folders = ['/usr/lib64', ...list('/usr/lib').filter((folder) => /-linux-/.test(folder))];
  return folders.some((folder) =>
    list(resolve('/usr/lib', folder)).some((file) => pattern.test(file)),
  );
}
