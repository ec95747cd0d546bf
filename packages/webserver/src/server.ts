// A whole server from settings: the real ports put together, listening, cleaning up after itself, and closed in order.
import type { FastifyInstance } from 'fastify';
import { checkCredentialDirectory, createSend, DEFAULT_SEND_LIMITS } from '@credmon/core';
import { messageOf, systemClock, systemRandom } from '@credmon/core/base';
import type { Log } from '@credmon/core/log';
import { createApp } from './app.ts';
import { openCredentialFiles } from './credential-files.ts';
import { listen, trustFunction } from './listen.ts';
import { createFileFlows } from './session-store/file-flows.ts';
import { createFileSessions } from './session-store/file-sessions.ts';
import {
  cookieKey,
  prepareSessionDirectory,
  pruneSessions,
  type SessionLimits,
} from './session-store/session-directory.ts';
import type { Settings } from './settings/settings.ts';
import { openPublicKeys } from './public-key-files.ts';
import { openViews } from './view-files.ts';

/** How often old sessions are removed, in seconds. */
const PRUNE_SECONDS = 600;

/** A running server. */
export interface Server {
  readonly app: FastifyInstance;
  /** Where it listens: a URL, `unix:/path` or `fd:N`. */
  readonly address: string;
  /** Finishes what is in flight, then stops; the second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Checks what can be checked without listening.
 * @throws CodedError `CONFIG_INVALID`, `CRED_DIR_INVALID`
 */
export function checkWorld(settings: Settings): void {
  trustFunction(settings.trustedProxies, settings.listen);
  checkCredentialDirectory(settings.credentialDirectory, { create: false });
  prepareSessionDirectory(settings.sessionDirectory);
}

/**
 * Starts a server.
 * @throws CodedError `CONFIG_INVALID` (also when the address cannot be had), `CRED_DIR_INVALID`
 */
export async function startServer(settings: Settings, log: Log): Promise<Server> {
  checkWorld(settings);
  const { sessionDirectory, sessionIdleSeconds: idle, sessionSeconds: absolute } = settings;
  const limits = { idle, absolute, count: settings.sessionCount };
  const { connectSeconds, requestSeconds: totalSeconds } = settings;
  const { send, close: closeConnections } = createSend({
    ...DEFAULT_SEND_LIMITS,
    connectSeconds,
    totalSeconds,
  });
  const app = await createApp(settings, {
    clock: systemClock,
    random: systemRandom,
    send,
    files: openCredentialFiles(settings.credentialDirectory),
    flows: createFileFlows(sessionDirectory, systemClock, limits),
    sessions: createFileSessions(sessionDirectory, systemClock, limits),
    cookieSecret: cookieKey(sessionDirectory),
    log,
    views: openViews(),
    ...openPublicKeys(settings.localIssuer),
    isTrustedProxy: trustFunction(settings.trustedProxies, settings.listen),
  });
  await app.ready();
  const address = await listen(app.server, settings.listen, settings.remoteUser !== undefined);
  const stop = new AbortController();
  const pruning = pruneUntil(stop.signal, sessionDirectory, limits, log);
  const closeAll = async (): Promise<void> => {
    stop.abort();
    // A connection that never sends its request would hold the process for ever; what is in flight may take as long as an issuer may.
    const patience = new AbortController();
    const giveUp = systemClock
      .wait(totalSeconds + 5, patience.signal)
      .then(() => app.server.closeAllConnections());
    app.server.closeIdleConnections();
    await app.close();
    patience.abort();
    await giveUp;
    await pruning;
    await closeConnections();
  };
  let closed: Promise<void> | undefined;
  return { app, address, close: () => (closed ??= closeAll()) };
}

async function pruneUntil(
  stop: AbortSignal,
  directory: string,
  limits: SessionLimits,
  log: Log,
): Promise<void> {
  while (!stop.aborted) {
    try {
      pruneSessions(directory, systemClock.now(), limits);
    } catch (error) {
      log.error(`cannot remove old sessions: ${messageOf(error)}`);
    }
    await systemClock.wait(PRUNE_SECONDS, stop);
  }
}
