// Standing tokens of an issuer whose tokens do not expire: fetched once, also after a
// restart.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { runChecks, createCheckContext } from '../../../src/checks/context.ts';
import { standingChecks } from '../../../src/checks/tokens.ts';
import { evaluateTokens, openStore } from '../../../src/commands/read-directory.ts';
import { accessPoint, settingsWith, type AccessPoint } from '../../support/access-point.ts';
import { loadConfig } from '@credmon/core/config';

let on: AccessPoint;
let url: string;
let answer: { status: number; body: object };
const server = createServer((request, response) => {
  request.resume();
  response.writeHead(answer.status, { 'content-type': 'application/json' });
  response.end(JSON.stringify(answer.body));
});
beforeEach(async () => {
  on = accessPoint();
  answer = { status: 200, body: { access_token: 'opaque', token_type: 'bearer' } };
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  await on.close();
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
});

const file = (): string => join(on.directory, '..', 'ce1.token');

function knobs(more: Readonly<Record<string, string>> = {}): Record<string, string> {
  return {
    CLIENT_CREDMON_hub_CLIENT_ID: 'me',
    CLIENT_CREDMON_hub_CLIENT_SECRET_FILE: on.secret('site', 'CANARY\n'),
    CLIENT_CREDMON_hub_TOKEN_URL: `${url}/token`,
    CREDMON_hub_DEFAULT_TOKEN_LIFETIME: 'unlimited',
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_ce1_PROVIDER: 'hub',
    CREDMON_STANDING_ce1_PATH: file(),
    CREDMON_STANDING_ce1_SCOPE: 'read',
    ...more,
  };
}

/** The row of the token in a process that has just started. */
async function rowAfterRestart(more: Readonly<Record<string, string>>): Promise<unknown> {
  const settings = settingsWith(knobs(more), on.directory);
  const now = { wall: on.clock.now(), steady: 0 };
  const { tokens } = await openStore(settings).scan(now);
  return evaluateTokens(tokens, settings, now).map(({ row }) => row);
}

it.each([['jwt'], ['json']])('are fetched once in the format %s', async (format) => {
  const more = { CREDMON_STANDING_ce1_FORMAT: format };
  on.configure(knobs(more));
  await on.pass();
  on.clock.advance(1e9);
  await on.pass();
  expect([on.sent.length, on.lines]).toEqual([
    1,
    ['Successfully renewed (standing)/ce1 (standing), does not expire'],
  ]);
  const row = { state: 'fresh', expired: false, expires_at: null, next_renewal: null };
  // The general default would be assumed after the knob is removed; the answer is remembered.
  for (const change of [more, { ...more, CREDMON_hub_DEFAULT_TOKEN_LIFETIME: '600' }])
    expect(await rowAfterRestart(change)).toMatchObject([row]);
});

it('are called so by check, and if another one cannot be fetched', async () => {
  on.configure(knobs());
  await on.pass();
  const env = Object.entries({ ...knobs(), SEC_CREDENTIAL_DIRECTORY_OAUTH: on.directory });
  const config = loadConfig({
    subsystem: 'CREDMON_OAUTH',
    env: {
      CONDOR_CONFIG: 'ONLY_ENV',
      _CONDOR_LOG: on.directory,
      _CONDOR_CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
      ...Object.fromEntries(env.map(([name, value]) => [`_CONDOR_${name}`, value])),
    },
    facts: { fullHostname: () => 'ap.example' },
  });
  const settings = settingsWith(knobs(), on.directory);
  const context = createCheckContext(config, settings, { wall: on.clock.now(), steady: 0 });
  const findings = await runChecks(standingChecks(context));
  await context.close();
  expect(findings.map(({ text }) => text)).toContain('the token does not expire');

  answer = { status: 503, body: {} };
  on.configure(knobs({ CREDMON_STANDING_ce1_SCOPE: 'write' }));
  await on.pass();
  expect(on.lines.at(-1)).toMatch(/HTTP status 503; the old token does not expire; tried again/);
});
