// The route that reports to `--check` whether a forged REMOTE_USER header arrived.
import { afterEach, describe, expect, it } from 'vitest';
import { makeQuestion, readAnswer } from '../../src/check/proxy-config.ts';
import { ad, KEY, startPortal, type Portal } from '../support/portal.ts';

const SECRET = 'a secret of the tests, long enough to sign with';
const remoteUser = { header: 'x-forwarded-user' };
let portal: Portal;
afterEach(() => portal.close());

let serial = 0;
const question = (secret = SECRET): ReturnType<typeof makeQuestion> =>
  makeQuestion(secret, (serial += 1).toString(16).padStart(32, '0'), portal.now);

describe('R33 R40 /proxy-check', () => {
  it.each([
    ['the forged name', (forged: string) => forged, true],
    ['the forged name after another', (forged: string) => `alice, ${forged}`, true],
    ['the name from the proxy', () => 'alice', false],
    ['nothing', () => '', false],
  ])('with %s', async (_what, valueOf, arrived) => {
    portal = await startPortal({ remoteUser });
    const { token, forged } = question();
    const page = await portal
      .browser()
      .get(`/proxy-check/${token}`, { 'x-forwarded-user': valueOf(forged) });
    expect([page.status, readAnswer(SECRET, token, page.text)]).toEqual([200, arrived]);
  });

  it('answers without https and with another host name, so that it works behind a misconfigured proxy', async () => {
    portal = await startPortal({ remoteUser });
    const { token } = question();
    const headers = { 'x-forwarded-proto': 'http', host: 'other.example' };
    const page = await portal.browser().get(`/proxy-check/${token}`, headers);
    expect(readAnswer(SECRET, token, page.text)).toBe(false);
  });

  it('returns 404 for a question that is not from --check, was already answered, or has expired', async () => {
    portal = await startPortal({ remoteUser });
    const [first, old] = [question(), question()];
    const status = async (token: string): Promise<number> =>
      (await portal.browser().get(`/proxy-check/${token}`)).status;
    expect(await status(question('another secret').token)).toBe(404);
    expect([await status(first.token), await status(first.token)]).toEqual([200, 404]);
    portal.now += 91;
    expect([await status(old.token), await status('x'), await status('')]).toEqual([404, 404, 404]);
  });

  it('returns 404 if no header is configured', async () => {
    portal = await startPortal();
    expect((await portal.browser().get(`/proxy-check/${question().token}`)).status).toBe(404);
  });
});

it('R33 a repeated REMOTE_USER header is rejected', async () => {
  portal = await startPortal({ remoteUser });
  portal.writeKey(ad());
  const twice = { 'x-forwarded-user': ['alice', 'alice'] as unknown as string };
  expect((await portal.browser().get(`/key/${KEY}`, twice)).status).toBe(403);
  expect((await portal.browser().get(`/key/${KEY}`, { 'x-forwarded-user': 'alice' })).status).toBe(
    303,
  );
});
