// The device grant against a server with given responses and a manual clock; the real
// issuer is in tests/slow/storer.
import { GENERIC_POLICY } from '../../src/profiles/policy.ts';
import { PROFILES } from '../../src/profiles/profile.ts';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import { manualClock, type ManualClock } from '@credmon/test-fixtures/clocks/manual-clock';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../src/base/errors/errors.ts';
import { createSend } from '../../src/base/http/send.ts';
import type { ClientRegistration } from '../../src/oauth/client.ts';
import { beginDeviceLogin, finishDeviceLogin, type DeviceLogin } from '../../src/oauth/device.ts';
import { startServer, type LocalServer } from '../base/local-server.ts';
import { outcomeOf, type Reply } from './issuer.ts';

const NOW = 1_800_000_000;
const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

interface Rig {
  readonly server: LocalServer;
  readonly send: ReturnType<typeof createSend>['send'];
  readonly registration: ClientRegistration;
}

/**
 * A server that sends one reply after the other, and repeats the last one. `undefined`
 * breaks the connection.
 */
async function rig(...replies: (Reply | undefined)[]): Promise<Rig> {
  const server = await startServer((_, response) => {
    const reply = replies.length > 1 ? replies.shift() : replies[0];
    if (!reply) return void response.destroy();
    const { status = 200, headers = { 'content-type': 'application/json' }, body = '' } = reply;
    response.writeHead(status, headers);
    return void response.end(typeof body === 'string' ? body : JSON.stringify(body));
  });
  const { send, close } = createSend({ ...PATIENT_LIMITS, maxBodyBytes: 10_000 });
  endings.push(close, () => server.close());
  const registration: ClientRegistration = {
    provider: 'mytok',
    tokenUrl: `${server.origin}/token`,
    deviceUrl: `${server.origin}/device`,
    clientId: 'public',
    authentication: 'post',
    allowLoopbackHttp: true,
  };
  return { server, send, registration };
}

const offer = {
  device_code: 'CANARY-device-code',
  user_code: 'ABCD-EFGH',
  verification_uri: 'https://issuer.example/device',
  expires_in: 900,
};
const begin = ({ send, registration }: Rig): Promise<unknown> =>
  outcomeOf(
    beginDeviceLogin(send, registration, {
      scope: 'read, write',
      audience: 'https://api.example',
      now: NOW,
    }),
  );

describe('requesting a device login', () => {
  it('sends client, scope and resource, and returns the values for the user', async () => {
    const on = await rig({
      body: { ...offer, verification_uri_complete: 'https://issuer.example/device?c=A' },
    });
    expect(await begin(on)).toEqual({
      deviceCode: 'CANARY-device-code',
      userCode: 'ABCD-EFGH',
      verificationUrl: 'https://issuer.example/device',
      completeUrl: 'https://issuer.example/device?c=A',
      expiresIn: 900,
      interval: 5,
    });
    expect(Object.fromEntries(new URLSearchParams(on.server.asked[0]?.body))).toEqual({
      client_id: 'public',
      scope: 'read write',
      resource: 'https://api.example',
    });
  });

  it.each([
    [
      'a page of another protocol',
      { body: { ...offer, verification_uri: 'file:///etc/passwd' } },
      'ENDPOINT_REFUSED',
    ],
    [
      'a page without TLS',
      { body: { ...offer, verification_uri: 'http://issuer.example/' } },
      'ENDPOINT_REFUSED',
    ],
    [
      'a code with terminal control characters',
      { body: { ...offer, user_code: '\u001b[2JA' } },
      'ISSUER_ANSWER_INVALID',
    ],
    ['no device code', { body: { ...offer, device_code: undefined } }, 'ISSUER_ANSWER_INVALID'],
    ['a page', { body: '<html>' }, 'ISSUER_ANSWER_INVALID'],
    ['a rejected client', { status: 401, body: { error: 'invalid_client' } }, 'CLIENT_REFUSED'],
    ['a rejected client with status 200', { body: { error: 'invalid_client' } }, 'CLIENT_REFUSED'],
    ['a server error', { status: 503 }, 'ISSUER_UNREACHABLE'],
    [
      'a redirect',
      { status: 307, headers: { location: 'https://evil.example' } },
      'ISSUER_ANSWER_INVALID',
    ],
  ])('%s is rejected', async (_, reply, code) => {
    expect(await begin(await rig(reply))).toMatchObject({ code });
  });

  it('the parameters of the sign-in are sent, but never in place of its own', async () => {
    const on = await rig({ body: offer });
    const authorizationParameters = { access_type: 'offline', scope: 'admin', client_id: 'x' };
    const policy = { ...GENERIC_POLICY, authorizationParameters };
    await begin({ ...on, registration: { ...on.registration, policy } });
    expect(Object.fromEntries(new URLSearchParams(on.server.asked[0]?.body))).toEqual({
      access_type: 'offline',
      client_id: 'public',
      scope: 'read write',
      resource: 'https://api.example',
    });
  });

  it('an error of the profile has its meaning: GitHub without device logins', async () => {
    const on = await rig({ status: 400, body: { error: 'device_flow_disabled' } });
    const policy = { ...GENERIC_POLICY, errors: PROFILES.github.errors ?? [] };
    expect(await begin({ ...on, registration: { ...on.registration, policy } })).toMatchObject({
      code: 'CLIENT_REFUSED',
    });
  });

  it('R43 the client secret is in no part of an error', async () => {
    const description = 'bad secret CANARY%2B1 of client';
    const on = await rig({
      status: 400,
      body: { error: 'invalid_client', error_description: description },
    });
    const registration = { ...on.registration, clientSecret: 'CANARY+1' };
    expect(await begin({ ...on, registration })).toMatchObject({
      message: 'the issuer of mytok answered invalid_client (bad secret [...] of client)',
    });
  });
});

/** Advances the time while the login waits. */
async function finish(
  on: Rig,
  clock: ManualClock = manualClock(NOW),
): Promise<{ outcome: unknown; seconds: number }> {
  const login: DeviceLogin = {
    deviceCode: 'CANARY-device-code',
    userCode: 'A',
    verificationUrl: 'https://issuer.example/device',
    completeUrl: undefined,
    expiresIn: 100,
    interval: 5,
  };
  const state = { ended: false };
  const outcome = outcomeOf(finishDeviceLogin(on.send, on.registration, login, { clock })).finally(
    () => {
      state.ended = true;
    },
  );
  while (!state.ended) {
    if (clock.waiting > 0) clock.advanceToNext();
    await new Promise((resolve) => setImmediate(resolve));
  }
  return { outcome: await outcome, seconds: clock.steady() };
}

describe('waiting for the user', () => {
  const pending = { status: 400, body: { error: 'authorization_pending' } };
  const tokens = {
    body: { access_token: 'a', token_type: 'bearer', refresh_token: 'r', expires_in: 60 },
  };

  it.each<[string, (Reply | undefined)[], number]>([
    ['asks again after the interval', [pending, pending, tokens], 15],
    [
      'slows down by five seconds on slow_down',
      [{ status: 400, body: { error: 'slow_down' } }, pending, tokens],
      25,
    ],
    ['slows down at a 429', [{ status: 429 }, tokens], 15],
    ['continues after a temporary outage of the issuer', [{ status: 500 }, undefined, tokens], 35],
  ])('%s', async (_, replies, seconds) => {
    const on = await rig(...replies);
    expect(await finish(on)).toMatchObject({
      outcome: { accessToken: 'a', refreshToken: 'r' },
      seconds,
    });
    expect(Object.fromEntries(new URLSearchParams(on.server.asked[0]?.body))).toEqual({
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: 'CANARY-device-code',
      client_id: 'public',
    });
  });

  it.each([
    ['the user declined', { status: 400, body: { error: 'access_denied' } }, 'LOGIN_REFUSED'],
    [
      'the issuer reports an expired code',
      { status: 400, body: { error: 'expired_token' } },
      'LOGIN_EXPIRED',
    ],
    ['no user signed in', pending, 'LOGIN_EXPIRED'],
    [
      'the client is not allowed to use the grant',
      { status: 400, body: { error: 'unauthorized_client' } },
      'CLIENT_REFUSED',
    ],
    ['the response is HTML', { body: '<html>CANARY-device-code' }, 'ISSUER_ANSWER_INVALID'],
  ])('ends when %s', async (_, reply, code) => {
    const { outcome } = await finish(await rig(reply));
    expect(outcome).toMatchObject({ code });
    expect(String(outcome)).not.toContain('CANARY');
  });

  it('R12 waits for a response after the time-out: the device code may be spent on it', async () => {
    const on = await rig(tokens);
    let timedOut = 0;
    const send: typeof on.send = async (request) => {
      if (request.late)
        setTimeout(request.late.began, 0, new CodedError('ISSUER_UNREACHABLE', 'late'));
      timedOut += request.late?.seconds ?? 0;
      return on.send(request);
    };
    expect(await finish({ ...on, send })).toMatchObject({
      outcome: { refreshToken: 'r' },
      seconds: 5,
    });
    expect(timedOut).toBe(120);
  });
});
