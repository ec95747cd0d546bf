// What looking at a provider may use, and how many looks go on at once: ten dead issuers
// take no longer than one.
import { createMetadataCache, type MetadataCache } from '@credmon/core/oauth';
import {
  createSend,
  messageOf,
  originOf,
  systemClock,
  type Send,
  systemCode,
} from '@credmon/core/base';
import type { Config } from '@credmon/core/config';
import type { Instant } from '@credmon/core/credential';
import { wrong, type Finding } from './finding.ts';
import { type ClockReading } from './clock.ts';
import { localFiles } from '../host/local-files.ts';
import {
  createPelicanSend,
  createProcessTrust,
  namedTrustOf,
  type ProcessTrust,
} from '../host/tls-ca.ts';
import type { LocalPorts } from '../providers/local/ports.ts';
import type { Settings } from '../settings/read.ts';
import { accessSync, constants } from 'node:fs';

/**
 * Everything that a look may use. It asks harmless questions only: no grant, no secret
 * and no program goes with them.
 */
export interface CheckContext {
  readonly config: Config;
  readonly settings: Settings;
  readonly now: Instant;
  readonly send: Send;
  readonly trust: ProcessTrust;
  /** The same for Pelican's issuers, which may have authorities of their own. */
  readonly pelicanSend: Send;
  /**
   * Lets no more requests go at once than is polite; requests by `send` go through it
   * already.
   */
  readonly limited: Limit;
  readonly metadata: MetadataCache;
  readonly local: LocalPorts;
  /** What servers said of the time so far. */
  readonly clocks: readonly ClockReading[];
  readonly close: () => Promise<void>;
}

/** Requests under way at once. */
const AT_ONCE = 16;

/** The context of one check. */
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

/** One thing to look at, and how. */
export interface Look {
  readonly what: string;
  readonly look: () => Promise<readonly Finding[]> | readonly Finding[];
}

/**
 * Looks at everything at once; the findings come in the order of `looks`, and a look that
 * fails is a finding, too.
 */
export async function lookAtAll(looks: readonly Look[]): Promise<Finding[]> {
  const findings = await Promise.all(
    looks.map(async ({ what, look }) => {
      try {
        return await look();
      } catch (error) {
        return [wrong(what, messageOf(error))];
      }
    }),
  );
  return findings.flat();
}

/** True when this process may put files into a directory. */
export function writable(directory: string): boolean {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK);
    return true;
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    return false;
  }
}

// Lets so many pieces of work run at the same time, and no more.

/** Runs work when there is room for it. */
type Limit = <Result>(work: () => Promise<Result>) => Promise<Result>;

/**
 * A limited for `limit` pieces of work at once; others wait in the order in which they came.
 */
export function createLimit(limit: number): Limit {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      // The place goes straight on to the next one, so that nobody slips in between.
      const next = waiting.shift();
      if (next) next();
      else running -= 1;
    }
  };
}
