// What a newcomer does: a clean Debian with only Node.js and npm, an ordinary user, and
// the commands of README.md by copy and paste. The packages come from the npm registry.
import { spawnSync } from 'node:child_process';
import { copyFileSync, cpSync, readFileSync, readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { noteSkipped } from '@credmon/test-fixtures/processes/skipped';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cleanRoot, isRootMissing, type CleanRoot } from './clean-root.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
/** What a fresh checkout does not have. */
const MADE = /^(?:node_modules|dist|\.git|coverage)$|\.tsbuildinfo$/;

/** The commands of README.md for npm, without the words of options. */
const COMMANDS = [
  ...readFileSync(`${checkout}/README.md`, 'utf8').matchAll(/^```sh\n(.*?)^```/gms),
].flatMap(([, block = '']) => block.split('\n').filter((line) => line.startsWith('npm ')));

const registry = spawnSync('npm', ['config', 'get', 'registry'], {
  encoding: 'utf8',
}).stdout.trim();

/** True without an answer from the registry; notes the reason, in CI too. */
async function isRegistryMissing(): Promise<boolean> {
  try {
    await fetch(new URL('-/ping', registry), { signal: AbortSignal.timeout(10_000) });
    return false;
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    noteSkipped(`${registry} cannot be reached (${why}); the newcomer's commands need the network`);
    return true;
  }
}

/** How this machine reaches the registry: its settings hold in the root directory too. */
const network = Object.entries({ ...process.env, NPM_CONFIG_REGISTRY: registry }).filter(([name]) =>
  /^(?:https?_proxy|no_proxy|npm_config_registry)$/i.test(name),
);

const isMissing = isRootMissing('newcomer') || (await isRegistryMissing());

describe.skipIf(isMissing)('a newcomer with only Node.js and npm', () => {
  let root: CleanRoot;
  /** How many packages the demo said that it needs. */
  let announced = 0;
  /** Starts a command in the checkout, as it would be typed. */
  const type = (user: string, command: string): Child => {
    const home = user === 'root' ? '/root' : `/home/${user}`;
    const settings = network.map(([name, value]) => `${name}=${value}`);
    const line = `cd /home/alice/credmon && exec ${command}`;
    return root.start(user, ['env', `HOME=${home}`, ...settings, 'bash', '-c', line]);
  };
  const outputOf = async (child: Child): Promise<string> => {
    expect({ exit: await child.exited, output: child.output }).toEqual({
      exit: { code: 0, signal: null },
      output: child.output,
    });
    return child.output;
  };

  beforeAll(async () => {
    root = await cleanRoot('newcomer');
    for (const file of ['/etc/resolv.conf', '/etc/hosts', '/etc/ssl/certs/ca-certificates.crt'])
      copyFileSync(file, root.path(file));
    cpSync(checkout, root.path('/home/alice/credmon'), {
      recursive: true,
      filter: (path) => path === checkout || !MADE.test(basename(path)),
    });
    await root.sh('chown -R alice:alice /home/alice/credmon');
  });
  afterAll(() => {
    root.remove();
  });

  it('finds these commands in README.md', () => {
    expect(COMMANDS).toEqual(['npm run demo', 'npm test', 'npm run install-to -- /usr/local']);
  });

  it('npm run demo: three lines until the demo begins, a sign-in, a token', async () => {
    const child = type('alice', 'npm run demo');
    const [, url = ''] = await child.printed(/Please visit:\s+(\S+)/);
    // On a slow machine, a line tells every 30 s how far the installation is.
    const said = child.output
      .split('\n')
      .filter((line) => /^bootstrap: (?!installing packages: \d+ of)/.test(line));
    expect(said.map((line) => line.replaceAll(/\d+ s$/g, 'N s'))).toEqual([
      expect.stringMatching(/^bootstrap: needs \d+ npm packages \(about \d+ MB on disk\); /),
      'bootstrap: installed the packages in N s',
      'bootstrap: built the programs in N s',
    ]);
    announced = Number(/needs (\d+)/.exec(said[0] ?? '')?.[1]);
    expect(child.output).not.toMatch(/pnpm:|Progress|WARN/);
    await loginThroughPortal(url);
    await child.printed(/alice +mytok +(?:valid|just renewed)/);
    child.signal('SIGINT', { group: true });
    await child.exited;
    expect(readdirSync(root.path('/tmp')).filter((name) => name.startsWith('credmon'))).toEqual([]);
  });

  it('has no tools of tests after the demo, and as many packages as it said', () => {
    const folder = root.path('/home/alice/credmon/node_modules');
    expect(readdirSync(folder).filter((name) => !name.startsWith('.'))).toEqual([
      '@credmon',
      'esbuild',
    ]);
    const installed = readdirSync(`${folder}/.pnpm`)
      .filter((name) => name.includes('@', 1))
      .map((name) => name.replace(/@(\d[^_@]*)_.*$/, '@$1'));
    expect(new Set(installed).size).toBe(announced);
    const tools =
      /playwright|oxlint|publint|typescript@|vitest|postject|cyclonedx|arethetypeswrong|typedoc|vitepress/;
    expect(installed.filter((name) => tools.test(name))).toEqual([]);
  });

  it('npm run demo -- --auto: everything holds, and nothing is installed again', async () => {
    const output = await outputOf(type('alice', 'npm run demo -- --auto'));
    expect(output).toMatch(/^demo: all of this held, in \d+ s$/m);
    expect(output).not.toContain('bootstrap:');
  });

  // All tests take most of an hour: one folder shows that they can be run.
  it('npm test: installs the tools, and runs (here one folder)', async () => {
    const output = await outputOf(type('alice', 'npm test -- packages/scitokens/test/token'));
    expect(output).toContain('with the tools for tests');
    expect(output).toMatch(/Test Files .*passed/);
  });

  it('npm run install-to -- /usr/local, as root: the programs run for everyone', async () => {
    await outputOf(type('root', 'npm run install-to -- /usr/local'));
    expect(await outputOf(type('alice', '/usr/local/bin/condor_credmon --version'))).toMatch(
      /^\d+\.\d+\.\d+/,
    );
  });
});
