// The HTTP client against a real server: limits on time and size, redirects, kept-alive
// connections, and the texts of errors.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { getEventListeners } from 'node:events';
import { createServer as createTlsServer } from 'node:https';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { Worker } from 'node:worker_threads';
import { buildSync } from 'esbuild';
import { PATIENT_LIMITS } from '@credmon/test-fixtures/clocks/patience';
import { misleadNames } from '@credmon/test-fixtures/servers/misled-names';
import { listenSilently } from '@credmon/test-fixtures/servers/silent-server';
import { afterEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/base/errors/errors.ts';
import {
  createSend,
  DEFAULT_SEND_LIMITS,
  originOf,
  trustedRoots,
  type Send,
  type SendLimits,
} from '../../../src/base/http/send.ts';
import { everythingIn, startServer, type LocalServer } from '../local-server.ts';

const limits: SendLimits = { ...PATIENT_LIMITS, maxBodyBytes: 1000 };
const endings: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const end of endings.splice(0).toReversed()) await end();
});

async function serve(answer: Parameters<typeof startServer>[0]): Promise<LocalServer> {
  const server = await startServer(answer);
  endings.push(() => server.close());
  return server;
}

function sender(changes: Partial<SendLimits> = {}): Send {
  const { send, close } = createSend({ ...limits, ...changes });
  endings.push(close);
  return send;
}

async function refusal(attempt: Promise<unknown>): Promise<CodedError> {
  const error: unknown = await attempt.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof CodedError)) throw new Error('no CodedError was thrown', { cause: error });
  return error;
}

describe('sending a request', () => {
  it('R2 limits connect, exchange and body by default to 5 s, 15 s and 1 MiB', () => {
    expect(DEFAULT_SEND_LIMITS).toEqual({
      connectSeconds: 5,
      totalSeconds: 15,
      maxBodyBytes: 1_048_576,
    });
  });

  it('R26 returns status, headers and body of any response, redirects included, and follows none', async () => {
    const server = await serve((_, response) => {
      response
        .writeHead(307, { Location: '/elsewhere', 'Set-Cookie': ['a=1', 'b=2'] })
        .end('moved');
    });
    const answer = await sender()({
      method: 'POST',
      url: `${server.origin}/token?x=1`,
      body: 'secret',
    });
    expect([answer.status, Buffer.from(answer.body).toString()]).toEqual([307, 'moved']);
    expect([answer.headers['location'], answer.headers['set-cookie']]).toEqual([
      '/elsewhere',
      'a=1, b=2',
    ]);
    expect(server.asked.map(({ method, path, body }) => [method, path, body])).toEqual([
      ['POST', '/token?x=1', 'secret'],
    ]);
  });

  it('R2 ends an exchange whose response never begins', async () => {
    const server = await serve(() => undefined);
    const error = await refusal(
      sender({ totalSeconds: 0.2 })({ method: 'GET', url: server.origin }),
    );
    expect([error.code, error.message]).toEqual([
      'ISSUER_UNREACHABLE',
      `cannot reach ${server.origin}: no answer within 0.2 s`,
    ]);
  });

  it('R2 ends an exchange whose response never ends, although bytes keep coming', async () => {
    const timers: NodeJS.Timeout[] = [];
    endings.push(async () => timers.forEach(clearInterval));
    const server = await serve((_, response) => {
      response.writeHead(200);
      timers.push(setInterval(() => response.write('x'), 20));
    });
    const error = await refusal(
      sender({ totalSeconds: 0.3 })({ method: 'GET', url: server.origin }),
    );
    expect(error.message).toBe(`cannot reach ${server.origin}: no answer within 0.3 s`);
  });

  it('R2 does not count the wait for a connection slot as time of the server', async () => {
    const answers: (() => void)[] = [];
    const server = await serve((_, response) => void answers.push(() => response.end('ok')));
    const send = sender({ totalSeconds: 3 });
    const first = Array.from({ length: 64 }, () =>
      refusal(send({ method: 'GET', url: server.origin })),
    );
    await expect.poll(() => answers.length).toBe(64);
    const abort = new AbortController();
    const given = refusal(send({ method: 'GET', url: server.origin, signal: abort.signal }));
    const last = send({ method: 'GET', url: `${server.origin}/last` });
    abort.abort();
    expect((await given).code).toBe('ISSUER_UNREACHABLE');
    expect(new Set((await Promise.all(first)).map(({ code }) => code))).toEqual(
      new Set(['ISSUER_UNREACHABLE']),
    );
    await expect.poll(() => server.asked.at(-1)?.path).toBe('/last');
    answers.at(-1)?.();
    expect((await last).status).toBe(200);
  });

  it('opens more than 64 connections to one server only for a caller that needs more', async () => {
    const answers: (() => void)[] = [];
    const server = await serve((_, response) => void answers.push(() => response.end('ok')));
    const send = sender({ totalSeconds: 60, connections: 100 });
    const all = Array.from({ length: 101 }, () => send({ method: 'GET', url: server.origin }));
    await expect.poll(() => answers.length).toBe(100);
    for (const answer of answers.splice(0)) answer();
    await expect.poll(() => answers.length).toBe(1);
    answers[0]?.();
    expect((await Promise.all(all)).every(({ status }) => status === 200)).toBe(true);
  });

  it('ends when the caller aborts, and does not report a time-out', async () => {
    const abort = new AbortController();
    const server = await serve(() => abort.abort());
    const error = await refusal(
      sender({ totalSeconds: 60 })({ method: 'GET', url: server.origin, signal: abort.signal }),
    );
    expect(error.code).toBe('ISSUER_UNREACHABLE');
    expect(error.message).not.toContain('within');
  });

  it('leaves no listener on a long-lived signal', async () => {
    const { signal } = new AbortController();
    const server = await serve((_, response) => response.end('ok'));
    await sender()({ method: 'GET', url: server.origin, signal });
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('sends nothing when the signal is already aborted', async () => {
    const server = await serve((_, response) => response.end('ok'));
    const error = await refusal(
      sender()({ method: 'GET', url: server.origin, signal: AbortSignal.abort() }),
    );
    expect([error.code, server.asked]).toEqual(['ISSUER_UNREACHABLE', []]);
  });

  it.each([
    ['of exactly the limit', 1000, 1000],
    ['of one byte more', 1001, 'ISSUER_ANSWER_INVALID'],
    ['of 100 MB', 100_000_000, 'ISSUER_ANSWER_INVALID'],
  ])('R2 reads a body %s without holding more than the limit', async (_, size, expected) => {
    let sent = 0;
    const server = await serve((_request, response) => {
      const piece = Buffer.alloc(Math.min(size, 65_536), 'x');
      const pour = (): void => {
        while (sent < size) {
          const part = piece.subarray(0, Math.min(piece.length, size - sent));
          sent += part.length;
          if (!response.write(part)) return void response.once('drain', pour);
        }
        response.end();
      };
      pour();
    });
    const outcome = await sender()({ method: 'GET', url: server.origin }).then(
      ({ body }) => body.length,
      (error: unknown) => (error as CodedError).code,
    );
    expect(outcome).toBe(expected);
    expect(sent).toBeLessThanOrEqual(Math.max(size / 4, 1001));
  });

  it('names the origin and the reason when no process listens', async () => {
    const server = await startServer(() => undefined);
    await server.close();
    const error = await refusal(
      sender()({ method: 'GET', url: `${server.origin}/path?code=secret` }),
    );
    const { hostname, port } = new URL(server.origin);
    expect(error.message).toBe(
      `cannot reach ${server.origin}: connection refused by ${hostname}, port ${port} (ECONNREFUSED)`,
    );
    expect(error.fields).toEqual({ where: server.origin, reason: 'ECONNREFUSED' });
    expect(everythingIn(error)).not.toContain('code=secret');
  });

  it('R43 a response that breaks off does not put its bytes into the error', async () => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => undefined);
      socket.once('data', () =>
        socket.write(
          'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz{"refresh_token":"CANARY-in-answer"}\r\n',
        ),
      );
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    endings.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const error = await refusal(
      sender()({
        method: 'POST',
        url,
        body: 'CANARY-in-body',
        headers: { authorization: 'CANARY-header' },
      }),
    );
    expect(error.code).toBe('ISSUER_UNREACHABLE');
    expect(error.message).toContain('Invalid character in chunk size');
    expect(everythingIn(error)).not.toContain('CANARY');
  });

  it('R43 a header that HTTP cannot carry is rejected without being quoted', async () => {
    const error = await refusal(
      sender()({
        method: 'POST',
        url: 'http://127.0.0.1:1/',
        headers: { authorization: 'CANARY\nsecret' },
        body: 'CANARY',
      }),
    );
    expect(error.code).toBe('ISSUER_UNREACHABLE');
    expect(everythingIn(error)).not.toContain('CANARY');
  });

  it('keeps connections for the next requests; close ends them', async () => {
    const server = await serve((_, response) => response.end('ok'));
    const { send, close } = createSend(limits);
    for (let round = 0; round < 20; round += 1) await send({ method: 'GET', url: server.origin });
    expect(server.sockets.size).toBeLessThanOrEqual(2);
    const ended = [...server.sockets].map(
      (socket) => new Promise((resolve) => socket.once('close', resolve)),
    );
    expect(ended).not.toEqual([]);
    await close();
    await Promise.all(ended);
    expect(server.sockets.size).toBe(0);
  });

  it('R22 close waits for a pending response', async () => {
    let answerNow: (() => void) | undefined;
    let arrive: () => void = () => undefined;
    const arrived = new Promise<void>((resolve) => {
      arrive = resolve;
    });
    const server = await serve((_, response) => {
      answerNow = () => void response.end('late');
      arrive();
    });
    const { send, close } = createSend(limits);
    const answer = send({ method: 'GET', url: server.origin });
    await arrived;
    const closed = close();
    answerNow?.();
    expect(Buffer.from((await answer).body).toString()).toBe('late');
    await closed;
  });
});

describe('a host with a shortage', () => {
  it('R1 reports that it has no file descriptor left, and that the server is not at fault', () => {
    const directory = mkdtempSync(join(tmpdir(), 'credmon-send-'));
    endings.push(async () => rmSync(directory, { recursive: true }));
    const script = join(directory, 'run.cjs');
    const contents = `import { openSync } from 'node:fs';
      import { createSend } from '../../../src/base/http/send.ts';
      const { send } = createSend();
      try { for (;;) openSync('/dev/null'); } catch { /* None is left. */ }
      send({ method: 'GET', url: 'http://127.0.0.1:9/' }).catch((error) => {
        process.stdout.write(JSON.stringify([error.code, error.message, error.fields]));
      });`;
    const stdin = { contents, resolveDir: import.meta.dirname, loader: 'ts' } as const;
    buildSync({
      stdin,
      bundle: true,
      platform: 'node',
      format: 'cjs',
      outfile: script,
      logLevel: 'error',
    });
    const said = execFileSync('sh', [
      '-c',
      'ulimit -n 64; exec "$0" "$1"',
      process.execPath,
      script,
    ]);
    expect(JSON.parse(said.toString())).toEqual([
      'ISSUER_UNREACHABLE',
      expect.stringContaining(
        'EMFILE (too many open files in this process; fix: raise its limit',
      ) as string,
      { where: 'http://127.0.0.1:9', reason: 'EMFILE', local: true },
    ]);
  });
});

/**
 * A server in its own thread, which responds while this thread is blocked: `delay`
 * milliseconds after the request.
 */
async function serveInThread(
  delay: number,
  size: number,
): Promise<{ url: string; asked: Promise<unknown> }> {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    const server = require('node:http').createServer((request, response) => {
      request.resume();
      parentPort.postMessage('asked');
      setTimeout(() => response.end('x'.repeat(workerData.size)), workerData.delay);
    });
    server.listen(0, '127.0.0.1', () => parentPort.postMessage(server.address().port));`;
  const worker = new Worker(code, { eval: true, workerData: { delay, size } });
  endings.push(() => worker.terminate());
  const port = await new Promise((resolve) => worker.once('message', resolve));
  const asked = new Promise((resolve) => worker.once('message', resolve));
  return { url: `http://127.0.0.1:${String(port)}/`, asked };
}

describe('a response that arrives while the process is stopped', () => {
  it.each([
    ['small', 10],
    ['larger than one read', 900_000],
  ])('R13 R22 is read before its time-out fires: %s', async (_, size) => {
    const { url, asked } = await serveInThread(100, size);
    const answer = sender({ totalSeconds: 0.4, maxBodyBytes: 1_000_000 })({
      method: 'POST',
      url,
      body: 'x',
    });
    await asked;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1500);
    expect((await answer).body).toHaveLength(size);
  });
});

describe('a response after the time-out', () => {
  const late = { seconds: 5, began: (): void => undefined };

  it('R2 R13 is given to the caller, which was notified of the time-out before', async () => {
    const answers: (() => void)[] = [];
    const server = await serve((_, response) => void answers.push(() => response.end('late')));
    let told: (error: CodedError) => void = () => undefined;
    const began = new Promise<CodedError>((resolve) => {
      told = resolve;
    });
    const answer = sender({ totalSeconds: 0.2 })({
      method: 'POST',
      url: server.origin,
      late: { seconds: 5, began: told },
    });
    const error = await began;
    expect([error.code, error.message]).toEqual([
      'ISSUER_UNREACHABLE',
      `cannot reach ${server.origin}: no answer within 0.2 s`,
    ]);
    answers[0]?.();
    expect(Buffer.from((await answer).body).toString()).toBe('late');
  });

  it('R2 is awaited no longer than configured, counted from the time-out', async () => {
    const server = await serve(() => undefined);
    const error = await refusal(
      sender({ totalSeconds: 0.2 })({
        method: 'GET',
        url: server.origin,
        late: { ...late, seconds: 0.3 },
      }),
    );
    expect(error.message).toBe(`cannot reach ${server.origin}: no answer within 0.5 s`);
  });

  it('R2 is not awaited with 0 seconds', async () => {
    const server = await serve(() => undefined);
    const error = await refusal(
      sender({ totalSeconds: 0.2 })({
        method: 'GET',
        url: server.origin,
        late: { ...late, seconds: 0 },
      }),
    );
    expect(error.message).toBe(`cannot reach ${server.origin}: no answer within 0.2 s`);
  });

  it('R1 takes no connection slot from another request', async () => {
    const answers: (() => void)[] = [];
    const server = await serve(({ path }, response) => {
      if (path === '/hang') answers.push(() => response.end('late'));
      else response.end('at once');
    });
    const send = sender({ totalSeconds: 0.2 });
    const hanging = Array.from({ length: 64 }, () => {
      let began: () => void = () => undefined;
      const timedOut = new Promise<void>((resolve) => {
        began = resolve;
      });
      return {
        timedOut,
        answer: send({
          method: 'POST',
          url: `${server.origin}/hang`,
          late: { seconds: 20, began },
        }),
      };
    });
    await Promise.all(hanging.map(({ timedOut }) => timedOut));
    const { body } = await send({ method: 'GET', url: `${server.origin}/` });
    expect(Buffer.from(body).toString()).toBe('at once');
    for (const end of answers) end();
    expect(
      new Set((await Promise.all(hanging.map(({ answer }) => answer))).map(({ status }) => status)),
    ).toEqual(new Set([200]));
  });
});

describe('a response over the limit that may hold a token', () => {
  it.each([
    [200, 'read'],
    [500, 'read'],
    [503, 'read'],
    [302, 'ISSUER_ANSWER_INVALID'],
    [400, 'ISSUER_ANSWER_INVALID'],
    [401, 'ISSUER_ANSWER_INVALID'],
  ])('R2 R14 of status %i is %s, and always rejected', async (status, expected) => {
    const server = await serve((_, response) => {
      response.writeHead(status).end('x'.repeat(1500));
    });
    const outcome = await sender()({ method: 'POST', url: server.origin, readRefused: 2000 }).then(
      ({ body, refused }) =>
        body.length === 1500 && refused?.code === 'ISSUER_ANSWER_INVALID' ? 'read' : '',
      (error: unknown) => (error as CodedError).code,
    );
    expect(outcome).toBe(expected);
  });

  it('R2 is truncated at the second limit', async () => {
    const server = await serve((_, response) => response.end('x'.repeat(2001)));
    const error = await refusal(
      sender()({ method: 'POST', url: server.origin, readRefused: 2000 }),
    );
    expect(error.message).toBe(`${server.origin}: response larger than 1000 bytes`);
  });
});

describe('closing', () => {
  it('R45 sends requests that wait for a connection, and ends after their responses', async () => {
    const answers: (() => void)[] = [];
    const server = await serve((_, response) => void answers.push(() => response.end('ok')));
    const { send, close } = createSend({ ...limits, totalSeconds: 20 });
    const sent = Array.from({ length: 65 }, () => send({ method: 'GET', url: server.origin }));
    await expect.poll(() => answers.length).toBe(64);
    const closed = close();
    for (const end of answers.splice(0)) end();
    await expect.poll(() => answers.length).toBe(1);
    answers[0]?.();
    expect(new Set((await Promise.all(sent)).map(({ status }) => status))).toEqual(new Set([200]));
    await closed;
  });
});

describe('trusting certificates', () => {
  it('a custom certificate authority is trusted, an unknown one is not', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'credmon-tls-'));
    const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
    const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=IP:127.0.0.1'];
    const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
    execFileSync('openssl', ['req', '-x509', ...curve, ...subject, '-keyout', key, '-out', cert], {
      stdio: 'ignore',
    });
    const server = createTlsServer(
      { key: readFileSync(key), cert: readFileSync(cert) },
      (_, response) => {
        response.end('hello');
      },
    );
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', resolve);
    });
    endings.push(() => new Promise((resolve) => server.close(resolve)));
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}/`;
    const answer = await sender({ ca: readFileSync(cert, 'utf8') })({ method: 'GET', url });
    expect(Buffer.from(answer.body).toString()).toBe('hello');
    const error = await refusal(sender()({ method: 'GET', url }));
    expect([error.code, error.fields['reason']]).toEqual([
      'ISSUER_UNREACHABLE',
      'DEPTH_ZERO_SELF_SIGNED_CERT',
    ]);
  });

  it('custom certificate authorities are added to the default ones and do not replace them', () => {
    expect(trustedRoots('mine')).toEqual([...rootCertificates, 'mine']);
    expect(trustedRoots(['mine', 'yours'])).toEqual([...rootCertificates, 'mine', 'yours']);
  });
});

describe('the part of a URL that may be logged', () => {
  it.each([
    ['https://user:secret@issuer.example:8443/token?code=1', 'https://issuer.example:8443'],
    ['not a url', 'an invalid URL'],
  ])('%s', (url, expected) => {
    expect(originOf(url)).toBe(expected);
  });
});

/** Resolves every name to these IPv4 addresses. */
function leadAllNamesTo(...addresses: readonly string[]): void {
  const end = misleadNames(...addresses);
  endings.push(async () => end());
}

describe('the name localhost', () => {
  it.each([
    ['an address of any machine', ['0.0.0.0']],
    ['such an address and a loopback address', ['127.0.0.1', '0.0.0.0']],
  ])('R26 that resolves to %s gets no request', async (_, addresses) => {
    const thief = await serve((_request, response) => response.end('thank you'));
    leadAllNamesTo(...addresses);
    const url = `http://localhost:${new URL(thief.origin).port}/token`;
    const error = await refusal(sender()({ method: 'POST', url, body: 'CANARY-secret' }));
    expect([error.code, error.message]).toEqual([
      'ISSUER_UNREACHABLE',
      expect.stringContaining('localhost resolves to another machine'),
    ]);
    expect(thief.asked).toEqual([]);
  });

  it('gets requests if it is this machine; other names may resolve to any address', async () => {
    const server = await serve((_request, response) => response.end('here'));
    const { port } = new URL(server.origin);
    leadAllNamesTo('127.0.0.1');
    await sender()({ method: 'GET', url: `http://localhost:${port}/` });
    leadAllNamesTo('0.0.0.0');
    await sender()({ method: 'GET', url: `http://other.example:${port}/` });
    expect(server.asked).toHaveLength(2);
  });
});

describe('a host with several addresses', () => {
  it('is reached at the second one when the first refuses or does not answer, each within its time limit', async () => {
    const server = await serve((_, response) => response.end('here'));
    const { port } = new URL(server.origin);
    const end = await listenSilently('127.0.0.2', Number(port));
    endings.push(async () => end());
    // Node's default is a quarter of a second for each address.
    const waits = { '127.0.0.3': false, '127.0.0.2': true };
    for (const [first, waited] of Object.entries(waits)) {
      leadAllNamesTo(first, '127.0.0.1');
      const send = sender({ addressSeconds: 2 });
      const began = performance.now();
      const { body } = await send({ method: 'GET', url: `http://many.example:${port}/` });
      const took = (performance.now() - began) / 1000;
      expect(Buffer.from(body).toString()).toBe('here');
      expect([first, took >= 1.9]).toEqual([first, waited]);
    }
  });
});
