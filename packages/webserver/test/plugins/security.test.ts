// The security headers, made once at the start, the page of a client that asks too often, and
// the keys of the rate limit.
import { afterEach, describe, expect, it } from 'vitest';
import { rateKey, securityHeaders } from '../../src/plugins/security.ts';
import { KEY, ad, startPortal, type Portal } from '../support/portal.ts';

describe('the rate limit', () => {
  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '::ffff:192.0.2.1'],
    ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
    ['2001:db8::1', '2001:db8:0:0'],
    ['::1', '0:0:0:0'],
    ['', 'unknown'],
    [undefined, 'unknown'],
  ])('R40 of %s is that of %s', (ip, key) => {
    expect(rateKey(ip)).toBe(key);
  });
});

const HEADERS = {
  'content-security-policy':
    "default-src 'none';style-src 'self';img-src 'self';base-uri 'none';frame-ancestors 'none';form-action 'self'",
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'origin-agent-cluster': '?1',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-dns-prefetch-control': 'off',
  'x-download-options': 'noopen',
  'x-frame-options': 'DENY',
  'x-permitted-cross-domain-policies': 'none',
  'x-xss-protection': '0',
};

describe('the headers of a portal', () => {
  let portal: Portal;
  afterEach(() => portal.close());

  it('R39 every answer has all security headers: pages, errors, keys, assets, health, and the answer to too many requests', async () => {
    portal = await startPortal({ requestsPerMinute: 7 }, { readPublicKey: () => 'none' });
    const strict = { ...HEADERS, 'strict-transport-security': 'max-age=31536000' };
    expect(securityHeaders({ secure: false })).toEqual(HEADERS);
    expect(securityHeaders({ secure: true })).toEqual(strict);
    const browser = portal.browser();
    const paths = ['/', '/nothing', `/key/${KEY}`, '/.well-known/openid-configuration'];
    const statuses = [];
    for (const path of [...paths, '/.well-known/jwks-uri', '/icon.svg', '/healthz', '/', '/']) {
      const { status, headers } = await browser.get(path);
      statuses.push(status);
      expect(headers).toMatchObject(strict);
    }
    expect(statuses).toEqual([200, 404, 404, 200, 503, 200, 200, 200, 429]);
  });

  it('R40 many rejected requests are one line in the log, with their number in the next line', async () => {
    portal = await startPortal({ requestsPerMinute: 1 });
    const browser = portal.browser();
    const lines = (): string[] => portal.log.filter((line) => line.includes('too-many-requests'));
    for (let count = 0; count < 6; count += 1) await browser.get('/');
    expect(lines()).toHaveLength(1);
    expect(lines()[0]).toMatch(
      /^GET \/: 429 too-many-requests, reference [0-9a-f]{12}: more than 1 /,
    );
    portal.now += 10;
    await browser.get('/');
    expect(lines()[1]).toContain('(and 4 more since the last line)');
  });

  it('R37 the page of a client without a cookie is that of a client whose session is unknown', async () => {
    portal = await startPortal();
    portal.writeKey(ad());
    const stranger = await portal.browser().get('/');
    const unknown = await portal.browser().get('/', { cookie: '__Host-credmon=unknown' });
    expect([stranger.status, stranger.text]).toEqual([200, unknown.text]);
    expect((await portal.browser().get('/nothing')).status).toBe(404);
  });

  it('R37 R40 a missing key file has the same page with and without a cookie, and one line in the log', async () => {
    portal = await startPortal();
    const path = `/key/${KEY}`;
    const page = async (headers?: Record<string, string>): Promise<unknown> => {
      const { status, text, headers: all } = await portal.browser().get(path, headers);
      const limited = ['x-ratelimit-limit', 'x-ratelimit-reset'].every((name) => name in all);
      return [status, limited, all['content-type'], text.replace(/[0-9a-f]{12}/, 'reference')];
    };
    const stranger = await page();
    expect(stranger).toEqual(await page({ cookie: '__Host-credmon=unknown' }));
    expect(portal.log.filter((line) => line.includes('404 KEY_FILE_MISSING'))).toEqual([
      expect.stringMatching(/404 KEY_FILE_MISSING, reference [0-9a-f]{12}: key file not found$/),
      expect.stringMatching(/404 KEY_FILE_MISSING, reference [0-9a-f]{12}: key file not found$/),
    ]);
  });
});
