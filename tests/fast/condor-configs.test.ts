// The files in configs/condor are read as they stand: no mistake, and the settings that
// they promise.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@credmon/core/config';
import { expect, it } from 'vitest';
import { parseMytokenArguments } from '../../packages/credmon/src/mytoken/arguments.ts';
import { readSettings } from '../../packages/credmon/src/settings/read.ts';

const folder = fileURLToPath(new URL('../../configs/condor/', import.meta.url));
const overrides = {
  credDir: undefined,
  logFile: '/var/log/condor/CredMonOAuthLog',
  debug: false,
  verbose: false,
};

it.each(readdirSync(folder).filter((name) => name.startsWith('60-')))(
  '%s has no mistake',
  (name) => {
    const config = loadConfig({
      subsystem: 'CREDMON_OAUTH',
      env: { CONDOR_CONFIG: `${folder}${name}` },
      facts: { fullHostname: () => 'ap.example.org' },
    });
    const settings = readSettings(config, overrides);
    expect(settings.credDir).toBe('/var/lib/condor/oauth_credentials');
    expect([...settings.clients.keys()]).toContain('MYTOK');
    expect(config.get('CREDMON_WEB_PREFIX')).toBe('https://ap.example.org');
    expect(config.get('DAEMON_LIST')).toMatch(/\bCREDMON_OAUTH\b.*\bCREDD\b/);
  },
);

it('63-credmon-mytoken.conf runs the program, and gives it more time than it needs', () => {
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: `${folder}63-credmon-mytoken.conf`, _CONDOR_LOG: '/var/log/condor' },
    facts: { fullHostname: () => 'ap.example.org' },
  });
  const [program] = readSettings(config, { ...overrides, credDir: '/creds' }).tokenPrograms;
  expect(program).toMatchObject({
    name: 'helmholtz',
    command: '/usr/local/bin/condor_credmon_mytoken',
  });
  const options = parseMytokenArguments(program?.args ?? [], '1');
  expect(options).toMatchObject({ kind: 'obtain', server: 'https://mytok.eu' });
  const seconds = 'seconds' in options ? options.seconds : 0;
  expect(program?.seconds).toBeGreaterThan(seconds + 10);
});
