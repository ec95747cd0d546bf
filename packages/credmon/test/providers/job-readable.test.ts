// R43 for the sources that ask an issuer: a refresh token or an ID token in the answer
// never reaches `.use`, which jobs read.
import {
  startMaliciousIssuer,
  type MaliciousIssuer,
} from '@credmon/test-fixtures/servers/malicious-issuer';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { accessPoint, type AccessPoint } from '../support/access-point.ts';
import { AP, SOURCES, sourceKnobs, type SourceKind } from '../support/sources.ts';

let issuer: MaliciousIssuer;
let on: AccessPoint;
beforeEach(async () => {
  issuer = await startMaliciousIssuer();
  on = accessPoint();
});
afterEach(async () => {
  await on.close();
  await issuer.close();
});

const OLD = 'CANARY-old-refresh';
const TOKEN = {
  access_token: 'AT1',
  refresh_token: 'CANARY-new-refresh',
  id_token: 'CANARY-id',
  other_tokens: [{ access_token: 'AT2', refresh_token: 'CANARY-other', id_token: 'CANARY-id2' }],
  hint: `was ${OLD}`,
};
const CLEAN = {
  access_token: 'AT1',
  token_type: 'bearer',
  other_tokens: [{ access_token: 'AT2' }],
  expires_in: 600,
};
const times = (now: number): object => ({ issued_at: now, expires_at: now + 600 });
const knobsOf = (kind: SourceKind | 'exec'): Record<string, string> =>
  kind === 'exec'
    ? {
        EXEC_CREDMON_PROVIDER_NAMES: 'svc',
        EXEC_CREDMON_svc_COMMAND: on.secret(
          'program',
          `#!/bin/sh\ncat > /dev/null; echo '${JSON.stringify({ token_type: 'bearer', expires_in: 600, ...TOKEN })}'\n`,
          0o755,
        ),
      }
    : sourceKnobs(kind, issuer, on.secret('svc', AP.clientSecret));

/**
 * What the token endpoint is asked with: a client has no refresh token, so nothing in its
 * answer repeats one.
 */
const topOf = (kind: SourceKind | 'exec'): object => {
  if (kind === 'client') return {};
  return {
    refresh_token: OLD,
    ...(kind === 'exchange' || kind === 'pelican' ? { iss: issuer.url } : {}),
  };
};

describe.each([...SOURCES, 'exec'] as const)('R43 %s', (kind) => {
  it.each([undefined, 'false', 'true'])(
    '.use holds no refresh token, and ID tokens only where CREDMON_svc_USE_ID_TOKEN says so: %s',
    async (value) => {
      issuer.become({
        token: { ...TOKEN, ...(kind === 'client' ? { hint: 'x CANARY-new-refresh' } : {}) },
      });
      on.configure({
        ...knobsOf(kind),
        ...(value === undefined ? {} : { CREDMON_SVC_USE_ID_TOKEN: value }),
      });
      on.store('alice/svc.top', JSON.stringify(topOf(kind)));
      // A `.use` of an earlier version is clean after its next renewal.
      on.store('alice/svc.use', JSON.stringify({ ...TOKEN, issued_at: 1, expires_at: 2 }));
      await on.pass();
      const ids =
        value === 'true'
          ? {
              id_token: 'CANARY-id',
              other_tokens: [{ access_token: 'AT2', id_token: 'CANARY-id2' }],
            }
          : {};
      expect(on.read('alice/svc.use')).toEqual({ ...CLEAN, ...ids, ...times(on.clock.now()) });
    },
  );
});

it('R43 a standing token in JSON contains no refresh token and no ID token', async () => {
  issuer.become({ token: { ...TOKEN, access_token: issuer.sign() } });
  const file = on.secret('standing.token', '');
  on.configure({
    CLIENT_CREDMON_svc_CLIENT_ID: 'ap',
    CLIENT_CREDMON_svc_CLIENT_SECRET_FILE: on.secret('svc', AP.clientSecret),
    CLIENT_CREDMON_svc_TOKEN_URL: issuer.tokenUrl,
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_ce1_PROVIDER: 'svc',
    CREDMON_STANDING_ce1_PATH: file,
    CREDMON_STANDING_ce1_FORMAT: 'json',
  });
  await on.pass();
  const text = on.text('../standing.token');
  expect([
    text.includes('access_token'),
    text.includes('AT2'),
    text.match(/CANARY-(new|other|id2?)/g),
  ]).toEqual([true, true, null]);
});
