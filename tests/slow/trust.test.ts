// R26: private authorities in every place that hosts keep them, for every program, with
// NODE_EXTRA_CA_CERTS unset. The machine's own store is changed inside a mount namespace
// only.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeCertificates, type Certificates } from '@credmon/test-fixtures/servers/certificates';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import {
  executablePath,
  startProcess,
  type Child,
  type Executable,
} from '@credmon/test-fixtures/processes/processes';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { daemonLog, root, startDaemon } from './daemon-runs.ts';
import { isMissing } from '../support/needs.ts';

let workspace: Workspace;
let certificates: Certificates;
let issuer: Issuer;
beforeEach(async () => {
  workspace = createWorkspace({ knobs: { CREDMON_ALLOW_LOOPBACK_HTTP: false } });
  certificates = makeCertificates(workspace.root);
  const tls = {
    key: readFileSync(certificates.keyFile, 'utf8'),
    cert: readFileSync(certificates.certificateFile, 'utf8'),
  };
  issuer = await startIssuer({ tls });
  await issuer.addClient({
    clientId: 'public',
    clientSecret: '',
    redirectUris: ['https://ap.example/return'],
    authentication: 'none',
  });
  workspace.configure({
    CREDMON_WEB_PREFIX: 'https://ap.example',
    CREDMON_WEB_LISTEN: '127.0.0.1:0',
  });
});
afterEach(async () => {
  await issuer.close();
  workspace.remove();
});

/**
 * Where the authority is: a script that runs in a mount namespace before the program,
 * knobs, and variables.
 */
interface Place {
  readonly script?: string;
  readonly knobs?: Readonly<Record<string, string>>;
  readonly environment?: Readonly<Record<string, string>>;
}

const mayMount = spawnSync('unshare', ['--mount', 'true']).status === 0;

/** Puts a changed copy of /etc in its place, for one process and its children. */
const withEtc = (change: string): string =>
  `mkdir -p "$R/upper" "$R/work" && mount -t overlay overlay -o "lowerdir=/etc,upperdir=$R/upper,workdir=$R/work" /etc && ${change}`;

/** The places by name. Each has the authority, but for `nowhere`. */
function placeOf(name: string): Place {
  const { caFile } = certificates;
  switch (name) {
    case "Debian's bundle":
      return { script: withEtc('cat "$CA" >> /etc/ssl/certs/ca-certificates.crt') };
    case "Red Hat's bundle":
      return {
        script: withEtc(
          'mkdir -p /etc/pki/ca-trust/extracted/pem && cp "$CA" /etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem',
        ),
      };
    case "the grid's directory":
      return {
        script: withEtc(
          'mkdir -p /etc/grid-security/certificates && cp "$CA" /etc/grid-security/certificates/0a1b2c3d.0',
        ),
      };
    case 'SSL_CERT_FILE':
      return { environment: { SSL_CERT_FILE: caFile } };
    case 'AUTH_SSL_CLIENT_CAFILE':
      return { knobs: { AUTH_SSL_CLIENT_CAFILE: caFile } };
    case 'AUTH_SSL_CLIENT_CADIR': {
      const directory = join(workspace.root, 'authorities');
      mkdirSync(directory);
      cpSync(caFile, join(directory, 'ours.pem'));
      return { knobs: { AUTH_SSL_CLIENT_CADIR: directory } };
    }
    case "AUTH_SSL_CLIENT_CAFILE with Node's --use-openssl-ca":
      return {
        knobs: { AUTH_SSL_CLIENT_CAFILE: caFile },
        environment: { NODE_OPTIONS: '--use-openssl-ca' },
      };
    default:
      return {};
  }
}

async function run(program: Executable, args: readonly string[], place: Place): Promise<Child> {
  workspace.configure(place.knobs ?? {});
  const words = [process.execPath, executablePath(root, program), ...args];
  const environment = {
    ...workspace.environment,
    ...place.environment,
    R: workspace.root,
    CA: certificates.caFile,
  };
  const script = `${place.script ?? 'true'} && exec "$@"`;
  const child = startProcess(
    'unshare',
    ['--mount', 'sh', '-c', script, 'sh', ...words],
    environment,
  );
  await child.exited;
  return child;
}

const TRUSTED = [
  "Debian's bundle",
  "Red Hat's bundle",
  "the grid's directory",
  'SSL_CERT_FILE',
  'AUTH_SSL_CLIENT_CAFILE',
  'AUTH_SSL_CLIENT_CADIR',
  "AUTH_SSL_CLIENT_CAFILE with Node's --use-openssl-ca",
];

describe.skipIf(isMissing('openssl') || !mayMount)('R26 a private authority', () => {
  it.each(TRUSTED)('in %s is trusted by the daemon, check and the portal', async (name) => {
    const service = await workspace.addService('mytok', issuer);
    const token = await seedToken(workspace, service, 'alice', 'mytok', {
      age: 3000,
      ca: certificates.ca,
    });
    const place = placeOf(name);
    await run('condor_credmon', ['--once'], place);
    expect(daemonLog(workspace)).toContain('Successfully renewed alice/mytok (oauth)');
    expect(readJson(token.path('use'))['access_token']).not.toBe(token.accessToken);
    const check = await run('condor_credmon', ['check'], place);
    expect(check.output).toContain(`${issuer.url} is reachable, and its metadata matches`);
    expect(check.output).toMatch(
      /\ncertificates\n +ok +\d+ certificate authorities are trusted, from Node\.js/,
    );
    const portal = await run('condor_credmon_webserver', ['--check'], place);
    expect(portal.output).toMatch(/\nissuer of mytok\n +ok +https:\S+ is reachable/);
  });

  it('that is nowhere: daemon, check and portal name it and say what to do', async () => {
    const service = await workspace.addService('mytok', issuer);
    await seedToken(workspace, service, 'alice', 'mytok', { age: 3000, ca: certificates.ca });
    const expected =
      /certificate authority "CN=credmon test authority" not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); fix: /;
    await run('condor_credmon', ['--once'], {});
    expect(daemonLog(workspace)).toMatch(expected);
    const inJson = new RegExp(expected.source.replaceAll('"', '\\\\+"'));
    const check = await run('condor_credmon', ['check', '--json'], {});
    expect(check.output).toMatch(inJson);
    const portal = await run('condor_credmon_webserver', ['--check', '--json'], {});
    expect(portal.output).toMatch(inJson);
  });

  it.each(["Debian's bundle", 'AUTH_SSL_CLIENT_CAFILE', 'nowhere'])(
    'in %s: the storer begins a device login only where it is trusted',
    async (name) => {
      const place = placeOf(name);
      workspace.configure({
        ...place.knobs,
        mytok_CLIENT_ID: 'public',
        mytok_TOKEN_URL: issuer.tokenUrl,
        CREDMON_mytok_ISSUER: issuer.url,
        CREDMON_DEVICE_PROVIDER_NAMES: 'mytok',
        VAULT_CREDMON_PROVIDER_NAMES: 'mytok',
      });
      const words = [process.execPath, executablePath(root, 'condor_credential_storer'), 'mytok'];
      const line = `${place.script ?? 'true'} && exec ${words.map((word) => `'${word}'`).join(' ')}`;
      const bin = join(workspace.root, 'bin');
      mkdirSync(bin);
      // Says that nothing is stored.
      writeFileSync(join(bin, 'condor_store_cred'), '#!/bin/sh\nexit 1\n', { mode: 0o755 });
      const storer = startProcess('unshare', ['--mount', 'script', '-qefc', line, '/dev/null'], {
        ...workspace.environment,
        ...place.environment,
        PATH: `${bin}:/usr/bin:/bin`,
        R: workspace.root,
        CA: certificates.caFile,
      });
      const trusted = name !== 'nowhere';
      try {
        const shown = await storer.printed(
          trusted ? /user_code=/ : /CN=credmon test authority.*\s*not trusted/,
        );
        expect(shown).not.toBeNull();
      } finally {
        await storer.stop();
      }
    },
  );

  it('that is put in its place while the daemon runs counts at the next attempt, without a signal', async () => {
    const caFile = join(workspace.root, 'later.pem');
    workspace.configure({
      AUTH_SSL_CLIENT_CAFILE: caFile,
      CREDMON_FIRST_RETRY: 1,
      CREDMON_LONGEST_RETRY: 2,
    });
    const service = await workspace.addService('mytok', issuer);
    await seedToken(workspace, service, 'alice', 'mytok', { age: 3000, ca: certificates.ca });
    const daemon = startDaemon(workspace);
    const logged = (pattern: RegExp): Promise<unknown> =>
      waitUntil(() => pattern.exec(daemonLog(workspace)), { what: String(pattern) });
    try {
      await logged(/later\.pem \(named by AUTH_SSL_CLIENT_CAFILE.*\): ENOENT; skipped/);
      await logged(/not trusted/);
      cpSync(certificates.caFile, caFile);
      await logged(/Successfully renewed alice\/mytok/);
    } finally {
      await daemon.stop();
    }
    expect(daemonLog(workspace).match(/ENOENT; skipped/g)).toHaveLength(1);
  });
});
