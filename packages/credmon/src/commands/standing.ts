// `standing login`: the login of a standing token that is renewed with a refresh token.
// `standing list`: the standing tokens.
import {
  CodedError,
  createSend,
  messageOf,
  systemClock,
  systemCode,
  systemRandom,
  tableText,
  type Clock,
} from '@credmon/core/base';
import { instantOf, stemOf, type TokenSnapshot } from '@credmon/core/credential';
import type { Subcommand } from '../command-line/command.ts';
import { openConfig } from '../command-line/open-config.ts';
import { runningDaemon } from '../daemon/pid-and-complete.ts';
import { readSecretFile } from '../host/secret-file.ts';
import { storeLogin, whyNotStored } from '../host/standing-files.ts';
import { createProcessTrust, namedTrustOf } from '../host/tls-ca.ts';
import { draftOfLogin } from '../providers/oauth/refresh.ts';
import { checkSubject } from '../providers/standing/signed.ts';
import { topOfLogin } from '../providers/standing/login.ts';
import { type Settings, settingsOf } from '../settings/read.ts';
import type { LoginStanding, StandingToken } from '../settings/standing.ts';
import { attentionTexts } from '../status/summary.ts';
import { evaluateTokens, existingDirectory, openStandingTokens } from './read-directory.ts';
import { needsAttention } from '../status/rows.ts';
import { grantByDevice, type Terminal } from '../storer/device-login.ts';
import { standingLoginEntry } from '../report/audit-report.ts';
import { openAudit, requester } from './audit.ts';
import type { Output } from './revoke.ts';

/** The output of the commands. Without a `terminal` no login is possible. */
export interface StandingOutput extends Output {
  readonly terminal: Terminal | undefined;
  /** True if the terminal can show QR codes. */
  readonly unicode: boolean;
}

/**
 * Logs in by device code, stores the refresh token for the daemon, and waits until the
 * daemon has renewed the token. Exit code 0; 1 when the login is stored, but the token was
 * not renewed.
 * @throws CodedError when no login is stored
 */
export async function runStandingLogin(
  command: Subcommand & { kind: 'standing-login' },
  env: NodeJS.ProcessEnv,
  output: StandingOutput,
  clock: Clock = systemClock,
): Promise<number> {
  const settings = settingsOf(openConfig(command, env), command, process.argv[1]);
  const token = loginTokenOf(settings, command.token);
  const directory = existingDirectory(settings);
  const refused = whyNotStored(directory);
  if (refused !== undefined) throw new CodedError('LOGIN_REFUSED', refused);
  const { terminal } = output;
  if (!terminal) throw noTerminal(token);
  const audit = await openAudit(settings.log, output.stderr);
  const top = await logIn({ ...output, terminal, clock }, settings, token);
  storeLogin(directory, token.name, top);
  audit.line(
    `stored a login for the standing token ${token.name} (provider ${token.provider}) as ` +
      `${requester()} asked`,
  );
  audit.record(standingLoginEntry(token.name, token.provider, requester()));
  audit.close();
  output.stdout(`Stored the login for ${token.name}.`);
  return report(directory, settings, token, { ...output, clock });
}

/** @throws CodedError `USAGE` */
function loginTokenOf({ standing }: Settings, name: string): LoginStanding {
  const token = standing.find((each) => each.name === name);
  if (token?.kind === 'login') return token;
  if (token) throw new CodedError('USAGE', `${name} needs no login: it is ${KINDS[token.kind]}`);
  const logins = standing.filter(({ kind }) => kind === 'login').map((each) => each.name);
  const known = logins.length === 0 ? 'none' : logins.join(', ');
  throw new CodedError(
    'USAGE',
    `${name} is not listed in CREDMON_STANDING_TOKENS; standing tokens with a login: ${known}`,
  );
}

const KINDS = {
  signed: 'signed here',
  fetched: 'fetched by client credentials',
  login: 'renewed from a login',
} as const;

function noTerminal({ name }: StandingToken): CodedError {
  return new CodedError(
    'LOGIN_NEEDS_TERMINAL',
    `${name} needs a login, and there is no terminal to show it on; run this on a terminal`,
    { token: name },
  );
}

/** Returns the `.top` of a new login. It contains a secret. */
async function logIn(
  { terminal, unicode, clock, stderr }: StandingOutput & { terminal: Terminal; clock: Clock },
  settings: Settings,
  token: LoginStanding,
): Promise<string> {
  const { allowLoopbackHttp, endpointOrigins: origins, limits } = settings;
  const { provider, client, scope, audience, name } = token;
  const trust = createProcessTrust(() => namedTrustOf(settings), stderr);
  const { send, close } = createSend({ ...limits, trust: trust.general });
  try {
    const secrets = { now: clock.now(), readSecret: readSecretFile };
    const draft = {
      ...draftOfLogin(provider, client, { random: systemRandom, allowLoopbackHttp }, secrets),
      needs: ['deviceUrl'],
      login: true,
    } as const;
    const { answer, refreshToken } = await grantByDevice(
      { send, clock, terminal, unicode },
      {
        service: provider,
        purpose: `let condor_credmon keep the standing token ${name}`,
        scopes: scope.join(' '),
        audience: audience.join(' '),
      },
      { draft, origins, policy: client.policy, signsInOnWeb: false },
    );
    checkSubject(token, answer.accessToken);
    return topOfLogin(token, { refreshToken, subject: answer.claims?.sub, at: clock.now() });
  } finally {
    await close();
  }
}

/** Seconds to wait for the daemon, and between two looks. */
const LONGEST_WAIT = 60;
const LOOK = 0.5;

/** Wakes the daemon and says what it made of the login. */
async function report(
  directory: string,
  settings: Settings,
  token: LoginStanding,
  { stdout, stderr, clock }: StandingOutput & { clock: Clock },
): Promise<number> {
  const daemon = runningDaemon(directory);
  if (daemon === undefined) {
    stdout(`No condor_credmon is running: it writes ${token.path} when it starts.`);
    return 0;
  }
  wake(daemon, stderr);
  const began = clock.steady();
  const stored = clock.now();
  while (clock.steady() - began < LONGEST_WAIT) {
    const snapshot = await snapshotOf(directory, token, clock);
    const { use, overtaken, renewal } = snapshot ?? {};
    if (use?.kind === 'valid' && overtaken === false) {
      const left = Math.floor(use.value.expiresAt - clock.now());
      const life = Number.isFinite(left) ? `valid for ${left} s` : 'which does not expire';
      stdout(`The token is in ${token.path}, ${life}.`);
      return 0;
    }
    if (snapshot && renewal && renewal.last_attempt >= Math.floor(stored)) {
      const rows = evaluateTokens([snapshot], settings, instantOf(clock)).map(({ row }) => row);
      const texts = attentionTexts(rows);
      for (const text of texts.length > 0 ? texts : [`${token.name}: ${renewal.message}`])
        stderr(text);
      return 1;
    }
    await clock.wait(LOOK);
  }
  stderr(
    `condor_credmon has not renewed ${token.name} within ${LONGEST_WAIT} s; ` +
      'see its log and "condor_credmon status"',
  );
  return 1;
}

/** The daemon looks at least every minute, also without a signal. */
function wake(daemon: number, stderr: (text: string) => void): void {
  try {
    process.kill(daemon, 'SIGHUP');
  } catch (error) {
    if (systemCode(error) === undefined) throw error;
    stderr(`failed to signal condor_credmon (process ${daemon}): ${messageOf(error)}`);
  }
}

/** A new store each time: it reads only once what the daemon remembers. */
async function snapshotOf(
  directory: string,
  token: StandingToken,
  clock: Clock,
): Promise<TokenSnapshot | undefined> {
  const { tokens } = await openStandingTokens(directory, [token]).scan(instantOf(clock));
  return tokens[0];
}

/**
 * Lists the standing tokens. Exit code 0, or 1 when one needs attention.
 * @throws CodedError when the status cannot be read
 */
export async function runStandingList(
  command: Subcommand & { kind: 'standing-list' },
  env: NodeJS.ProcessEnv,
  { stdout, stderr }: Output,
): Promise<number> {
  const settings = settingsOf(openConfig(command, env), command, process.argv[1]);
  const directory = existingDirectory(settings);
  const now = instantOf(systemClock);
  const { standing } = settings;
  const { tokens, problems } = await openStandingTokens(directory, standing).scan(now);
  for (const problem of problems) stderr(problem);
  const evaluated = evaluateTokens(tokens, settings, now).map(({ row }) => row);
  const rows = standing.flatMap((token) => {
    const row = evaluated.find(({ service, handle }) => stemOf(service, handle) === token.name);
    return row ? [{ token, row }] : [];
  });
  if (command.json) {
    const list = rows.map(({ token, row }) => ({
      name: token.name,
      provider: providerOf(token),
      source: token.kind,
      path: token.path,
      state: row.state,
      expired: row.expired,
      expires_at: row.expires_at,
      last_error: row.last_error,
    }));
    stdout(JSON.stringify({ tokens: list }, null, 2));
  } else {
    const cells = rows.map(({ token, row }) => [
      token.name,
      providerOf(token),
      token.kind,
      row.expired ? 'EXPIRED' : row.state,
      token.path,
    ]);
    stdout(
      cells.length === 0
        ? 'No standing tokens.'
        : tableText([['NAME', 'PROVIDER', 'SOURCE', 'STATE', 'PATH'], ...cells]),
    );
    for (const text of attentionTexts(evaluated)) stderr(text);
  }
  return evaluated.some(needsAttention) ? 1 : 0;
}

function providerOf(token: StandingToken): string {
  switch (token.kind) {
    case 'signed':
      return token.issuer.service;
    case 'fetched':
      return token.client.name;
    case 'login':
      return token.provider;
  }
}
