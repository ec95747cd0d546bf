// Everything at once for a minute: kills, signals, stops, outages, logins and sweeps.
// Longer with CREDMON_SOAK_SECONDS and CREDMON_SOAK_USERS.
import { findSecrets, textsBelow } from '@credmon/test-fixtures/files/find-secrets';
import { markUser, sweep } from '@credmon/test-fixtures/files/credd';
import {
  startIssuer,
  tokenId,
  type FaultName,
  type Issuer,
  type TokenRequest,
} from '@credmon/test-fixtures/servers/issuer';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { seedToken, type SeededToken } from '@credmon/test-fixtures/files/seed-token';
import {
  listing,
  readJson,
  secondsLeft,
  textIfPresent,
} from '@credmon/test-fixtures/files/token-files';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chooseSeed, seededRandom } from './call-places.ts';
import { daemonLog, startDaemon } from './daemon-runs.ts';

const SECONDS = Number(process.env['CREDMON_SOAK_SECONDS'] ?? 60);
const USERS = Number(process.env['CREDMON_SOAK_USERS'] ?? 30);
const LIFETIMES = [8, 15, 40];
const OUTAGES: readonly FaultName[] = [
  'server-error',
  'refused',
  'unavailable',
  'answer-lost',
  'reset',
  'slow',
];

/**
 * What a kill left: when it came, and the refresh tokens on the disk, by the names of the
 * issuers' logs.
 */
interface Kill {
  readonly at: number;
  readonly onDisk: ReadonlySet<string>;
}

let issuers: readonly Issuer[];
let services: readonly Service[];
let workspace: Workspace;
let daemon: Child;
/** The last login of each user who has not been swept. */
const live = new Map<string, SeededToken>();
const gone = new Set<string>();
const kills: Kill[] = [];
const counts: Record<string, number> = {};
const random = seededRandom(chooseSeed('soak'));
const at = <T>(list: readonly T[], index: number): T => {
  const found = list[index];
  if (found === undefined) throw new Error(`nothing at ${index}`);
  return found;
};
const pick = <T>(list: readonly T[]): T => at(list, Math.floor(random() * list.length));
const seconds = (s: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, s * 1000));
const now = (): number => Date.now() / 1000;
const serviceOf = (user: string): Service => at(services, Number(user.slice(4)) % services.length);

beforeAll(async () => {
  issuers = await Promise.all(
    LIFETIMES.map((accessTokenTtl, n) => startIssuer({ name: `issuer${n}`, accessTokenTtl })),
  );
  workspace = createWorkspace({
    clientSecret: (name) => `canary-client-secret-of-${name}`,
    knobs: {
      CREDMON_REQUEST_TIMEOUT: 3,
      CREDMON_FIRST_RETRY: 1,
      CREDMON_OAUTH_DEBUG: 'D_FULLDEBUG',
    },
  });
  services = await Promise.all(issuers.map((issuer, n) => workspace.addService(`tok${n}`, issuer)));
  for (let n = 0; n < USERS; n += 1) await logIn(`user${n}`);
  daemon = startDaemon(workspace);
});
afterAll(async () => {
  await daemon.stop();
  await Promise.all(issuers.map((issuer) => issuer.close()));
  workspace.remove();
});

async function logIn(user: string): Promise<void> {
  gone.delete(user);
  live.set(user, await seedToken(workspace, serviceOf(user), user));
}

/** The refresh tokens in `.top` and in temporary files. */
function refreshTokensOnDisk(): ReadonlySet<string> {
  const found = new Set<string>();
  for (const [name, text] of Object.entries(textsBelow(workspace.credentialDirectory))) {
    const token = /"refresh_token": *"([^"]+)"/.exec(text)?.[1];
    if (token !== undefined && name.includes('.top')) found.add(tokenId(token));
  }
  return found;
}

/** CredD signals only the process in the pid file. */
function hasPid(): boolean {
  return textIfPresent(join(workspace.credentialDirectory, 'pid')) === `${daemon.pid}\n`;
}

const EVENTS: Readonly<Record<string, () => Promise<void> | void>> = {
  kill: async () => {
    daemon.signal('SIGKILL');
    await daemon.exited;
    kills.push({ at: now(), onDisk: refreshTokensOnDisk() });
    daemon = startDaemon(workspace);
  },
  signals: () => {
    for (let n = 0; n < 300 && hasPid(); n += 1) daemon.signal('SIGHUP');
  },
  stop: async () => {
    daemon.signal('SIGSTOP');
    await seconds(1 + 4 * random());
    daemon.signal('SIGCONT');
  },
  outage: async () => {
    const issuer = pick(issuers);
    await issuer.setFault(pick(OUTAGES), { retryAfter: 1 });
    await seconds(1 + 2 * random());
    await issuer.setFault();
  },
  login: async () => {
    await logIn(`user${Math.floor(random() * USERS)}`);
    if (hasPid()) daemon.signal('SIGHUP');
  },
  sweep: () => {
    const user = pick([...live.keys()]);
    markUser(workspace.credentialDirectory, user);
    sweep(workspace.credentialDirectory, 0, now() + 1);
    live.delete(user);
    gone.add(user);
  },
};

/**
 * Refresh tokens that an issuer saw twice without an excuse: a lost answer, or a death
 * before the answer was on the disk.
 */
function unexcused(): readonly string[] {
  return issuers.flatMap(({ log }) =>
    log.presentedTwice().filter((token) => {
      const [first, second] = log.requests.filter(
        ({ presented, outcome }) => presented === token && outcome !== undefined,
      ) as [TokenRequest, TokenRequest];
      const killed = kills.some(
        ({ at, onDisk }) =>
          at >= first.at - 2 && at <= second.at && !onDisk.has(first.issued ?? ''),
      );
      return first.fault !== 'answer-lost' && !killed;
    }),
  );
}

/**
 * True for a token whose grant the issuer withdrew after it saw a refresh token twice:
 * only its user can help.
 */
function isWithdrawn({ user, stem }: SeededToken): boolean {
  const path = join(workspace.credentialDirectory, user, `.${stem}.renewal`);
  return existsSync(path) && readJson(path)['stopped'] === true;
}

/** Good: the issuer's newest refresh token, and an access token that has not expired. */
function isGood({ user, refreshToken, path }: SeededToken): boolean {
  const chain = serviceOf(user).issuer.log.chain(tokenId(refreshToken));
  const stored = tokenId(String(readJson(path('top'))['refresh_token']));
  return stored === chain.at(-1) && secondsLeft(path('use'), now()) > 0;
}

it(
  'R1 R12 R13 R21 R43 after a minute of everything each token is good or was withdrawn for a reason, and nothing else is there',
  async () => {
    const end = now() + SECONDS;
    while (now() < end) {
      const name = pick(Object.keys(EVENTS));
      counts[name] = (counts[name] ?? 0) + 1;
      await EVENTS[name]?.();
      await seconds(0.6 * random());
      expect(daemon.exit).toBeUndefined();
    }
    await waitUntil(
      () => [...live.values()].every((token) => isGood(token) || isWithdrawn(token)),
      {
        what: 'an end state in which every token is good or withdrawn',
      },
    );
    // The last event may have started a daemon a moment ago: before it handles signals,
    // SIGTERM ends it as any process.
    await waitUntil(hasPid, { what: 'the pid file of the last daemon' });
    const memory = Number(
      /^VmHWM:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, 'utf8'))?.[1],
    );
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
    const entries = readdirSync(workspace.credentialDirectory);
    const withdrawn = [...live.values()].filter((token) => !isGood(token) && isWithdrawn(token));
    const twice = issuers.flatMap(({ log }) => log.presentedTwice());
    console.log({
      ...counts,
      grants: issuers.map(({ log }) => log.successes('refresh_token').length),
      twice: twice.length,
      withdrawn: withdrawn.length,
    });
    const secrets: Record<string, string> = {};
    for (const { name, clientSecret } of services) secrets[name] = clientSecret;
    for (const { user, path } of live.values()) {
      secrets[`${user} refresh token`] = String(readJson(path('top'))['refresh_token']);
      secrets[`${user} access token`] = String(readJson(path('use'))['access_token']);
    }
    expect({
      unexcused: unexcused(),
      restored: [...gone].filter((user) => entries.includes(user)),
      stray: [...live.values()].flatMap(({ user }) =>
        listing(join(workspace.credentialDirectory, user)).filter((name) =>
          name.includes('credmon-tmp'),
        ),
      ),
      wrong: [...live.values()]
        .filter((token) => !isGood(token) && !isWithdrawn(token))
        .map(({ user }) => user),
      leaks: findSecrets(secrets, { log: daemonLog(workspace), printed: daemon.output }),
      memory: memory < 400 * 1024 || memory,
    }).toEqual({ unexcused: [], restored: [], stray: [], wrong: [], leaks: [], memory: true });
    expect(withdrawn.length).toBeLessThanOrEqual(twice.length);
  },
  (SECONDS + 240) * 1000,
);
