// One configuration's life: the application and everything that it stands on, made
// together and closed together.
import type { FastifyInstance } from 'fastify';
import { checkCredentialDirectory } from '@credmon/core/store';
import {
  createSend,
  createTrust,
  DEFAULT_SEND_LIMITS,
  messageOf,
  systemClock,
  systemRandom,
  type Trust,
} from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { createApp } from '../app.ts';
import { openCredentialFiles } from '../host/credential-files.ts';
import { trustFunction } from '../host/listen.ts';
import type { Counters } from '../metrics/counters.ts';
import type { Ports } from '../flow/ports.ts';
import { openPublicKeys } from '../host/public-key-files.ts';
import { whyNotReady } from './readiness.ts';
import { openFileStores, type Stores } from '../session-store/file-stores.ts';
import type { ListenAddress, Settings } from '../settings/settings.ts';
import { openViews } from '../host/view-files.ts';

/** How often old sessions are removed, in seconds. */
const PRUNE_SECONDS = 600;

/**
 * What one generation has from the one before: where the server really listens, and who
 * is told.
 */
export interface Surroundings {
  readonly listen: ListenAddress;
  readonly log: Log;
  readonly counters: Counters;
  /** The configuration's files. */
  readonly sources: readonly string[];
}

/** A generation that answers requests. */
export interface Generation {
  readonly settings: Settings;
  readonly app: FastifyInstance;
  readonly stores: Stores;
  /** To be called when nothing of it is in flight. */
  close(): Promise<void>;
}

/**
 * Makes a generation. Nothing of it is left when that fails.
 * @throws CodedError `CONFIG_INVALID`, `CRED_DIR_INVALID`, `SESSION_STORE_FULL`,
 * `SESSION_STORE_DOWN`, `SECRET_UNREADABLE`
 */
export async function createGeneration(
  settings: Settings,
  surroundings: Surroundings,
): Promise<Generation> {
  const endings: Ending[] = [];
  try {
    return await assemble(settings, surroundings, endings);
  } catch (error) {
    // What was opened must end; why it was of no use is what the caller has to know.
    await endAll(endings).catch((other: unknown) => surroundings.log.error(messageOf(other)));
    throw error;
  }
}

/** Ends one thing that was opened. */
type Ending = () => PromiseLike<unknown>;

/**
 * Ends everything, the last opened first, also after one has failed.
 * @throws the first failure
 */
async function endAll(endings: readonly Ending[]): Promise<void> {
  const failures: unknown[] = [];
  for (const end of endings.toReversed()) {
    try {
      await end();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
}

/**
 * Opens one thing after the other; how each ends is in `endings` as soon as it is open.
 */
async function assemble(
  settings: Settings,
  { listen, log, counters, sources }: Surroundings,
  endings: Ending[],
): Promise<Generation> {
  const isTrustedProxy = trustFunction(settings.trustedProxies, listen);
  const credentialDirectory = checkCredentialDirectory(settings.credentialDirectory, {
    create: false,
    condor: settings.condorIds,
  });
  const { connectSeconds, requestSeconds: totalSeconds, namedTrust } = settings;
  const trust = createTrust({ named: () => namedTrust, trouble: (text) => log.warn(text) });
  const stores = await openStores(settings, (text) => log.warn(text), trust);
  endings.push(() => stores.close());
  const { send, close: closeConnections } = createSend({
    ...DEFAULT_SEND_LIMITS,
    connectSeconds,
    totalSeconds,
    trust,
  });
  endings.push(closeConnections);
  const ports: Ports = {
    clock: systemClock,
    random: systemRandom,
    send,
    files: openCredentialFiles(credentialDirectory),
    flows: stores.flows,
    sessions: stores.sessions,
    answers: stores.answers,
    cookieSecret: stores.cookieSecret,
    log,
    counters,
    views: openViews(),
    ...openPublicKeys(settings.localIssuer),
    isTrustedProxy,
    whyNotReady: () => whyNotReady(settings, stores, sources),
  };
  const app = await createApp(settings, ports);
  endings.push(() => app.close());
  await app.ready();
  const stop = new AbortController();
  const pruning = pruneUntil(stop.signal, stores, log);
  endings.push(() => {
    stop.abort();
    return pruning;
  });
  return { settings, app, stores, close: () => endAll(endings) };
}

/**
 * The place that the settings name for sessions. The client of Redis is loaded only where
 * it is needed: it costs start-up time.
 */
async function openStores(
  settings: Settings,
  trouble: (text: string) => void,
  trust: Trust,
): Promise<Stores> {
  const {
    sessionDirectory,
    sessionIdleSeconds: idle,
    sessionSeconds: absolute,
    sessionCount: count,
    loginSeconds: answer,
  } = settings;
  const limits = { idle, absolute, answer, count };
  if (!settings.sessionStore) return openFileStores(sessionDirectory, systemClock, limits);
  const { openRedisStores } = await import('../session-store/redis-stores.ts');
  return openRedisStores(settings.sessionStore, systemClock, limits, trouble, trust);
}

async function pruneUntil(stop: AbortSignal, stores: Stores, log: Log): Promise<void> {
  while (!stop.aborted) {
    try {
      await stores.prune();
    } catch (error) {
      log.error(`cannot remove old sessions: ${messageOf(error)}`);
    }
    await systemClock.wait(PRUNE_SECONDS, stop);
  }
}
