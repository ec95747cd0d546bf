// The installed HTCondor: what `check` says of its version.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkCondorVersion,
  compareVersions,
  CONDOR_VERSIONS,
  usesOf,
  versionFindings,
  versionIn,
} from '../../src/checks/condor-version.ts';
import { settingsOf } from '../../src/status/tokens.ts';
import { checkBench, type CheckBench } from '../support/check-bench.ts';

const root = fileURLToPath(new URL('../../../../', import.meta.url));

it.each([
  ['$CondorVersion: 23.9.6 2026-07-12 PackageID: 23.9.6+dfsg-2.1+b10 $', '23.9.6'],
  ['$CondorVersion: 25.14.0 2026-11-01 BuildID: 1 $\n$CondorPlatform: X $', '25.14.0'],
  ['no version', undefined],
])('%s is version %s', (output, version) => {
  expect(versionIn(output)).toBe(version);
});

it.each([
  ['23.9.6', '23.9.6', 0],
  ['23.9.6', '23.10.1', -1],
  ['8.9.13', '8.9.7', 6],
  ['24.0.2', '23.10.19', 1],
])('%s compared with %s', (one, other, expected) => {
  expect(Math.sign(compareVersions(one, other))).toBe(Math.sign(expected));
});

const lines = (version: string, ...uses: string[]): string[] =>
  versionFindings(version, new Set(['all', ...uses])).map(({ state, text }) => `${state} ${text}`);

describe('R45 the version of HTCondor', () => {
  it('25.14.0 lacks nothing', () => {
    expect(lines('25.14.0', 'local', 'storer', 'vault', 'pelican', 'special names')).toEqual([
      'ok 25.14.0 is installed',
    ]);
  });

  it('23.9.6 lacks what a local provider and a storer use', () => {
    expect(lines('23.9.6', 'local', 'storer')).toEqual([
      'ok 23.9.6 is installed',
      expect.stringMatching(
        /^warning 23\.9\.6 has no LOCAL_CREDMON_PROVIDER_NAMES .*: condor_submit fails .*; fix: each user runs this, .*: echo '\{\}' \| condor_store_cred add-oauth /,
      ),
      expect.stringMatching(
        /^warning 23\.9\.6 has no SUBMIT_ADD_LOCAL_CREDMON_PROVIDERS \(local tokens/,
      ),
      expect.stringMatching(/^ok 23\.9\.6 has no condor_store_cred -P: /),
      expect.stringMatching(/^ok 23\.9\.6 has no SEC_CREDENTIAL_STORER only for names/),
    ]);
  });

  it('says nothing of what is not used', () => {
    expect(lines('23.9.6')).toEqual(['ok 23.9.6 is installed']);
  });

  it('a version between two that were measured may lack it', () => {
    expect(lines('24.6.1', 'storer')).toEqual([
      'ok 24.6.1 is installed; tested with HTCondor 23.9.6 and 25.14.0',
      expect.stringMatching(/^ok 24\.6\.1 may have no condor_store_cred -P/),
      expect.stringMatching(/^ok 24\.6\.1 may have no SEC_CREDENTIAL_STORER/),
    ]);
  });

  it('a version that does not know the credential directory is an error', () => {
    expect(lines('8.8.5')[1]).toMatch(/^error 8\.8\.5 has no SEC_CREDENTIAL_DIRECTORY_OAUTH/);
  });
});

describe('condor_version', () => {
  let on: CheckBench;
  beforeEach(() => {
    on = checkBench();
  });
  afterEach(() => on.close());
  const found = async (script: string, knobs: Record<string, string> = {}): Promise<string[]> => {
    on.file('bin/condor_version', `#!/bin/sh\n${script}\n`, 0o755);
    const BIN = join(on.root, 'bin');
    return on.findings({ BIN, SBIN: '', ...knobs }, (context) => checkCondorVersion(context, ''));
  };

  it('R45 is found in $(BIN) and asked', async () => {
    expect(
      await found("echo '$CondorVersion: 23.9.6 x $'", { LOCAL_CREDMON_PROVIDER_NAMES: 'loc' }),
    ).toEqual([
      'ok HTCondor: 23.9.6 is installed',
      expect.stringContaining('has no LOCAL_CREDMON_PROVIDER_NAMES'),
      expect.stringContaining(
        'has no SUBMIT_ADD_LOCAL_CREDMON_PROVIDERS (local tokens without use_',
      ),
    ]);
  });

  it.each([
    ['exit 3', 'warning HTCondor: cannot run $R/bin/condor_version (exit code 3)'],
    ['echo hello', 'warning HTCondor: $R/bin/condor_version prints no version'],
  ])('that fails is a warning: %s', async (script, expected) => {
    expect(await found(script)).toEqual([expected]);
  });

  it('a host without HTCondor is not judged', async () => {
    expect(
      await on.findings({ BIN: '/none', SBIN: '/none' }, (context) =>
        checkCondorVersion(context, ''),
      ),
    ).toEqual([]);
  });

  it('the uses follow from the configuration', () => {
    const config = on.config({
      CREDMON_ALLOW_SPECIAL_CHAR_NAMES: 'true',
      LOCAL_CREDMON_PROVIDER_NAMES: 'loc',
      VAULT_CREDMON_PROVIDER_NAMES: 'v',
    });
    const settings = settingsOf(config, { credDir: undefined });
    expect([...usesOf(settings, '/usr/local/bin/condor_credential_storer')]).toEqual([
      'all',
      'local',
      'storer',
      'vault',
      'special names',
    ]);
  });
});

/** The table of docs/htcondor-versions.md. */
function versionTable(): string {
  const cell = (text: string): string => text.replaceAll('|', '\\|');
  const rows = CONDOR_VERSIONS.features.map(({ name, since, absent, lacking, instead, source }) => {
    const versions = `${since}${absent === undefined ? '' : ` (not in ${absent})`}`;
    return `| ${[name, versions, lacking, instead, source].map(cell).join(' | ')} |`;
  });
  const head = '| what | since | without it | instead | source |\n| --- | --- | --- | --- | --- |';
  return `${head}\n${rows.join('\n')}\n`;
}

it('docs/htcondor-versions.md has the table (UPDATE_DOCS=1 writes it again), and README the versions', async () => {
  const page = join(root, 'docs/htcondor-versions.md');
  const text = readFileSync(page, 'utf8');
  const [before = '', , after = ''] = text.split(/<!-- (?:begin|end) table -->\n/);
  const wanted = await format(
    `${before}<!-- begin table -->\n\n${versionTable()}\n<!-- end table -->\n${after}`,
    { ...(await resolveConfig(page)), parser: 'markdown' },
  );
  if (process.env['UPDATE_DOCS']) writeFileSync(page, wanted);
  expect(readFileSync(page, 'utf8')).toBe(wanted);
  const readme = readFileSync(join(root, 'README.md'), 'utf8');
  for (const version of CONDOR_VERSIONS.measured) {
    expect(text).toContain(version);
    expect(readme).toContain(version);
  }
});
