// Network errors in words, from real servers: each names what the administrator must know.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  makeCertificates,
  type CertificateOptions,
} from '@credmon/test-fixtures/servers/certificates';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  messageWithFix,
  networkErrorText,
  serverOf,
} from '../../../src/base/http/network-errors.ts';
import { createSend, type SendLimits } from '../../../src/base/http/send.ts';

let root: string;
const endings: (() => Promise<unknown>)[] = [];
/** Connections that a server keeps open without an answer. */
const sockets: { destroy: () => void }[] = [];
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'credmon-network-'));
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.destroy();
  for (const end of endings.splice(0)) await end();
  rmSync(root, { recursive: true, force: true });
});

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  endings.push(() => new Promise((resolve) => server.close(resolve)));
  return (server.address() as AddressInfo).port;
}

/** Asks a URL, and returns the message of the error with its fix. */
async function failure(url: string, limits: Partial<SendLimits> = {}): Promise<string> {
  const { send, close } = createSend({
    connectSeconds: 5,
    totalSeconds: 10,
    maxBodyBytes: 1000,
    ...limits,
  });
  endings.push(close);
  return send({ method: 'GET', url }).then(
    ({ status }) => `status ${status}`,
    (error: unknown) => messageWithFix(error),
  );
}

/** Starts an https server with such a certificate, and asks it for `host`. */
async function tlsFailure(host: string, options: CertificateOptions): Promise<string> {
  const { keyFile, certificateFile, ca } = makeCertificates(root, options);
  const tls = { key: readFileSync(keyFile), cert: readFileSync(certificateFile) };
  const port = await listen(createHttpsServer(tls, (_, response) => void response.end()));
  const message = await failure(`https://${host}:${port}/`, { ca });
  return message.replaceAll(`:${port}`, ':PORT');
}

describe('R45 a rejected certificate', () => {
  it.each<[string, string, CertificateOptions, string]>([
    [
      'that has expired, with its date',
      'localhost',
      { from: '20240101000000Z', until: '20240201030405Z' },
      'cannot reach https://localhost:PORT: certificate expired on 2024-02-01 03:04:05 UTC ' +
        '(CERT_HAS_EXPIRED); fix: renew it at localhost, or correct the clock of this host',
    ],
    [
      'that is not valid yet, with its date',
      'localhost',
      { from: '20990101000000Z' },
      'cannot reach https://localhost:PORT: certificate not valid before 2099-01-01 00:00:00 UTC ' +
        '(CERT_NOT_YET_VALID); fix: correct the clock of this host',
    ],
    [
      'for other names, with these names',
      'localhost',
      { names: 'DNS:issuer.example,DNS:*.login.example,IP:192.0.2.1' },
      'cannot reach https://localhost:PORT: certificate is for issuer.example, *.login.example, ' +
        '192.0.2.1, not for localhost (ERR_TLS_CERT_ALTNAME_INVALID); fix: use one of its names ' +
        'in the URL, or install a certificate for localhost',
    ],
    [
      'with many names, with the first ones',
      '127.0.0.1',
      { names: Array.from({ length: 10 }, (_, index) => `DNS:h${index}.example`).join(',') },
      'cannot reach https://127.0.0.1:PORT: certificate is for h0.example, h1.example, h2.example, ' +
        'h3.example, h4.example, h5.example, h6.example, h7.example and 2 more, not for 127.0.0.1 ' +
        '(ERR_TLS_CERT_ALTNAME_INVALID); fix: use one of its names in the URL, or install a ' +
        'certificate for 127.0.0.1',
    ],
  ])('%s', async (_, host, options, expected) => {
    expect(await tlsFailure(host, options)).toBe(expected);
  });
});

describe('R45 a server that is not reached', () => {
  it('a refused connection names host and port', async () => {
    expect(await failure('https://127.0.0.1:1/path')).toBe(
      'cannot reach https://127.0.0.1:1: connection refused by 127.0.0.1, port 1 (ECONNREFUSED); ' +
        'fix: correct host and port, or start the server there',
    );
  });

  it('an unknown host is named', async () => {
    expect(await failure('https://no-such.invalid/')).toMatch(
      /^cannot reach https:\/\/no-such\.invalid: (no such host: no-such\.invalid \(ENOTFOUND\)|the name service did not answer for no-such\.invalid \(EAI_AGAIN\)); fix: /,
    );
  });

  it('a server without TLS is named with its port', async () => {
    const port = await listen(createHttpServer((_, response) => void response.end()));
    expect(await failure(`https://127.0.0.1:${port}/`)).toBe(
      `cannot reach https://127.0.0.1:${port}: 127.0.0.1, port ${port} does not answer with TLS ` +
        '(ERR_SSL_WRONG_VERSION_NUMBER); fix: correct the port: it must serve https',
    );
  });

  it('a server that does not answer the connection is named, with the knob', async () => {
    const port = await listen(createServer((socket) => void sockets.push(socket)));
    expect(await failure(`https://127.0.0.1:${port}/`, { connectSeconds: 1 })).toBe(
      `cannot reach https://127.0.0.1:${port}: connecting to 127.0.0.1, port ${port} timed out ` +
        '(UND_ERR_CONNECT_TIMEOUT); fix: check the routes and firewalls between this host and ' +
        'the server, or raise CREDMON_CONNECT_TIMEOUT',
    );
  });

  it('a closed connection is named', async () => {
    const port = await listen(createServer((socket) => socket.destroy()));
    expect(await failure(`https://127.0.0.1:${port}/`)).toMatch(
      /: connection closed by 127\.0\.0\.1, port \d+ \(ECONNRESET\); fix: /,
    );
  });

  it('a silent server: the limit in seconds, and its knob', async () => {
    const port = await listen(createServer((socket) => void sockets.push(socket)));
    expect(await failure(`http://127.0.0.1:${port}/`, { totalSeconds: 0.2 })).toMatch(
      /: no answer within 0\.2 s; fix: .*CREDMON_REQUEST_TIMEOUT$/,
    );
  });
});

it.each([
  ['UND_ERR_CONNECT_TIMEOUT', 'connecting to h, port 443 timed out (UND_ERR_CONNECT_TIMEOUT)'],
  ['EHOSTUNREACH', 'no route to h, port 443 (EHOSTUNREACH)'],
  ['EACCES', 'this host does not permit connections to h, port 443 (EACCES)'],
  [
    'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    'no TLS version or cipher in common with h, port 443 (ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION)',
  ],
  ['constructor', 'constructor'],
  ['something else', 'something else'],
])('%s in words', (reason, expected) => {
  expect(networkErrorText(reason, { hostname: 'h', port: 443 })).toBe(expected);
});

it.each([
  ['https://h.example/x', 'h.example', 443],
  ['http://h.example/x', 'h.example', 80],
  ['https://[::1]:8443/', '[::1]', 8443],
])('the server of %s', (url, hostname, port) => {
  expect(serverOf(url)).toEqual({ hostname, port });
});

it('an address in brackets is shown without them', () => {
  expect(networkErrorText('ECONNREFUSED', { hostname: '[::1]', port: 1 })).toBe(
    'connection refused by ::1, port 1 (ECONNREFUSED)',
  );
});
