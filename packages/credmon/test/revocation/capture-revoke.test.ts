// R26 for revocation: what is to be revoked goes to the issuer that the administrator
// configured, whoever tampers with it or with `.top`.
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import { createSend } from '@credmon/core/base';
import { openCredentialDirectory } from '@credmon/core/store';
import {
  startMaliciousIssuer,
  type MaliciousIssuer,
} from '@credmon/test-fixtures/servers/malicious-issuer';
import { manualClock } from '@credmon/test-fixtures/clocks/manual-clock';
import {
  startCaptureServer,
  type CaptureServer,
} from '@credmon/test-fixtures/servers/capture-server';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import { revocationFiles } from '../../src/commands/revoke.ts';
import { readSecretFile } from '../../src/host/secret-file.ts';
import { createRevoker } from '../../src/revocation/revoker.ts';
import { revokeOne } from '../../src/revocation/revoke-token.ts';
import { accessPoint, settingsWith, type AccessPoint } from '../support/access-point.ts';
import { AP, SOURCES, sourceKnobs, type SourceKind } from '../support/sources.ts';

const REFRESH = 'CANARY-refresh-token';
const secrets = { 'client secret': AP.clientSecret, 'refresh token': REFRESH };
const { send, close } = createSend({ ...PATIENT_LIMITS, maxBodyBytes: 100_000 });
let thief: CaptureServer;
let issuer: MaliciousIssuer;
let on: AccessPoint;
beforeEach(async () => {
  [thief, issuer] = await Promise.all([startCaptureServer(), startMaliciousIssuer()]);
  on = accessPoint();
});
afterEach(() => Promise.all([thief.close(), issuer.close(), on.close()]));
afterAll(close);

/** Revokes alice's token; answers with what became of it, as one text. */
async function revoke(
  kind: SourceKind,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const url = `${thief.url}/revoke`;
  const steering = {
    iss: issuer.url,
    token_url: url,
    revocation_url: url,
    revocation_endpoint: url,
  };
  on.store('alice/svc.top', JSON.stringify({ ...steering, refresh_token: REFRESH }));
  const knobs = sourceKnobs(kind, issuer, on.secret('svc', AP.clientSecret));
  const settings = settingsWith({ ...knobs, ...more }, on.directory);
  const store = openCredentialDirectory(on.directory, { defaultLifetime: 1200 });
  const clock = { ...manualClock(on.clock.now()), wait: async () => undefined };
  const { tokens } = await store.scan({ wall: clock.now(), steady: 0 });
  const prepare = createRevoker(settings, {
    clock,
    send,
    vaultSend: send,
    pelicanSend: send,
    secretVersion: () => '',
    random: (bytes) => new Uint8Array(bytes),
    readSecret: readSecretFile,
  });
  const owner = kind === 'oauth' ? 'oauth2' : kind;
  const files = revocationFiles(on.directory, store);
  const [token] = tokens;
  if (!token) throw new Error('nothing is stored');
  return JSON.stringify(await revokeOne(owner, token, { prepare, clock, files }));
}

describe.each(SOURCES.filter((kind) => kind !== 'client'))(
  'R26 R31 revoking a token (%s)',
  (kind) => {
    it('metadata with a revocation endpoint on another server: rejected, unless that server is configured', async () => {
      issuer.become({ metadata: { revocation_endpoint: `${thief.url}/revoke` } });
      expect(await revoke(kind)).toContain('is on another server');
      expect(thief.requests).toEqual([]);
      await revoke(kind, { CREDMON_ENDPOINT_ORIGINS: thief.url });
      expect(thief.carried(secrets)).toEqual(['client secret', 'refresh token']);
    });

    it.each([301, 302, 303, 307, 308])(
      'a redirect (%d) of the revocation endpoint: not followed',
      async (status) => {
        issuer.become({
          metadata: { revocation_endpoint: `${issuer.url}/revoke` },
          redirect: { path: '/revoke', status, to: `${thief.url}/revoke` },
        });
        await revoke(kind);
        expect([thief.requests, issuer.paths.includes('POST /revoke')]).toEqual([[], true]);
      },
    );
  },
);
