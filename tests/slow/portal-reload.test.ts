// SIGHUP at the portal as a process: a new configuration is taken, a broken one refused,
// and sessions go on.
import { writeKeyFile } from '@credmon/test-fixtures/files/credd';
import { visibleText } from '@credmon/test-fixtures/browsers/html-forms';
import { httpBrowser } from '@credmon/test-fixtures/browsers/http-browser';
import { confirmAccount, pressButton } from '@credmon/test-fixtures/browsers/http-login';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { choosePrefix, startPortal } from '@credmon/test-fixtures/servers/portal';
import type { Child } from '@credmon/test-fixtures/processes/processes';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import {
  createWorkspace,
  type Service,
  type Workspace,
} from '@credmon/test-fixtures/files/workspace';
import { existsSync, readFileSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { root } from './daemon-runs.ts';

let issuer: Issuer;
let workspace: Workspace;
let service: Service;
let portal: Child;

beforeEach(async () => {
  issuer = await startIssuer();
  workspace = createWorkspace();
  await choosePrefix(workspace);
  service = await workspace.addService('mytok', issuer);
  portal = await startPortal(root, workspace);
});
afterEach(async () => {
  await portal.stop();
  workspace.remove();
  await issuer.close();
});

it('R45 takes what is new, refuses what is broken, and lets a login that was begun before end', async () => {
  const browser = httpBrowser();
  const key = writeKeyFile(workspace.credentialDirectory, workspace.webPrefix, [
    workspace.keyFileAd(service, 'alice'),
  ]);
  const [form] = (await browser.open(key.url)).forms;
  if (!form) throw new Error('the list has no form');
  const atIssuer = await browser.submit(form);

  workspace.configure({ CREDMON_WEB_CONTACT: 'the new desk' });
  portal.signal('SIGHUP');
  await portal.printed(/Configuration read again/);
  workspace.configure({ CREDMON_WEB_CONTACT: 'never seen', CREDMON_WEB_RATE_LIMIT: 0 });
  portal.signal('SIGHUP');
  await portal.printed(
    /rejected, the old one is still used.*condor_config, line \d+: CREDMON_WEB_RATE_LIMIT = 0/,
  );

  const back = await confirmAccount(browser, await pressButton(browser, atIssuer, 'login'));
  expect(visibleText(back.body)).toMatch(/All done.*the new desk/s);
});

it('R45 opens its log again, under a new name as well', async () => {
  const log = (name: string): string => join(workspace.logDirectory, name);
  workspace.configure({ CREDMON_WEB_LOG: log('first') });
  portal.signal('SIGHUP');
  const saysSo = (name: string) => (): boolean =>
    existsSync(log(name)) && readFileSync(log(name), 'utf8').includes('Configuration read again');
  await waitUntil(saysSo('first'), { what: 'the log in its file' });
  renameSync(log('first'), log('moved'));
  workspace.configure({ CREDMON_WEB_LOG: log('second') });
  portal.signal('SIGHUP');
  await waitUntil(saysSo('second'), { what: 'the log in its other file' });
  expect(readFileSync(log('moved'), 'utf8').match(/read again/g)).toHaveLength(1);
});
