// The files in configs/condor are read as they stand: no mistake, and the settings that
// they promise.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadConfig } from '@credmon/core/config';
import { expect, it } from 'vitest';
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
