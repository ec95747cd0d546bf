// Answers that would make a `.use` which no reader can read: refused before the old one
// is lost, and not asked for at every pass.
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { rmSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { accessPoint, type AccessPoint } from '../../support/access-point.ts';
import { bench, meta, useText, type Bench } from '../../support/bench.ts';

const nested = `${'['.repeat(65)}${']'.repeat(65)}`;
const numbers = `[${Array<string>(200_000).fill('1e20').join(',')}]`;

describe('an answer that would give an unreadable file', () => {
  let on: Bench;
  beforeEach(() => {
    on = bench();
  });
  afterEach(() => rmSync(on.directory, { recursive: true, force: true }));

  it.each([
    ['nests too deep', nested, 'the resulting .use file nests deeper than 64 levels'],
    ['grows too large when it is written', numbers, 'more than 1048576'],
  ])(
    'R14 R16 because it %s keeps the old file and the new refresh token, and waits',
    async (_, x, why) => {
      const use = useText(on.clock.now() - 600, 1000);
      on.seed('alice', 'box', { top: '{"refresh_token":"r0"}', use, meta: meta() });
      const body = `{"access_token":"tok","token_type":"bearer","expires_in":3600,"refresh_token":"r1","x":${x}}`;
      const headers = { 'content-type': 'application/json' };
      on.answer = async () => ({ status: 200, headers, body: Buffer.from(body) });
      for (let pass = 0; pass < 5; pass += 1) {
        on.clock.advance(1);
        await (
          await beginPass(on.context, on.lookup, on.memory)
        ).settled;
      }
      expect(on.asked).toHaveLength(1);
      expect(on.read('alice', 'box.use')).toBe(use);
      expect(JSON.parse(on.read('alice', 'box.top'))).toEqual({ refresh_token: 'r1' });
      expect(JSON.parse(on.read('alice', '.box.renewal'))).toMatchObject({
        code: 'ISSUER_ANSWER_INVALID',
      });
      expect(on.lines.join('\n')).toContain(why);
    },
  );
});

describe('a bare token', () => {
  let on: AccessPoint;
  beforeEach(() => {
    on = accessPoint();
  });
  afterEach(() => on.close());

  it('R14 that is valid JSON is rejected, and not requested at every pass', async () => {
    const server = createServer((_, response) => {
      response.setHeader('content-type', 'application/json');
      response.end('{"access_token":"1234567890","token_type":"bearer","expires_in":3600}');
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    on.configure({
      CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
      CLIENT_CREDMON_CLIENT_ID: 'ap',
      CLIENT_CREDMON_svc_CLIENT_SECRET_FILE: on.secret('svc', 'sec'),
      CLIENT_CREDMON_TOKEN_USE_JSON: 'false',
      CLIENT_CREDMON_TOKEN_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    });
    on.store('alice/svc.top', 'x');
    for (let pass = 0; pass < 5; pass += 1) {
      on.clock.advance(1);
      await on.pass();
    }
    server.close();
    server.closeAllConnections();
    expect([on.sent.length, on.has('alice/svc.use')]).toEqual([1, false]);
    expect(on.lines.join('\n')).toContain(
      'invalid token response for svc: the resulting .use file',
    );
  });
});
