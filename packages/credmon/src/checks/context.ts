// The context of checks. Checks run concurrently with a limit, so that ten dead issuers
// take no longer than one.
import { createMetadataCache, type MetadataCache } from '@credmon/core/oauth';
import {
  createSend,
  isCoded,
  messageOf,
  originOf,
  systemClock,
  type Send,
  systemCode,
  warning,
  wrong,
  type Finding,
} from '@credmon/core/base';
import type { Config } from '@credmon/core/config';
import type { Instant } from '@credmon/core/credential';
import { type ClockReading } from './issuer.ts';
import { localFiles } from '../host/local-files.ts';
import {
  createPelicanSend,
  createProcessTrust,
  namedTrustOf,
  type ProcessTrust,
} from '../host/tls-ca.ts';
import type { LocalPorts } from '../providers/local/keys.ts';
import type { Settings } from '../settings/read.ts';
import { accessSync, constants, statSync } from 'node:fs';

/** The ports of a check. Checks send no grant and no secret, and start no program. */
export interface CheckContext {
  readonly config: Config;
  readonly settings: Settings;
  readonly now: Instant;
  readonly send: Send;
  readonly trust: ProcessTrust;
  /** The same for Pelican's issuers, which may use their own certificate authorities. */
  readonly pelicanSend: Send;
  /** Limits the number of concurrent requests; `send` already uses it. */
  readonly limited: Limit;
  readonly metadata: MetadataCache;
  readonly local: LocalPorts;
  /** The clock readings so far. */
  readonly clocks: readonly ClockReading[];
  readonly close: () => Promise<void>;
}

/** Maximum number of concurrent requests. */
const AT_ONCE = 16;

/** Creates the context of one run of checks. */
export function createCheckContext(config: Config, settings: Settings, now: Instant): CheckContext {
  const limited = createLimit(AT_ONCE);
  const trust = createProcessTrust(() => namedTrustOf(settings));
  const { send, close } = createSend({ ...settings.limits, trust: trust.general });
  const clocks: ClockReading[] = [];
  const { allowLoopbackHttp, endpointOrigins: origins, pelicanCaFile, limits } = settings;
  const through =
    (way: Send): Send =>
    (request) =>
      limited(async () => {
        const answer = await way(request);
        const theirs = Date.parse(answer.headers['date'] ?? '') / 1000;
        clocks.push({ origin: originOf(request.url), theirs, ours: systemClock.now() });
        return answer;
      });
  return {
    config,
    settings,
    now,
    limited,
    trust,
    send: through(send),
    pelicanSend: through(createPelicanSend(pelicanCaFile, limits, trust) ?? send),
    metadata: createMetadataCache({ lifetime: 3600, allowLoopbackHttp, origins }),
    local: localFiles(() => undefined),
    clocks,
    close,
  };
}

/** One check: its subject, and the function that runs it. */
export interface Check {
  readonly what: string;
  readonly run: () => Promise<readonly Finding[]> | readonly Finding[];
}

/**
 * Runs all checks concurrently; the findings are in the order of `checks`, and an error
 * is a finding.
 */
export async function runChecks(checks: readonly Check[]): Promise<Finding[]> {
  const findings = await Promise.all(
    checks.map(async ({ what, run }) => {
      try {
        return await run();
      } catch (error) {
        return [wrong(what, messageOf(error))];
      }
    }),
  );
  return findings.flat();
}

/** True when this process may create files in a directory. */
export function writable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

/** The finding about what only another user may see; `path`: a path, or what it is about. */
export function unseen(what: string, path: string): Finding {
  return warning(
    what,
    `permission denied: cannot check ${path} as this user; fix: run the command as root`,
  );
}

/**
 * True if this process may not use a file, but the daemon may: the daemon runs as root, or
 * as the owner of the credential directory.
 */
export function isHidden(
  path: string,
  { credDir }: Pick<Settings, 'credDir'>,
  mode: number = constants.R_OK,
): boolean {
  if (!isOnlooker(credDir)) return false;
  try {
    accessSync(path, mode);
    return false;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return systemCode(error) === 'EACCES';
  }
}

/** True if this user is not the one as whom the daemon of this directory runs. */
export function isOnlooker(credDir: string): boolean {
  const uid = process.geteuid?.();
  if (uid === undefined || uid === 0) return false;
  try {
    return statSync(credDir).uid !== uid;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return systemCode(error) === 'EACCES';
  }
}

/**
 * True for the error of a directory that is closed to this user: nothing is known about
 * what is in it.
 */
export function isDenied(error: unknown): boolean {
  return isCoded(error, 'CRED_DIR_INVALID') && error.fields['denied'] === true;
}

// A limit for concurrent work.

/** Runs work when the limit allows. */
type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** Creates a limit of `limit` concurrent pieces of work; others wait in order. */
export function createLimit(limit: number): Limit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The slot is passed directly to the next waiter, so that no other can take it.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
