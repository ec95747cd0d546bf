// Trusted authorities of TLS: real https servers with private authorities, and
// certificate files in every form that hosts have.
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { makeCertificates, type Certificates } from '@credmon/test-fixtures/servers/certificates';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { isCoded, messageOf } from '../../../src/base/errors/errors.ts';
import { createSend } from '../../../src/base/http/send.ts';
import {
  createTrust,
  trustText,
  type Trust,
  type TrustOptions,
} from '../../../src/base/http/trust.ts';

let root: string;
let made: Certificates;
let other: Certificates;
let url: string;
let serve: (host: string) => Promise<string>;
const servers: Server[] = [];
const endings: (() => Promise<unknown>)[] = [];

beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), 'credmon-trust-'));
  for (const name of ['made', 'other']) mkdirSync(join(root, name));
  made = makeCertificates(join(root, 'made'));
  other = makeCertificates(join(root, 'other'));
  const tls = { key: readFileSync(made.keyFile), cert: readFileSync(made.certificateFile) };
  serve = async (host) => {
    const server = createServer(tls, (_, response) => void response.end('hello'));
    await new Promise<void>((resolve) => {
      server.listen(0, host, resolve);
    });
    servers.push(server);
    return String((server.address() as AddressInfo).port);
  };
  url = `https://localhost:${await serve('127.0.0.1')}/`;
});
afterAll(async () => {
  for (const server of servers) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
  rmSync(root, { recursive: true, force: true });
});

let now: number;
let said: string[];
let place: (name: string) => string;
beforeEach(() => {
  now = 1000;
  said = [];
  const folder = mkdtempSync(join(root, 'places-'));
  place = (name) => join(folder, name);
});
afterEach(async () => {
  for (const end of endings.splice(0)) await end();
});

/** Trust with only the paths that the test names. */
function trustIn(options: TrustOptions): Trust {
  return createTrust({
    environment: {},
    usual: { files: [], directories: [] },
    steady: () => now,
    trouble: (text) => void said.push(text),
    ...options,
  });
}

const named = (caFile?: string, caDirectory?: string) => () => ({
  caFile,
  caDirectory,
  knobs: 'A and B',
});

/** The server's response, or why no request was sent. */
function asker(trust: Trust): () => Promise<string> {
  const { send, close } = createSend({
    connectSeconds: 5,
    totalSeconds: 10,
    maxBodyBytes: 1000,
    trust,
  });
  endings.push(close);
  return () =>
    send({ method: 'GET', url }).then(
      ({ body }) => Buffer.from(body).toString(),
      (error: unknown) => `${isCoded(error) ? error.code : ''} ${messageOf(error)}`,
    );
}

describe('R26 an authority is trusted', () => {
  const copy = (target: string): void => cpSync(made.caFile, target);
  it.each<[string, (at: (name: string) => string) => TrustOptions]>([
    [
      "in the system's bundle",
      (at) => {
        copy(at('bundle.crt'));
        return { usual: { files: [at('bundle.crt')], directories: [] } };
      },
    ],
    [
      'in the directory of the grid, by a hash link',
      (at) => {
        mkdirSync(at('grid'));
        copy(at('grid/ca.txt'));
        symlinkSync('ca.txt', at('grid/0a1b2c3d.0'));
        writeFileSync(at('grid/0a1b2c3d.r0'), 'a CRL');
        writeFileSync(at('grid/0a1b2c3d.signing_policy'), 'a policy');
        return { usual: { files: [], directories: [at('grid')] } };
      },
    ],
    [
      'in SSL_CERT_FILE',
      (at) => {
        copy(at('x'));
        return { environment: { SSL_CERT_FILE: at('x') } };
      },
    ],
    [
      'in the second directory of SSL_CERT_DIR',
      (at) => {
        mkdirSync(at('first'));
        mkdirSync(at('second'));
        copy(at('second/ca.pem'));
        return { environment: { SSL_CERT_DIR: `${at('first')}:${at('second')}` } };
      },
    ],
    [
      'in NODE_EXTRA_CA_CERTS',
      (at) => {
        copy(at('x'));
        return { environment: { NODE_EXTRA_CA_CERTS: at('x') } };
      },
    ],
    [
      'in AUTH_SSL_CLIENT_CAFILE',
      (at) => {
        copy(at('x'));
        return { named: named(at('x')) };
      },
    ],
    [
      'in AUTH_SSL_CLIENT_CADIR',
      (at) => {
        mkdirSync(at('dir'));
        copy(at('dir/ca.crt'));
        return { named: named(undefined, at('dir')) };
      },
    ],
    [
      'in AUTH_SSL_CLIENT_CAFILE alone',
      (at) => {
        copy(at('x'));
        return { named: named(at('x')), only: true };
      },
    ],
    [
      'after text, a byte order mark and a malformed certificate in the same file',
      (at) => {
        const bad = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';
        writeFileSync(
          at('x'),
          `\uFEFF# Comment -- with dashes\r\n${bad}${made.ca.replaceAll('\n', '\r\n')}`,
        );
        return { named: named(at('x')) };
      },
    ],
    [
      'in one long line',
      (at) => {
        const [begin = '', ...rest] = made.ca.trim().split('\n');
        writeFileSync(at('x'), `${begin}\n${rest.slice(0, -1).join('')}\n${rest.at(-1) ?? ''}`);
        return { named: named(at('x')) };
      },
    ],
    [
      'in DER',
      (at) => {
        execFileSync('openssl', ['x509', '-in', made.caFile, '-outform', 'DER', '-out', at('x')]);
        return { named: named(at('x')) };
      },
    ],
    [
      "as OpenSSL's TRUSTED CERTIFICATE",
      (at) => {
        execFileSync('openssl', ['x509', '-in', made.caFile, '-trustout', '-out', at('x')]);
        return { named: named(at('x')) };
      },
    ],
    [
      'beside files that cannot be used',
      (at) => {
        mkdirSync(at('dir'));
        writeFileSync(at('dir/a.pem'), 'junk');
        symlinkSync('nowhere', at('dir/b.pem'));
        mkdirSync(at('dir/c.pem'));
        execFileSync('mkfifo', [at('dir/d.pem')]);
        copy(at('dir/e.pem'));
        return { named: named(undefined, at('dir')) };
      },
    ],
  ])('%s', async (_, prepare) => {
    expect(await asker(trustIn(prepare(place)))()).toBe('hello');
  });

  it('not otherwise: the message names the missing authority and the fix', async () => {
    const answer = await asker(trustIn({}))();
    expect(answer).toMatch(
      /^ISSUER_UNREACHABLE cannot reach https:\/\/localhost:\d+: certificate authority "CN=credmon test authority" not trusted \(UNABLE_TO_VERIFY_LEAF_SIGNATURE\); fix: copy its certificate \(PEM\) to \/.* and run update-ca-.*, or name the file in AUTH_SSL_CLIENT_CAFILE$/,
    );
  });

  it('if only named authorities are trusted, no other one is, and the fix names the file', async () => {
    cpSync(other.caFile, place('x'));
    cpSync(made.caFile, place('bundle'));
    const usual = { files: [place('bundle')], directories: [] };
    const answer = await asker(trustIn({ usual, named: named(place('x')), only: true }))();
    expect(answer).toContain(`fix: add its certificate (PEM) to ${place('x')} (A and B)`);
  });

  it('an empty directory as the only source trusts no authority', () => {
    mkdirSync(place('dir'));
    expect(trustIn({ named: named(undefined, place('dir')), only: true }).current().count).toBe(0);
  });
});

describe('R26 a certificate that is rejected for another reason', () => {
  it('gives the reason and its code', async () => {
    cpSync(made.caFile, place('x'));
    const { send, close } = createSend({
      connectSeconds: 5,
      totalSeconds: 10,
      maxBodyBytes: 1000,
      trust: trustIn({ named: named(place('x')) }),
    });
    endings.push(close);
    // The certificate names 127.0.0.1, ::1 and localhost.
    const attempt = send({ method: 'GET', url: `https://127.0.0.2:${await serve('127.0.0.2')}/` });
    await expect(attempt).rejects.toThrow(
      /: certificate is for localhost, 127\.0\.0\.1, 0:0:0:0:0:0:0:1, not for 127\.0\.0\.2 \(ERR_TLS_CERT_ALTNAME_INVALID\); fix: use one of its names in the URL, or install a certificate for 127\.0\.0\.2$/,
    );
  });
});

describe('R45 changed certificate files', () => {
  it('are used within seconds: a new file, a replaced one and a removed one', async () => {
    const ask = asker(trustIn({ named: named(place('x')) }));
    cpSync(other.caFile, place('x'));
    expect(await ask()).toContain('not trusted');
    cpSync(made.caFile, place('y'));
    renameSync(place('y'), place('x'));
    now += 3;
    expect(await ask()).toBe('hello');
    rmSync(place('x'));
    now += 3;
    expect(await ask()).toContain('not trusted');
  });

  it('are used at once after a rejection, and after a signal', async () => {
    const trust = trustIn({ named: named(place('x')) });
    const ask = asker(trust);
    expect(await ask()).toContain('not trusted');
    cpSync(made.caFile, place('x'));
    expect(await ask()).toBe('hello');
    rmSync(place('x'));
    trust.renew();
    expect(await ask()).toContain('not trusted');
  });

  it('are used within a minute when a file in a directory is written in place', () => {
    mkdirSync(place('dir'));
    writeFileSync(place('dir/ca.pem'), 'not yet a certificate');
    const trust = trustIn({ named: named(undefined, place('dir')) });
    const before = trust.current();
    expect(before.count).toBe(rootCertificates.length);
    writeFileSync(place('dir/ca.pem'), made.ca);
    utimesSync(place('dir/ca.pem'), 5, 5);
    now += 61;
    expect(trust.current().count).toBe(before.count + 1);
  });

  it('are parsed once if unchanged, also when a CRL in the directory changes', () => {
    mkdirSync(place('dir'));
    cpSync(made.caFile, place('dir/ca.pem'));
    const trust = trustIn({ named: named(undefined, place('dir')) });
    const first = trust.current();
    writeFileSync(place('dir/0a1b2c3d.r0'), 'a new CRL');
    now += 100;
    expect(trust.current()).toBe(first);
    trust.renew();
    expect(trust.current()).toBe(first);
  });

  it('are also used when a knob names another file', () => {
    cpSync(made.caFile, place('x'));
    let file: string | undefined;
    const trust = trustIn({ named: () => ({ caFile: file, caDirectory: undefined, knobs: 'A' }) });
    const before = trust.current().count;
    file = place('x');
    now += 3;
    expect(trust.current().count).toBe(before + 1);
  });
});

describe('certificate files that cannot be used', () => {
  it('are skipped and reported once each, with path and reason', () => {
    mkdirSync(place('dir'));
    writeFileSync(place('dir/a.pem'), 'junk');
    symlinkSync('nowhere', place('dir/b.pem'));
    mkdirSync(place('dir/c.pem'));
    writeFileSync(place('dir/d.pem'), `${made.ca}-----BEGIN CERTIFICATE-----\nMIIB`);
    const trust = trustIn({
      environment: { SSL_CERT_FILE: place('gone') },
      usual: { files: [place('missing')], directories: [place('none'), place('dir')] },
    });
    const text = (path: string, why: string): string =>
      `certificate authorities in ${place(path)}: ${why}`;
    const expected = [
      `certificate authorities in ${place('gone')} (named by SSL_CERT_FILE): ENOENT; skipped`,
      text('dir/a.pem', 'contains no certificate; skipped'),
      text('dir/b.pem', 'ENOENT; skipped'),
      text('dir/c.pem', 'not a regular file; skipped'),
      text('dir/d.pem', '1 of 2 certificates malformed; the others are used'),
    ];
    expect(trust.current().problems).toEqual(expected);
    writeFileSync(place('dir/e.pem'), other.ca);
    trust.renew();
    trust.current();
    expect(said).toEqual(expected);
  });

  it.each([
    ['is missing', undefined, 'ENOENT'],
    ['has no certificate', 'junk', 'contains no certificate'],
  ])('as the only source, a path that %s is an error', (_, content, why) => {
    if (content !== undefined) writeFileSync(place('x'), content);
    const trust = trustIn({ named: named(place('x')), only: true });
    expect(() => trust.current()).toThrow(
      `failed to read the certificate authorities in ${place('x')} (${why}); see A and B`,
    );
  });
});

describe('the sources', () => {
  it('are counted separately, and equal certificates once', () => {
    cpSync(made.caFile, place('x'));
    mkdirSync(place('dir'));
    cpSync(made.caFile, place('dir/same.pem'));
    symlinkSync('same.pem', place('dir/0a1b2c3d.0'));
    writeFileSync(place('dir/two.crt'), `${other.ca}\n${rootCertificates[0] ?? ''}\n`);
    const nodes = rootCertificates.length;
    const state = trustIn({ named: named(place('x'), place('dir')) }).current();
    expect(trustText(state)).toBe(
      `${nodes + 2} certificate authorities are trusted, from Node.js (${nodes}), ${place('x')} (1), ${place('dir')} (3)`,
    );
  });
});
