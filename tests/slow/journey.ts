// The whole journey of a user, once through: key link, two logins in Chromium, exact
// files, and a daemon that keeps them fresh.
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { tokenId, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { listing, readJson, secondsLeft } from '@credmon/test-fixtures/files/token-files';
import { verifyToken } from '@credmon/test-fixtures/servers/verify-token';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import type { Service, Workspace } from '@credmon/test-fixtures/files/workspace';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, BrowserContextOptions } from 'playwright-core';
import { expect } from 'vitest';
import { listedTokens, signIn, visit } from './browser.ts';
import { startDaemon } from './daemon-runs.ts';

/**
 * Two services, each at an issuer of its own; of `mytok` a token with handle h1 is asked
 * for.
 */
export interface JourneyParts {
  readonly workspace: Workspace;
  readonly mytok: Service;
  readonly other: Service;
}

const SCOPES = 'read, storage.read:/';
const AUDIENCE = 'https://data.example';

/**
 * Logs in at both providers in the browser and checks pages and files; answers with the
 * last page's heading.
 */
export async function logInAtBoth(
  browser: Browser,
  { workspace, mytok, other }: JourneyParts,
  options: BrowserContextOptions = {},
): Promise<string> {
  const { credentialDirectory: directory, webPrefix } = workspace;
  const keyFile = writeKeyFile(directory, webPrefix, [
    workspace.keyFileAd(mytok, 'alice@pool.example', {
      handle: 'h1',
      scopes: SCOPES,
      audience: AUDIENCE,
    }),
    workspace.keyFileAd(other, 'alice@pool.example'),
  ]);
  const visitor = await visit(browser, options);
  const { page } = visitor;
  await page.goto(keyFile.url);
  expect(page.url()).toBe(`${webPrefix}/`);
  expect(await listedTokens(page)).toEqual(['mytok h1: Waiting for you', 'other: Waiting for you']);
  const text = (await page.locator('main').innerText()).replace(/\s+/g, ' ');
  for (const named of ['alice', 'read', 'storage.read:/', AUDIENCE, new URL(mytok.issuer.url).host])
    expect(text).toContain(named);

  await signIn(page, 'mytok h1', mytok.issuer.name);
  expect(existsSync(keyFile.path)).toBe(true);
  await signIn(page, 'other', other.issuer.name);
  expect(await listedTokens(page)).toEqual(['mytok h1: Signed in', 'other: Signed in']);
  const heading = await page.getByRole('heading', { level: 1 }).innerText();
  expect(visitor.complaints).toEqual([]);
  expect([...visitor.origins].sort()).toEqual(
    [new URL(webPrefix).origin, mytok.issuer.url, other.issuer.url].sort(),
  );
  await visitor.close();
  expect(readdirSync(directory)).toEqual(['alice']);
  checkFiles(workspace, mytok, other);
  const use = readJson(join(directory, 'alice', 'mytok_h1.use'));
  expect(await verifyToken(mytok.issuer, String(use['access_token']), AUDIENCE)).toMatchObject({
    scope: 'read storage.read:/',
  });
  return heading;
}

function checkFiles({ credentialDirectory }: Workspace, mytok: Service, other: Service): void {
  const home = join(credentialDirectory, 'alice');
  expect(listing(home)).toEqual(
    ['mytok_h1', 'other'].flatMap((stem) =>
      ['meta', 'top', 'use'].map((kind) => `${stem}.${kind} 400`),
    ),
  );
  const refreshToken: unknown = expect.stringMatching(/^[\w-]{20,}$/);
  expect(readJson(join(home, 'mytok_h1.top'))).toEqual({
    refresh_token: refreshToken,
    scopes: SCOPES,
    audience: AUDIENCE,
  });
  expect(readJson(join(home, 'other.top'))).toEqual({ refresh_token: refreshToken });
  for (const [stem, service] of [
    ['mytok_h1', mytok],
    ['other', other],
  ] as const) {
    expect(readJson(join(home, `${stem}.meta`))).toEqual({
      client_id: service.clientId,
      client_secret: service.clientSecret,
      token_url: service.issuer.tokenUrl,
      signed_in_at: expect.any(Number),
      use_refresh_token: true,
    });
    const use = readJson(join(home, `${stem}.use`));
    expect(Object.keys(use)).not.toContain('refresh_token');
    expect(Number(use['expires_at']) - Number(use['issued_at'])).toBe(use['expires_in']);
    expect(use['token_type']).toBe('Bearer');
  }
}

/**
 * Starts the daemon and waits until each token was renewed twice, each time when it came
 * due and with the rotated refresh token; answers with the issuers' counts.
 */
export async function renewTwice({ workspace, mytok, other }: JourneyParts): Promise<number[]> {
  const pairs: readonly (readonly [string, Issuer])[] = [
    ['mytok_h1', mytok.issuer],
    ['other', other.issuer],
  ];
  const path = (stem: string, kind: string): string =>
    join(workspace.credentialDirectory, 'alice', `${stem}.${kind}`);
  const first = pairs.map(([stem, issuer]) => ({
    stem,
    issuer,
    refreshToken: tokenId(String(readJson(path(stem, 'top'))['refresh_token'])),
    issuedAt: Number(readJson(path(stem, 'use'))['issued_at']),
    lifetime: Number(readJson(path(stem, 'use'))['expires_in']),
  }));
  // Early in a long life, so that a busy machine has most of it left before anything
  // expires.
  workspace.configure({ CREDMON_RENEW_FRACTION: 0.12, CREDMON_RENEW_JITTER: 0.02 });
  const daemon = startDaemon(workspace);
  try {
    await waitUntil(
      () => {
        for (const { stem } of first)
          expect(
            secondsLeft(path(stem, 'use'), Date.now() / 1000),
            `seconds left of ${stem}`,
          ).toBeGreaterThan(0);
        return first.every(
          ({ issuer, refreshToken }) => issuer.log.chain(refreshToken).length >= 3,
        );
      },
      { what: 'two renewals of each token' },
    );
  } finally {
    expect(await daemon.stop()).toEqual({ code: 0, signal: null });
  }
  for (const { issuer, refreshToken, stem, issuedAt, lifetime } of first) {
    const renewals = issuer.log.successes('refresh_token');
    expect(renewals[0]?.presented).toBe(refreshToken);
    expect(renewals[1]?.presented).toBe(renewals[0]?.issued);
    expect(issuer.log.presentedTwice()).toEqual([]);
    // Not before it was due: the fraction of its lifetime less the spread, and the second
    // in which it was issued.
    expect(renewals[0]?.at).toBeGreaterThan(issuedAt + lifetime * 0.1 - 1);
    expect(tokenId(String(readJson(path(stem, 'top'))['refresh_token']))).toBe(
      renewals.at(-1)?.issued,
    );
  }
  return first.map(({ issuer }) => issuer.log.successes('refresh_token').length);
}
