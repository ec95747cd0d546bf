// `init` over real files: flags or answers, what it writes, and what it never replaces.
import { spawnSync } from 'node:child_process';
import type * as fs from 'node:fs';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { messageOf } from '@credmon/core/base';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { exitCodeOf } from '../../src/command-line/exit-codes.ts';
import { parseArguments } from '../../src/command-line/arguments.ts';
import { runInitCommand, type InitOutput } from '../../src/commands/init.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

/** The error of link(2); `undefined`: it works. */
const links: { code: string | undefined } = vi.hoisted(() => ({ code: undefined }));
vi.mock('node:fs', async (load) => {
  const real = await load<typeof fs>();
  return {
    ...real,
    linkSync: (from: string, to: string) => {
      if (links.code !== undefined)
        throw Object.assign(new Error('link'), { code: links.code, syscall: 'link' });
      real.linkSync(from, to);
    },
  };
});

let on: CheckBench;
let asked: string[];
beforeEach(() => {
  on = checkBench();
  asked = [];
});
afterEach(() => {
  links.code = undefined;
  on.close();
});

const written = (): string => `${on.root}/config.d/60-credmon.conf`;
const text = (): string => readFileSync(written(), 'utf8');
const flags = (...more: readonly string[]): string[] => [
  '--profile=keycloak',
  '--issuer=https://127.0.0.1:9/realms/lab',
  '--client-id=htcondor',
  `--secret-file=${on.root}/secrets/keycloak`,
  ...more,
];

/** The person answers each question in turn; the last answers are missing. */
function person(...answers: readonly string[]): InitOutput['person'] {
  const left = [...answers];
  const next = async (question: string): Promise<string | undefined> => {
    asked.push(question);
    return left.shift();
  };
  return { line: next, secret: next };
}

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

async function init(
  argv: readonly string[],
  { who, config }: { who?: InitOutput['person']; config?: string } = {},
): Promise<Ran> {
  const root = on.file(
    'condor_config',
    config ??
      `LOCAL_CONFIG_DIR = ${on.root}/config.d\nSEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.credDir}\nLOG = ${on.root}\nCREDMON_REQUEST_TIMEOUT = 3\n`,
  );
  on.file('config.d/00-other.conf', '');
  const command = await parseArguments(['init', '--config', root, ...argv], '1');
  if (command.kind !== 'init') throw new Error(`not init: ${JSON.stringify(command)}`);
  const said = { out: '', err: '' };
  const output = {
    stdout: (line: string): void => void (said.out += `${line}\n`),
    stderr: (line: string): void => void (said.err += `${line}\n`),
    person: who,
    program: '/usr/sbin/condor_credmon',
  };
  try {
    return { code: await runInitCommand(command, {}, output), ...said };
  } catch (error) {
    return { code: exitCodeOf(error, false), ...said, err: said.err + messageOf(error) };
  }
}

describe('init on a file system without hard links', () => {
  it.each(['EPERM', 'ENOTSUP', 'ENOSYS'])('writes the file, after %s', async (code) => {
    links.code = code;
    expect(await init(flags())).toMatchObject({ code: 1, err: '' });
    expect(text()).toMatch(/^# Written by condor_credmon init\.\n/);
    expect(statSync(written()).mode & 0o777).toBe(0o644);
  });

  it('writes a file that all can read, whatever the umask', async () => {
    links.code = 'EPERM';
    const umask = process.umask(0o077);
    try {
      await init(flags());
    } finally {
      process.umask(umask);
    }
    expect(statSync(written()).mode & 0o777).toBe(0o644);
    expect(text()).toMatch(/^# Written by condor_credmon init\.\n/);
  });

  it('does not replace a file that another process has made meanwhile', async () => {
    links.code = 'EEXIST';
    const { code, err } = await init(flags());
    expect([code, err]).toEqual([1, expect.stringContaining('created in the meantime')]);
    expect(existsSync(written())).toBe(false);
  });
});

describe('init with flags', () => {
  it('writes the provider below the configuration, and ends as check does', async () => {
    const { code, out, err } = await init(flags('--prefix', 'https://ap.example.org'));
    expect(text()).toBe(
      `# Written by condor_credmon init.

CREDMON_WEB_PREFIX = https://ap.example.org

# Keycloak: the service keycloak. Redirect URI to register there:
#   https://ap.example.org/return/keycloak
keycloak_CLIENT_ID = htcondor
keycloak_CLIENT_SECRET_FILE = ${on.root}/secrets/keycloak
keycloak_RETURN_URL_SUFFIX = /return/keycloak
CREDMON_keycloak_PROFILE = keycloak
CREDMON_keycloak_ISSUER = https://127.0.0.1:9/realms/lab
CREDMON_keycloak_EXTRA_SCOPES = openid offline_access
`,
    );
    expect([code, err]).toEqual([1, '']);
    expect(out).toContain(`wrote ${written()}\n`);
    expect(out).toContain('https://ap.example.org/return/keycloak\n');
    // What check says: the secret file is missing.
    expect(out).toMatch(/ERROR .*secrets\/keycloak/);
    expect(statSync(written()).mode & 0o777).toBe(0o644);
    expect(existsSync(`${on.root}/secrets`)).toBe(false);
  });

  it('writes what an Access Point needs once, if nothing is configured yet', async () => {
    await init(flags(), { config: `LOCAL_CONFIG_DIR = ${on.root}/config.d\nLOG = ${on.root}\n` });
    expect(text()).toContain(
      'use feature : OAUTH\nDAEMON_LIST = $(DAEMON_LIST) CREDD\nCREDMON_OAUTH = /usr/sbin/condor_credmon\n',
    );
    // Again with --force: the file itself configures it now.
    await init(flags('--force'), {
      config: `LOCAL_CONFIG_DIR = ${on.root}/config.d\nLOG = ${on.root}\n`,
    });
    expect(text()).toContain('use feature : OAUTH\n');
  });

  it.each(['SEC_CREDENTIAL_DIRECTORY', 'SEC_CREDENTIAL_DIR'])(
    'keeps the credential directory of an older configuration (%s), also when it is replaced',
    async (name) => {
      const config = `LOCAL_CONFIG_DIR = ${on.root}/config.d\nLOG = ${on.root}\n${name} = ${on.credDir}\n`;
      const wanted = `use feature : OAUTH\nSEC_CREDENTIAL_DIRECTORY_OAUTH = ${on.credDir}\nDAEMON_LIST`;
      const { err, out } = await init(flags('--prefix', 'https://ap.example.org'), { config });
      expect(text()).toContain(wanted);
      expect(text()).toContain('CREDMON_WEB_PREFIX = https://ap.example.org\n');
      expect(err).toMatch(/^the configuration of an older credmon was found: .* --migrate FILE /);
      expect(out).toContain(`${on.credDir} is private and writable`);
      const again = await init(flags('--force'), { config });
      expect(text()).toContain(wanted);
      expect(again.err).toBe('');
    },
  );

  it('writes them in place of an example in which every line is a comment', async () => {
    on.file('config.d/60-credmon.conf', '#use feature : OAUTH\n', 0o644);
    await init(flags('--force'), {
      config: `LOCAL_CONFIG_DIR = ${on.root}/config.d\nLOG = ${on.root}\n`,
    });
    expect(text()).toContain('\nuse feature : OAUTH\n');
  });

  it('never replaces a file without --force, and asks nothing before it says so', async () => {
    on.file('config.d/60-credmon.conf', '# mine\n', 0o644);
    const { code, err } = await init([], { who: person() });
    expect([code, err, asked, text()]).toEqual([
      2,
      `${written()} exists; fix: --output FILE for another provider, or --force to replace it`,
      [],
      '# mine\n',
    ]);
    await init(flags('--force'));
    expect(text()).toContain('keycloak_CLIENT_ID = htcondor');
  });

  it.each<[string, (path: string) => void, string]>([
    [
      'a link to nothing',
      (path) => symlinkSync('gone/60.conf', path),
      'PATH is a symbolic link to gone/60.conf, which does not exist; fix: rm PATH',
    ],
    ['a directory', (path) => mkdirSync(path), 'PATH is not a regular file; fix: --output FILE'],
    [
      'a FIFO',
      (path) => void spawnSync('mkfifo', [path]),
      'PATH is not a regular file; fix: --output FILE',
    ],
  ])('%s is not a place for the configuration, and says so first', async (_, make, expected) => {
    const path = `${on.root}/new.conf`;
    make(path);
    for (const force of [[], ['--force']]) {
      const { code, err } = await init(['--output', path, ...force], { who: person() });
      expect([code, err, asked]).toEqual([2, expected.replaceAll('PATH', path), []]);
    }
  });

  it('a file that appears while init asks is kept, and the message says why', async () => {
    const path = `${on.root}/new.conf`;
    const late: InitOutput['person'] = {
      line: async () => (writeFileSync(path, '# other\n'), 'https://ap.example.org'),
      secret: async () => undefined,
    };
    const { code, err } = await init(flags('--provider=lab', '--output', path), { who: late });
    expect([code, err, readFileSync(path, 'utf8')]).toEqual([
      1,
      `cannot write ${path} (EEXIST); fix: it was created in the meantime, look at it`,
      '# other\n',
    ]);
  });

  it.each([
    [
      'without a terminal all that is missing is named',
      ['--provider', 'lab'],
      'missing: --profile, --client-id (there is no terminal to ask on)',
    ],
    [
      'a value must not change another line',
      ['--client-id', 'x\nLOG = /tmp'],
      '--client-id must not contain control characters',
    ],
    [
      'a profile may be misspelt',
      ['--profile', 'keycloack'],
      expect.stringMatching(/^--profile must be one of .*; did you mean keycloak\?$/) as string,
    ],
  ])('%s', async (_, argv, err) => {
    expect(await init(argv)).toEqual({ code: 2, out: '', err });
    expect(existsSync(written())).toBe(false);
  });

  it('an unknown profile is the one that fits the issuer', async () => {
    await init(['--issuer', 'https://keycloak.example/realms/x', '--client-id', 'a']);
    expect(text()).toContain('CREDMON_keycloak_PROFILE = keycloak\n');
  });

  it('a file outside the configuration is checked alone', async () => {
    const { err } = await init(flags('--output', `${on.root}/new.conf`));
    expect(err).toBe(
      `${on.root}/new.conf is not part of HTCondor's configuration yet: only this file is checked\n`,
    );
  });

  it('a directory that does not exist has a remedy', async () => {
    const { code, err } = await init(flags('--output', `${on.root}/none/new.conf`));
    expect([code, err]).toEqual([
      1,
      `cannot write ${on.root}/none/new.conf (ENOENT); fix: install -d ${on.root}/none`,
    ]);
  });
});

describe('init at a terminal', () => {
  it('asks for what is missing, again after an invalid answer, and writes the secret', async () => {
    const answers = ['google', '', 'me', `${on.root}/secrets/google`, '', 'canary-secret'];
    const { out, err } = await init([], { who: person('gogle', ...answers) });
    expect(asked.map((question) => question.replaceAll(on.root, '$R'))).toEqual([
      expect.stringMatching(/^Kind of issuer \(google, /),
      expect.stringMatching(/^Kind of issuer \(google, /),
      'Name that users write after use_oauth_services [google]: ',
      'Client id: ',
      'File for the client secret (its path, not the secret) [/etc/condor/.secrets/google]: ',
      'Address of the web portal [https://$(FULL_HOSTNAME)]: ',
      'Client secret, to be written to $R/secrets/google (empty: later): ',
    ]);
    expect(err).toMatch(/^This must be one of .*; did you mean google\?\.\nwrote .*secrets/);
    expect(text()).toContain('google_CLIENT_ID = me\n');
    const file = `${on.root}/secrets/google`;
    expect([readFileSync(file, 'utf8'), statSync(file).mode & 0o777]).toEqual([
      'canary-secret\n',
      0o600,
    ]);
    expect(out + err + text()).not.toContain('canary');
  });

  it('asks again for a secret with a cursor key or another control character in it', async () => {
    const given = flags('--provider=lab', '--prefix=https://a.example');
    const { err } = await init(given, { who: person('canary\u001B[D', 'canary-secret') });
    expect(asked).toHaveLength(2);
    expect(err.split('\n')[0]).toBe('This must not contain control characters.');
    expect(readFileSync(`${on.root}/secrets/keycloak`, 'utf8')).toBe('canary-secret\n');
  });

  it('keeps a secret that exists, and writes nothing if the input ends', async () => {
    on.file('secrets/keycloak', 'mine\n');
    await init(flags('--provider', 'keycloak', '--prefix', 'https://a.example'), { who: person() });
    expect([asked, readFileSync(`${on.root}/secrets/keycloak`, 'utf8')]).toEqual([[], 'mine\n']);
    const link = `${on.root}/secrets/linked`;
    symlinkSync('/run/not-mounted-yet', link);
    const argv = flags('--force', '--provider=lab', '--prefix=https://a.example');
    const elsewhere = argv.map((word) => word.replace(/^(--secret-file=).*/, `$1${link}`));
    await init(elsewhere, { who: person('typed') });
    expect([asked, readlinkSync(link)]).toEqual([[], '/run/not-mounted-yet']);
    const other = `${on.root}/config.d/61.conf`;
    const { code, err } = await init(['--output', other], { who: person('google') });
    expect([code, err]).toEqual([2, 'no answer: nothing was written']);
    expect(existsSync(other)).toBe(false);
  });
});
