// The files of configs/container. No container is built or run here, because that needs podman
// and a registry of images: the Containerfile and the compose file are checked for syntax and for
// their promises only. What the containers run is run: nginx, two portals and a server of
// Valkey's protocol, with the command lines of the compose file, on the paths of the containers.
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
  chmodSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { startProcess, type Child } from '@credmon/test-fixtures/processes/processes';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { isRedisMissing } from '@credmon/test-fixtures/servers/redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { isMissing, programPath } from '../support/needs.ts';
import { run } from './commands.ts';

const checkout = fileURLToPath(new URL('../..', import.meta.url));
const folder = join(checkout, 'configs/container');

interface Service {
  readonly user: string;
  readonly read_only: boolean;
  readonly cap_drop: readonly string[];
  readonly command?: readonly string[];
  readonly volumes: readonly string[];
  readonly ports?: readonly string[];
  readonly depends_on?: readonly string[];
}
const compose = parse(readFileSync(join(folder, 'compose.yaml'), 'utf8'), { merge: true }) as {
  readonly services: Readonly<Record<string, Service>>;
  readonly volumes: object;
};
const service = (name: string): Service => {
  const found = compose.services[name];
  if (!found) throw new Error(`no service ${name}`);
  return found;
};

describe('the Containerfile, syntax only: podman is not run', () => {
  const lines = readFileSync(join(folder, 'Containerfile'), 'utf8')
    .replaceAll(/^#.*\n/gm, '')
    .replaceAll('\\\n', '')
    .trim()
    .split('\n')
    .filter((line) => line !== '');
  const last = lines.slice(lines.findLastIndex((line) => line.startsWith('FROM ')));

  it('has only instructions that exist', () => {
    for (const line of lines)
      expect(line).toMatch(/^(?:FROM|WORKDIR|COPY|RUN|USER|ENTRYPOINT|CMD) \S/);
  });

  it('builds in one stage and keeps another, which runs as a number that is not root', () => {
    expect(lines.filter((line) => line.startsWith('FROM '))).toHaveLength(2);
    expect(last).toContain('COPY --from=build /out/usr/local/ /usr/local/');
    expect(last.filter((line) => line.startsWith('USER '))).toEqual(['USER 970:970']);
    for (const line of last.filter((text) => /^(?:ENTRYPOINT|CMD) /.test(text)))
      expect(JSON.parse(line.replace(/^\w+ /, ''))).toEqual(expect.any(Array));
  });
});

describe('the compose file, syntax only: podman is not run', () => {
  it('has nginx, two portals and Valkey, each an ordinary user on a read-only root', () => {
    expect(Object.keys(compose.services).sort()).toEqual([
      'nginx',
      'portal-1',
      'portal-2',
      'valkey',
    ]);
    for (const one of Object.values(compose.services)) {
      expect(one).toMatchObject({ read_only: true, cap_drop: ['ALL'] });
      expect(one.user).toMatch(/^[1-9]\d*:[1-9]\d*$/);
    }
    expect(Object.entries(compose.services).filter(([, { ports }]) => ports)).toHaveLength(1);
  });

  it('mounts files and volumes that exist, and depends on services that exist', () => {
    for (const { volumes, depends_on: needed = [] } of Object.values(compose.services)) {
      for (const volume of volumes) {
        const [source = ''] = volume.split(':');
        const isThere = source.startsWith('./')
          ? source === './tls' || existsSync(join(folder, source))
          : source.startsWith('/') || source in compose.volumes;
        expect([volume, isThere]).toEqual([volume, true]);
      }
      for (const name of needed) expect(Object.keys(compose.services)).toContain(name);
    }
  });
});

const cannotRun = isMissing('nginx', 'unshare', 'nsenter') || isRedisMissing();
describe.skipIf(cannotRun || process.getuid?.() !== 0)('what the containers run', () => {
  const work = mkdtempSync(join(tmpdir(), 'credmon-container-'));
  const children: Child[] = [];
  let nginx: Child;

  /** Starts a program that sees the directories of the containers at their paths. */
  function inside(words: readonly string[], env: Readonly<Record<string, string>> = {}): Child {
    const script = `set -e; work=$1; shift
mount -t tmpfs tmpfs /run; mount -t tmpfs tmpfs /var/lib
mkdir -p /run/credmon /run/valkey /run/nginx /var/lib/condor/oauth_credentials
mount --bind "$work/sockets" /run/credmon; mount --bind "$work/valkey" /run/valkey
mount --bind "$work/nginx" /run/nginx
mount --bind "$work/credentials" /var/lib/condor/oauth_credentials
ip link set lo up
exec "$@"`;
    const child = startProcess(
      '/usr/bin/unshare',
      ['--mount', '--net', '/bin/bash', '-c', script, 'bash', work, ...words],
      { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', ...env },
    );
    children.push(child);
    return child;
  }

  beforeAll(async () => {
    for (const name of ['sockets', 'valkey', 'nginx', 'nginx/tls', 'credentials', 'made'])
      mkdirSync(join(work, name));
    chmodSync(join(work, 'credentials'), 0o2770);
    const { certificateFile, keyFile } = makeCertificates(join(work, 'made'));
    copyFileSync(certificateFile, join(work, 'nginx/tls/portal.crt'));
    copyFileSync(keyFile, join(work, 'nginx/tls/portal.key'));
    copyFileSync(join(folder, 'nginx.conf'), join(work, 'nginx/nginx.conf'));
    writeFileSync(join(work, 'mytok.secret'), 'secret\n', { mode: 0o600 });

    const [, ...valkey] = service('valkey').command ?? [];
    inside(['/usr/bin/redis-server', ...valkey]);
    await waitUntil(() => existsSync(join(work, 'valkey/valkey.sock')), { what: 'the socket' });
    const portal = join(checkout, 'packages/webserver/dist/bin/condor_credmon_webserver.js');
    for (const name of ['portal-1', 'portal-2']) {
      const words = [process.execPath, portal, ...(service(name).command ?? [])];
      const child = inside(words, {
        CONDOR_CONFIG: join(folder, 'portal.conf'),
        _CONDOR_mytok_CLIENT_SECRET_FILE: join(work, 'mytok.secret'),
      });
      await child.printed(/ serves https:\/\/ap\.example\.org on \S+,/);
    }
    const words = ['-c', '/run/nginx/nginx.conf', '-g', 'daemon off; user root;'];
    // nginx opens /dev/stdout, which must be a pipe: the children of this process have sockets.
    nginx = inside(['/bin/sh', '-c', '"$@" | cat', 'sh', programPath('nginx'), ...words]);
  });
  afterAll(async () => {
    for (const child of children.toReversed()) {
      child.signal('SIGTERM', { group: true });
      await child.stop();
    }
    rmSync(work, { recursive: true });
  });

  /** Asks nginx, in its network. */
  async function ask(path: string): Promise<string> {
    const words = [
      '/usr/bin/nsenter',
      '-t',
      String(nginx.pid),
      '--net',
      'curl',
      '-sk',
      '--max-time',
    ];
    return run('/', [...words, '20', `https://127.0.0.1:8443${path}`]).catch(() => '');
  }

  it('answers through nginx, and both portals reach the shared sessions', async () => {
    await waitUntil(async () => (await ask('/healthz')) !== '', { what: 'an answer of nginx' });
    for (let request = 0; request < 4; request += 1)
      expect(JSON.parse(await ask('/readyz'))).toEqual({ ready: true });
  });
});
