// A check over real files and real servers: knobs go in, findings come out as lines.
import { systemClock, type Finding } from '@credmon/core/base';
import { instantOf } from '@credmon/core/credential';
import { chmodSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { loadConfig, type Config } from '@credmon/core/config';
import { programFolder } from '@credmon/test-fixtures/processes/program-folder';
import {
  createCheckContext,
  runChecks,
  type CheckContext,
  type Check,
} from '../../src/checks/context.ts';
import { settingsOf } from '../../src/settings/read.ts';

/** Where a check checks. */
export interface CheckBench {
  readonly root: string;
  readonly credDir: string;
  /** Writes a file below the root and answers with its path. */
  file(name: string, text: string, mode?: number): string;
  config(knobs: Readonly<Record<string, string>>): Config;
  /** What the checks find, as `state what: text`, with `$R` for the root. */
  findings(
    knobs: Readonly<Record<string, string>>,
    checks: (context: CheckContext) => readonly Check[] | Promise<readonly Finding[]>,
  ): Promise<string[]>;
  close(): void;
}

/** A place of its own, with an empty credential directory. */
export function checkBench(): CheckBench {
  const root = programFolder();
  const credDir = join(root, 'creds');
  mkdirSync(credDir, { mode: 0o700 });
  const config = (knobs: Readonly<Record<string, string>>): Config =>
    loadConfig({
      subsystem: 'CREDMON_OAUTH',
      env: {
        CONDOR_CONFIG: 'ONLY_ENV',
        _CONDOR_SEC_CREDENTIAL_DIRECTORY_OAUTH: credDir,
        _CONDOR_LOG: root,
        _CONDOR_CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
        _CONDOR_CREDMON_REQUEST_TIMEOUT: '3',
        ...Object.fromEntries(
          Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
        ),
      },
      facts: { fullHostname: () => 'ap.invalid' },
    });
  return {
    root,
    credDir,
    config,
    file: (name, text, mode = 0o600) => {
      const path = join(root, name);
      mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    },
    findings: async (knobs, checks) => {
      const read = config(knobs);
      const context = createCheckContext(
        read,
        settingsOf(read, { credDir: undefined }, undefined),
        instantOf(systemClock),
      );
      const found = await checks(context);
      const findings = found.some((one) => 'run' in one)
        ? await runChecks(found as readonly Check[])
        : (found as readonly Finding[]);
      await context.close();
      return findings.map(({ state, what, text }) =>
        `${state} ${what}: ${text}`.replaceAll(root, '$R'),
      );
    },
    close: () => rmSync(root, { recursive: true, force: true }),
  };
}
