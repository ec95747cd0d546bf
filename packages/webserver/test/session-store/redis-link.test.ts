// Why Redis is not reached: in the same words as for issuers.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer } from 'node:tls';
import { createTrust } from '@credmon/core/base';
import { makeCertificates } from '@credmon/test-fixtures/servers/certificates';
import { expect, it } from 'vitest';
import { openRedis } from '../../src/session-store/redis-link.ts';

const reason = (port: number, tls: boolean, caFile?: string): Promise<string> => {
  const named = { caFile, caDirectory: undefined, knobs: '' };
  const trust = createTrust({
    named: () => named,
    environment: {},
    usual: { files: [], directories: [] },
  });
  return openRedis(
    { kind: 'tcp', host: 'localhost', port, tls, database: 0 },
    () => undefined,
    trust,
  )
    .then(() => 'connected')
    .catch((error: unknown) => (error as Error).message);
};

it('R45 a refused connection names host and port', async () => {
  expect(await reason(1, false)).toBe(
    'the session store is not available: connection refused by localhost, port 1 (ECONNREFUSED)',
  );
});

it('R45 a rejected certificate is explained', async () => {
  const root = mkdtempSync(join(tmpdir(), 'credmon-redis-tls-'));
  const { keyFile, certificateFile, caFile } = makeCertificates(root, {
    names: 'DNS:redis.example',
  });
  const server = createServer({ key: readFileSync(keyFile), cert: readFileSync(certificateFile) });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  const { port } = server.address() as AddressInfo;
  expect(await reason(port, true, caFile)).toMatch(
    /not available: certificate is for redis\.example, not for localhost \(ERR_TLS_CERT_ALTNAME_INVALID\); fix: /,
  );
  expect(await reason(port, true)).toMatch(
    /not available: certificate authority "CN=credmon test authority" not trusted \(\w+\); fix: /,
  );
  server.close();
  rmSync(root, { recursive: true });
});
