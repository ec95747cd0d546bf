// The daemon's passes over a real directory, with real requests, files and programs: only
// the clock is moved by hand.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import {
  createSend,
  createTurnLimit,
  systemRandom,
  type HttpRequest,
  type SendLimits,
} from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { openCredentialDirectory } from '@credmon/core/store';
import { manualClock, type ManualClock } from '@credmon/test-fixtures/clocks/manual-clock';
import { programFolder } from '@credmon/test-fixtures/processes/program-folder';
import { createLimiter } from '../../src/throttle/limiter.ts';
import { localFiles } from '../../src/host/local-files.ts';
import { providerLookupOf } from '../../src/daemon/provider-lookup.ts';
import { beginPass } from '../../src/daemon/pass.ts';
import { emptyMemory } from '../../src/daemon/context.ts';
import { withStanding } from '../../src/providers/standing/store.ts';
import { createReport } from '../../src/report/log-report.ts';
import { readSecretFile, secretVersion } from '../../src/host/secret-file.ts';
import { readSettings, type Settings } from '../../src/settings/read.ts';
import { standingFiles, openStandingLogins } from '../../src/host/standing-files.ts';

/** An Access Point with these knobs. `sent` is every request, `lines` the log. */
export interface AccessPoint {
  readonly directory: string;
  readonly clock: ManualClock;
  readonly sent: HttpRequest[];
  readonly lines: string[];
  /** Scans once and waits for the renewals. */
  pass(): Promise<void>;
  /** Puts a new file into the credential directory. */
  store(file: string, text: string): void;
  read(file: string): Record<string, unknown>;
  text(file: string): string;
  has(file: string): boolean;
  /**
   * Writes a private file outside the credential directory, and answers with its path.
   */
  secret(name: string, text: string, mode?: number): string;
  configure(knobs: Readonly<Record<string, string>>): void;
  close(): Promise<void>;
}

/** Settings of an Access Point whose whole configuration is `knobs`. */
export function settingsWith(
  knobs: Readonly<Record<string, string>>,
  directory = '/creds',
): Settings {
  const env = Object.fromEntries(
    Object.entries({
      SEC_CREDENTIAL_DIRECTORY_OAUTH: directory,
      LOG: directory,
      CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
      ...knobs,
    }).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: { CONDOR_CONFIG: 'ONLY_ENV', ...env },
    facts: { fullHostname: () => 'ap.example' },
  });
  return readSettings(config, {
    credDir: undefined,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
}

/** A credential directory that exists, and where requests go instead. */
export interface AccessPointPlace {
  readonly directory?: string;
  readonly route?: (request: HttpRequest) => HttpRequest;
}

/**
 * Starts an Access Point; its clock begins at the present second, because issuers have
 * their own. `limits`: of its requests, such as whom TLS believes as well.
 */
export function accessPoint(
  limits: Partial<SendLimits> = {},
  { directory: existing, route = (request) => request }: AccessPointPlace = {},
): AccessPoint {
  const root = programFolder();
  const directory = existing ?? join(root, 'creds');
  if (existing === undefined) mkdirSync(directory, { mode: 0o700 });
  const clock = manualClock(Math.floor(Date.now() / 1000));
  const lines: string[] = [];
  const say = (text: string): void => void lines.push(text);
  const log = { error: say, warn: say, info: say, debug: () => undefined };
  const sent: HttpRequest[] = [];
  const { send, close } = createSend({
    ...PATIENT_LIMITS,
    maxBodyBytes: 1024 * 1024,
    ...limits,
  });
  const own = (settings: Settings): ReturnType<typeof providerLookupOf> =>
    providerLookupOf(settings, {
      secretVersion,
      random: systemRandom,
      local: localFiles(() => undefined),
    });
  let settings = settingsWith({}, directory);
  let lookup = own(settings);
  const context = {
    clock,
    store: withStanding(
      openCredentialDirectory(directory, { defaultLifetime: 1200 }),
      () => settings.standing,
      standingFiles(directory),
      openStandingLogins(directory),
    ),
    send: (request: HttpRequest) => {
      sent.push(request);
      return send(route(request));
    },
    limiter: createLimiter({ cap: () => 16, steady: () => clock.steady() }),
    report: createReport(log, () => ({ floor: 0, starterRefresh: 0 })),
    // A test that hangs does not wait for more.
    lateAnswer: () => 0,
    readSecret: readSecretFile,
    turn: createTurnLimit(),
    lockState: () => 'held' as const,
  };
  const memory = emptyMemory(clock.now());
  return {
    directory,
    clock,
    sent,
    lines,
    pass: async () => {
      await (
        await beginPass(context, lookup, memory)
      ).settled;
    },
    store: (file, text) => {
      const path = join(directory, file);
      mkdirSync(join(path, '..'), { recursive: true, mode: 0o700 });
      rmSync(path, { force: true });
      writeFileSync(path, text, { mode: 0o600 });
    },
    read: (file) =>
      JSON.parse(readFileSync(join(directory, file), 'utf8')) as Record<string, unknown>,
    text: (file) => readFileSync(join(directory, file), 'utf8'),
    has: (file) => existsSync(join(directory, file)),
    secret: (name, text, mode = 0o600) => {
      const path = join(root, name);
      writeFileSync(path, text);
      chmodSync(path, mode);
      return path;
    },
    configure: (knobs) => {
      settings = settingsWith(knobs, directory);
      lookup = own(settings);
    },
    close: async () => {
      await close();
      rmSync(root, { recursive: true, force: true });
    },
  };
}
