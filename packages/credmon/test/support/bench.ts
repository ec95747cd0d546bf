// A credential directory in a temporary folder, a token endpoint that is a function, and
// a clock that moves by hand.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  CodedError,
  systemRandom,
  type HttpRequest,
  type HttpResponse,
  type Send,
  createTurnLimit,
} from '@credmon/core/base';
import { DEFAULT_POLICY, type RenewalPolicy } from '@credmon/core/renewal';
import { loadConfig } from '@credmon/core/config';
import { openCredentialDirectory, topAfter, type CredentialStore } from '@credmon/core/store';
import { manualClock, type ManualClock } from '@credmon/test-fixtures/clocks/manual-clock';
import { createLimiter } from '../../src/throttle/limiter.ts';
import { localFiles } from '../../src/host/local-files.ts';
import { providerLookupOf } from '../../src/daemon/provider-lookup.ts';
import type { ProviderLookup } from '../../src/daemon/judge-scan.ts';
import { emptyMemory, type PassMemory, type PassContext } from '../../src/daemon/context.ts';
import { createReport } from '../../src/report/log-report.ts';
import { readSettings } from '../../src/settings/read.ts';

/** What the token endpoint was asked, form fields decoded. */
export interface Asked {
  readonly url: string;
  readonly form: Readonly<Record<string, string>>;
}

export const TOKEN_URL = 'https://issuer.example/token';

/** Everything that a pass needs, and what a test checks at. */
export interface Bench {
  readonly directory: string;
  readonly clock: ManualClock;
  readonly store: CredentialStore;
  readonly context: PassContext;
  readonly memory: PassMemory;
  readonly lookup: ProviderLookup;
  readonly policy: RenewalPolicy;
  readonly asked: Asked[];
  readonly lines: string[];
  /**
   * Changes how the token endpoint answers from now on; `timeOut` lets the request's time
   * be up, its answer may still come.
   */
  answer: (asked: Asked, timeOut?: () => void) => Promise<HttpResponse>;
  seed(user: string, stem: string, files: { top?: string; use?: string; meta?: string }): void;
  read(user: string, file: string): string;
  has(user: string, file: string): boolean;
  /** What a daemon that starts on this directory knows: only the files. */
  restarted(): Pick<Bench, 'lookup' | 'memory'>;
}

/** A JSON answer. */
export function json(
  value: unknown,
  status = 200,
  headers: Record<string, string> = {},
): HttpResponse {
  return {
    status,
    headers: { 'content-type': 'application/json', ...headers },
    body: Buffer.from(JSON.stringify(value)),
  };
}

/** The error of a request without an answer. */
export function noAnswer(url: string): CodedError {
  const where = new URL(url).origin;
  const reason = 'no answer within 15 s';
  return new CodedError('ISSUER_UNREACHABLE', `cannot reach ${where}: ${reason}`, {
    where,
    reason,
  });
}

/** The text of a `.use` issued at `issuedAt` for `lifetime` seconds. */
export function useText(issuedAt: number, lifetime: number, token = 'old-access'): string {
  const issued = Math.floor(issuedAt);
  return JSON.stringify({ access_token: token, issued_at: issued, expires_at: issued + lifetime });
}

export const meta = (tokenUrl = TOKEN_URL): string =>
  JSON.stringify({
    client_id: 'me',
    client_secret: 'canary-secret',
    token_url: tokenUrl,
    use_refresh_token: true,
  });

/**
 * A store whose `write` fails like its own `apply`, unless it has a `write` of its own. It
 * waits for no disk: the clock of a bench does not move meanwhile.
 */
function writingAtOnce(store: CredentialStore, real: CredentialStore): CredentialStore {
  if (store.write !== real.write) return store;
  return {
    ...store,
    write: async (change) => {
      store.apply(change);
      return topAfter(store, change);
    },
  };
}

/**
 * A bench. The clock stands at the present second, because files carry real modification
 * times.
 */
export function bench(
  change: {
    readonly store?: (real: CredentialStore) => CredentialStore;
    readonly knobs?: Readonly<Record<string, string>>;
  } = {},
): Bench {
  const directory = mkdtempSync(join(tmpdir(), 'credmon-pass-'));
  chmodSync(directory, 0o700);
  const clock = manualClock(Math.floor(Date.now() / 1000));
  const real = openCredentialDirectory(directory, { defaultLifetime: 1200, locked: true });
  const store = writingAtOnce(change.store?.(real) ?? real, real);
  const lines: string[] = [];
  const say =
    (level: string) =>
    (text: string): void => {
      lines.push(`${level} ${text}`);
    };
  const log = { error: say('error'), warn: say('warn'), info: say('info'), debug: say('debug') };
  const asked: Asked[] = [];
  const send: Send = async (request: HttpRequest) => {
    const form = Object.fromEntries(new URLSearchParams(String(request.body)));
    const one = { url: request.url, form };
    asked.push(one);
    return self.answer(one, () => request.late?.began(noAnswer(request.url)));
  };
  const self: Bench = {
    directory,
    clock,
    store,
    context: {
      clock,
      store,
      send,
      limiter: createLimiter({ cap: () => 16, steady: () => clock.steady() }),
      report: createReport(log, () => ({ floor: 0, starterRefresh: 0 })),
      lateAnswer: () => 120,
      readSecret: () => ({ ok: false, reason: 'is missing' }),
      turn: createTurnLimit(),
      lockState: () => 'held',
    },
    memory: emptyMemory(clock.now()),
    lookup: realOwnership(directory, change.knobs ?? {}, say('warn')),
    policy: DEFAULT_POLICY,
    asked,
    lines,
    answer: async () =>
      json({
        access_token: `new-access-${asked.length}`,
        token_type: 'bearer',
        expires_in: 1000,
        refresh_token: `r${asked.length + 1}`,
      }),
    seed: (user, stem, files) => {
      mkdirSync(join(directory, user), { recursive: true, mode: 0o700 });
      for (const [kind, text] of Object.entries(files))
        writeFileSync(join(directory, user, `${stem}.${kind}`), text, { mode: 0o600 });
    },
    read: (user, file) => readFileSync(join(directory, user, file), 'utf8'),
    has: (user, file) => existsSync(join(directory, user, file)),
    restarted: () => ({
      lookup: realOwnership(directory, change.knobs ?? {}, say('warn')),
      memory: emptyMemory(clock.now()),
    }),
  };
  return self;
}

/**
 * The daemon's own lookup, by settings that name the directory and what a test sets.
 */
function realOwnership(
  directory: string,
  knobs: Readonly<Record<string, string>>,
  warn: (text: string) => void,
): ProviderLookup {
  const env = {
    CONDOR_CONFIG: 'ONLY_ENV',
    _CONDOR_SEC_CREDENTIAL_DIRECTORY_OAUTH: directory,
    _CONDOR_LOG: directory,
    ...Object.fromEntries(Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value])),
  };
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env,
    facts: { fullHostname: () => 'ap.example' },
  });
  const settings = readSettings(config, {
    credDir: undefined,
    logFile: undefined,
    debug: false,
    verbose: false,
  });
  return providerLookupOf(settings, {
    secretVersion: () => '',
    random: systemRandom,
    local: localFiles(warn),
  });
}
