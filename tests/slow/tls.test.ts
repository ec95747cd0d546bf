// Issuers over https as in production, without the loopback exception; and what happens
// to http issuers then.
import { makeCertificates, type Certificates } from '@credmon/test-fixtures/servers/certificates';
import { startIssuer, type Issuer } from '@credmon/test-fixtures/servers/issuer';
import { seedToken } from '@credmon/test-fixtures/files/seed-token';
import { readJson } from '@credmon/test-fixtures/files/token-files';
import { createWorkspace, type Workspace } from '@credmon/test-fixtures/files/workspace';
import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daemonLog, runOnce } from './daemon-runs.ts';
import { isMissing } from '../support/needs.ts';

describe.skipIf(isMissing('openssl'))('R26 an issuer over https', () => {
  let workspace: Workspace;
  let certificates: Certificates;
  let issuer: Issuer;
  beforeEach(async () => {
    workspace = createWorkspace({ knobs: { CREDMON_ALLOW_LOOPBACK_HTTP: false } });
    certificates = makeCertificates(workspace.root);
    const tls = {
      key: readFileSync(certificates.keyFile, 'utf8'),
      cert: readFileSync(certificates.certificateFile, 'utf8'),
    };
    issuer = await startIssuer({ tls });
  });
  afterEach(async () => {
    await issuer.close();
    workspace.remove();
  });

  it('renews when its authority is trusted, and is not believed otherwise', async () => {
    const service = await workspace.addService('mytok', issuer);
    const token = await seedToken(workspace, service, 'alice', 'mytok', {
      age: 3000,
      ca: certificates.ca,
    });
    const distrusting = await runOnce(workspace);
    expect([distrusting.exit?.code, readJson(token.path('use'))['access_token']]).toEqual([
      0,
      token.accessToken,
    ]);
    expect(daemonLog(workspace)).toMatch(/alice\/mytok: .*(CERT|certificate|ISSUER)/i);
    // A new login forgets the failure; a minute of back-off would pass otherwise.
    const again = await seedToken(workspace, service, 'alice', 'mytok', {
      age: 2900,
      ca: certificates.ca,
    });
    await runOnce(workspace, { NODE_EXTRA_CA_CERTS: certificates.caFile });
    expect(readJson(again.path('use'))['access_token']).not.toBe(again.accessToken);
    expect(issuer.log.presentedTwice()).toEqual([]);
  });

  it('is the only kind that the configuration may name without the loopback exception', async () => {
    const plain = await startIssuer({ name: 'plain' });
    await workspace.addService('plain', plain);
    const { exit, output } = await runOnce(workspace);
    await plain.close();
    expect(exit?.code).toBe(1);
    expect(output).toMatch(
      /condor_config, line \d+: plain_TOKEN_URL .*CREDMON_ALLOW_LOOPBACK_HTTP/,
    );
  });
});
