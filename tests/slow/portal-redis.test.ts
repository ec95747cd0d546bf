// Two portals as processes that share nothing but Redis and the credential directory: one
// takes over what the other began.
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { visibleText } from '@credmon/test-fixtures/browsers/html-forms';
import { httpBrowser } from '@credmon/test-fixtures/browsers/http-browser';
import { confirmAccount, pressButton } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import { isRedisMissing, startRedis, type RedisServer } from '@credmon/test-fixtures/servers/redis';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { readdirSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { root } from './daemon-runs.ts';

describe.skipIf(isRedisMissing())('portals that share a Redis', () => {
  let issuer: Issuer;
  let workspace: Workspace;
  let service: Service;
  let redis: RedisServer;

  beforeEach(async () => {
    redis = await startRedis(['--requirepass', 'canary-redis-password']);
    issuer = await startIssuer();
    workspace = createWorkspace();
    await choosePrefix(workspace);
    workspace.configure({
      CREDMON_WEB_SESSION_STORE: `unix:${redis.path}`,
      CREDMON_WEB_SESSION_STORE_PASSWORD_FILE: workspace.secretFile(
        'redis',
        'canary-redis-password\n',
      ),
    });
    service = await workspace.addService('mytok', issuer);
  });
  afterEach(async () => {
    workspace.remove();
    await issuer.close();
    await redis.remove();
  });

  const keyLink = (): string =>
    writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
      workspace.keyFileAd(service, 'alice'),
    ]).url;

  it('R36 R43 a login begun at one ends at the other, nothing lies on disk, and no log tells the password', async () => {
    const first = await startPortal(root, workspace);
    const browser = httpBrowser();
    const [form] = (await browser.open(keyLink())).forms;
    if (!form) throw new Error('the list has no form');
    const atIssuer = await browser.submit(form);
    expect(await first.stop()).toEqual({ code: 0, signal: null });
    const second = await startPortal(root, workspace);
    const back = await confirmAccount(browser, await pressButton(browser, atIssuer, 'login'));
    expect(visibleText(back.body)).toContain('All done');
    expect(await second.stop()).toEqual({ code: 0, signal: null });
    expect(readdirSync(workspace.sessionDirectory)).toEqual([]);
    expect(
      findSecrets(
        { password: 'canary-redis-password' },
        { first: first.output, second: second.output },
      ),
    ).toEqual([]);
  });

  it('R41 R44 while Redis is away, pages say so and /readyz too; afterwards all continues', async () => {
    const portal = await startPortal(root, workspace);
    const url = keyLink();
    await redis.process.stop();
    await portal.printed(/lost the connection to the session store/);
    const page = await httpBrowser().open(url);
    expect([page.status, visibleText(page.body)]).toEqual([
      503,
      expect.stringContaining('Sign-ins are not possible at the moment'),
    ]);
    const ready = await httpBrowser().open(`${workspace.webPrefix}/readyz`);
    expect([ready.status, ready.body]).toEqual([
      503,
      expect.stringContaining('sessions cannot be written'),
    ]);
    expect((await httpBrowser().open(`${workspace.webPrefix}/healthz`)).status).toBe(200);
    await redis.restart();
    await portal.printed(/the session store is available again/);
    const pages = await loginThroughPortal(url);
    expect(visibleText(pages.at(-1)?.body ?? '')).toContain('All done');
    await portal.stop();
  });
});
