// Complete responses of a token endpoint with invalid HTTP framing: the rotated refresh
// token must not be lost.
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import { afterEach, describe, expect, it } from 'vitest';
import { createSend } from '../../src/base/http/send.ts';
import { refreshGrant } from '../../src/oauth/grants.ts';
import { everythingIn } from '../base/local-server.ts';
import { outcomeOf } from './issuer.ts';

const LIMITS = { ...PATIENT_LIMITS, maxBodyBytes: 100_000 };
const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/**
 * A server that sends `reply` after the first bytes of each connection, and then closes
 * it or leaves it open.
 */
async function startRaw(reply: string, isOpen: boolean): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => sockets.delete(socket));
    socket.once('data', () => (isOpen ? socket.write(reply) : socket.end(reply)));
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  endings.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const body = JSON.stringify({
  access_token: 'CANARY-access',
  token_type: 'bearer',
  expires_in: 600,
  refresh_token: 'CANARY-next',
});
const head = (status: number, ...lines: string[]): string =>
  [`HTTP/1.1 ${status} X`, 'content-type: application/json', ...lines, '', ''].join('\r\n');
const long = (status: number): string => head(status, `content-length: ${body.length + 50}`);
const chunked = (text: string): string =>
  `${head(200, 'transfer-encoding: chunked')}${text.length.toString(16)}\r\n${text}\r\n`;

describe('R12 a response with invalid framing at the end', () => {
  it.each<[string, string, boolean, string[]]>([
    ['a length too large', `${long(200)}${body}`, false, ['CANARY-next']],
    ['a length too large, of status 500', `${long(500)}${body}`, false, ['CANARY-next']],
    ['a length too large, of status 400', `${long(400)}${body}`, false, []],
    ['no last chunk', chunked(body), false, ['CANARY-next']],
    ['no end', chunked(body), true, ['CANARY-next']],
    ['an invalid chunk', `${chunked(body)}zzz\r\n`, true, ['CANARY-next']],
    ['JSON that breaks off', `${long(200)}${body.slice(0, -4)}`, false, []],
    ['no body', long(200), false, []],
  ])(
    '%s: the refresh token is kept, and the access token is not used',
    async (_, reply, isOpen, expected) => {
      const tokenUrl = await startRaw(reply, isOpen);
      const { send, close } = createSend({ ...LIMITS, ...(isOpen ? { totalSeconds: 1 } : {}) });
      endings.unshift(close);
      const kept: string[] = [];
      const client = {
        provider: 'mytok',
        tokenUrl,
        clientId: 'c',
        authentication: 'post',
        allowLoopbackHttp: true,
      } as const;
      const salvage = (token: string): void => void kept.push(token);
      const outcome = await outcomeOf(
        refreshGrant(send, client, { refreshToken: 'old', now: 0, salvage }),
      );
      expect([outcome, kept]).toEqual([
        expect.objectContaining({ code: 'ISSUER_UNREACHABLE' }),
        expected,
      ]);
      expect(everythingIn(outcome)).not.toContain('CANARY');
    },
  );

  it('is an error for a request that does not ask for rejected responses', async () => {
    const tokenUrl = await startRaw(`${long(200)}${body}`, false);
    const { send, close } = createSend(LIMITS);
    endings.unshift(close);
    expect(await outcomeOf(send({ method: 'POST', url: tokenUrl }))).toMatchObject({
      code: 'ISSUER_UNREACHABLE',
    });
  });
});
