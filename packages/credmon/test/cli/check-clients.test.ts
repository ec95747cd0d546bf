// What `check` says of sources without a browser, before a job fails.
import { createSend } from '@credmon/core';
import { startIssuer } from '@credmon/test-fixtures/issuer';
import { expect, it } from 'vitest';
import { lookAtSources } from '../../src/cli/check-clients.ts';
import { accessPoint, settingsWith } from '../support/access-point.ts';

it('R45 tells for each provider what it would do, and what is wrong with secret, issuer and program', async () => {
  const issuer = await startIssuer();
  const on = accessPoint();
  const program = on.secret('program', '#!/bin/sh\n', 0o755);
  const settings = settingsWith({
    CLIENT_CREDMON_PROVIDER_NAMES: 'svc',
    CLIENT_CREDMON_CLIENT_ID: 'ap',
    CLIENT_CREDMON_CLIENT_SECRET_FILE: on.secret('svc', 'CANARY', 0o644),
    CLIENT_CREDMON_ISSUER: issuer.url,
    CLIENT_CREDMON_AUTHZ_TEMPLATE: 'read:/{username}',
    EXCHANGE_CREDMON_PROVIDER_NAMES: 'swap',
    EXCHANGE_CREDMON_CLIENT_ID: 'public',
    EXCHANGE_CREDMON_ISSUER: `${issuer.url}/`,
    EXEC_CREDMON_PROVIDER_NAMES: 'own, bad',
    EXEC_CREDMON_own_COMMAND: program,
    EXEC_CREDMON_bad_COMMAND: '/no/such/program',
  });
  const { send, close } = createSend();
  const findings = await lookAtSources(settings, send);
  expect(findings.map(({ what, state, text }) => `${state} ${what}: ${text}`)).toEqual([
    'ok svc: fetches tokens as ap (post), "read:/{username}"',
    expect.stringMatching(/^error secret of svc: .* can be read by others/),
    `ok issuer of svc: ${issuer.url} is what it calls itself`,
    'ok swap: exchanges stored tokens as public (post), the scopes that were asked for',
    'ok secret of swap: none: a public client',
    expect.stringMatching(/^error issuer of swap: .* names another issuer/),
    `ok program of own: runs ${program}, for at most 30 s`,
    expect.stringMatching(/^error program of bad: .* cannot be found/),
  ]);
  await Promise.all([close(), on.close(), issuer.close()]);
});
