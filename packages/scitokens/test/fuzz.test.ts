// Arbitrary input for every function: only coded errors are thrown, and no unsigned token
// is accepted.
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded, type Send } from '@credmon/core/base';
import {
  checkScopeForSigning,
  discoverBearerToken,
  enforce,
  fetchIssuerKeys,
  groupsOf,
  issueToken,
  readKey,
  readKeySet,
  verifyWithKeys,
} from '../src/index.ts';
import { signUnchecked } from '../src/token/sign.ts';
import { normalisePath, readAuthorization } from '../src/token/scope.ts';
import { EC, MOMENT, NOW, publish, request, RSA } from './testing.ts';

const OPTIONS = { now: NOW, issuers: 'any' } as const;
const KEYS = publish(EC, RSA);
const RUNS = { numRuns: 2000 };

/**
 * Returns the result of `work`, or the code of its coded error; other errors fail the
 * test.
 */
function outcome<T>(work: () => T): { value: T } | { code: string } {
  try {
    return { value: work() };
  } catch (error) {
    if (isCoded(error)) return { code: error.code };
    throw error;
  }
}

const refused = (work: () => unknown): boolean => 'code' in outcome(work);
const bytes = fc.uint8Array({ maxLength: 200 });
const base64 = (value: Uint8Array | string): string =>
  Buffer.from(value as string).toString('base64url');
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  bytes.map((value) => Buffer.from(value).toString('latin1')),
);

describe('no crash and no acceptance', () => {
  it('for arbitrary text as a token', () => {
    expect(
      fc.check(
        fc.property(text, (token) => refused(() => verifyWithKeys(token, KEYS, OPTIONS))),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });

  it('for arbitrary bytes as the parts of a token', () => {
    const part = fc.oneof(bytes.map(base64), fc.json().map(base64), text);
    expect(
      fc.check(
        fc.property(part, part, part, (...parts) =>
          refused(() => verifyWithKeys(parts.join('.'), KEYS, OPTIONS)),
        ),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });

  it('for a valid token with one changed character', () => {
    const token = issueToken(EC, request(), MOMENT);
    const same = (one: string): boolean =>
      base64(Buffer.from(one.split('.')[2] ?? '', 'base64url')) === token.split('.')[2];
    expect(
      fc.check(
        fc.property(
          fc.nat(token.length - 1),
          fc.string({ unit: 'binary', minLength: 0, maxLength: 2 }),
          (at, put) => {
            const changed = token.slice(0, at) + put + token.slice(at + 1);
            const signed =
              changed.slice(0, changed.lastIndexOf('.')) === token.slice(0, token.lastIndexOf('.'));
            fc.pre(changed !== token && !(signed && same(changed)));
            return refused(() => verifyWithKeys(changed, KEYS, OPTIONS));
          },
        ),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });

  it('for a signed token with arbitrary claims: only coded errors', () => {
    const times = {
      iss: 'https://i.test',
      iat: 1_790_000_000,
      nbf: 1_790_000_000,
      exp: 1_790_000_600,
    };
    const claims = fc.record(
      {
        aud: fc.jsonValue(),
        scope: fc.oneof(text, fc.jsonValue()),
        sub: fc.jsonValue(),
        ver: fc.jsonValue(),
        'wlcg.ver': fc.constantFrom('1.0', 1),
        'wlcg.groups': fc.jsonValue(),
        exp: fc.jsonValue(),
      },
      { requiredKeys: [] },
    );
    expect(
      fc.check(
        fc.property(claims, (changes) => {
          const token = signUnchecked(EC, { ...times, ...changes });
          const result = outcome(() => {
            const verified = verifyWithKeys(token, KEYS, OPTIONS);
            outcome(() => groupsOf(verified));
            return enforce(verified, { audience: 'https://here.test' }).test('read', '/etc/passwd');
          });
          return 'code' in result || typeof result.value === 'boolean';
        }),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });

  it('for arbitrary key sets', () => {
    const token = issueToken(EC, request(), MOMENT);
    const number = fc.oneof(bytes.map(base64), text, fc.jsonValue());
    const key = fc.record(
      {
        kty: fc.constantFrom('EC', 'RSA', 'oct', 1),
        crv: fc.constantFrom('P-256', 'P-384', 'x', '__proto__'),
        x: number,
        y: number,
        n: number,
        e: number,
        alg: fc.constantFrom('ES256', 'RS256', 'none', 1, '__proto__'),
        kid: fc.constantFrom('ec', 'rsa', 1),
      },
      { requiredKeys: [] },
    );
    const set = fc.oneof(
      fc.jsonValue(),
      fc.record({ keys: fc.oneof(fc.jsonValue(), fc.array(fc.oneof(key, fc.jsonValue()))) }),
    );
    expect(
      fc.check(
        fc.property(set, (document) =>
          refused(() => verifyWithKeys(token, readKeySet(document), OPTIONS)),
        ),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });

  it('for arbitrary discovery documents and key documents', async () => {
    const document = fc.oneof(
      bytes,
      fc.json().map((value) => Buffer.from(value)),
    );
    const status = fc.constantFrom(200, 200, 200, 204, 302, 404, 500);
    const run = await fc.check(
      fc.asyncProperty(
        document,
        document,
        status,
        fc.boolean(),
        async (metadata, keys, code, good) => {
          const sound = Buffer.from(
            JSON.stringify({ issuer: 'https://i.test', jwks_uri: 'https://i.test/k' }),
          );
          const send: Send = async ({ url }) => ({
            status: code,
            headers: {},
            body: url.endsWith('/k') ? keys : good ? sound : metadata,
          });
          try {
            return (await fetchIssuerKeys('https://i.test', { send })).kids.length >= 0;
          } catch (error) {
            return isCoded(error);
          }
        },
      ),
      { numRuns: 1000 },
    );
    expect(run).toMatchObject({ failed: false });
  });

  it('for arbitrary text as a key file', () => {
    const pem = fc
      .tuple(fc.constantFrom('PRIVATE KEY', 'EC PRIVATE KEY', 'PUBLIC KEY', 'X'), bytes)
      .map(
        ([label, body]) =>
          `-----BEGIN ${label}-----\n${Buffer.from(body).toString('base64')}\n-----END ${label}-----\n`,
      );
    expect(
      fc.check(
        fc.property(fc.oneof(text, fc.json(), pem), (key) => refused(() => readKey(key))),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });

  it('for arbitrary contents of the places of discovery: a token without white space or none', () => {
    expect(
      fc.check(
        fc.property(text, (content) => {
          const found = outcome(() =>
            discoverBearerToken({
              environment: { BEARER_TOKEN: content },
              userId: 1,
              readFile: () => undefined,
            }),
          );
          return 'code' in found || /^[\w.~+/-]+=*$/.test(found.value.token);
        }),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });
});

describe('scopes', () => {
  const segment = fc.constantFrom(
    'a',
    'b',
    '..',
    '.',
    '',
    '%2e%2e',
    '%2E',
    '%2f',
    '%252e',
    '..a',
    '%',
    '\0',
    'é',
    ' ',
    ':',
    '\\',
  );
  const path = fc.array(segment, { maxLength: 6 }).map((parts) => `/${parts.join('/')}`);

  it('that are signed are read back as the same path, by us and by readers that decode them', () => {
    expect(
      fc.check(
        fc.property(path, (name) => {
          if (refused(() => checkScopeForSigning(`read:${name}`))) return true;
          const read = readAuthorization(`read:${name}`);
          expect(read).toEqual({ authz: 'read', path: normalisePath(name) });
          const decoded = name.replace(/%([0-9a-f]{2})/gi, (_all, hex: string) =>
            String.fromCharCode(parseInt(hex, 16)),
          );
          return (
            normalisePath(decoded).split('/').length === read.path.split('/').length &&
            !decoded.split('/').includes('..')
          );
        }),
        RUNS,
      ),
    ).toMatchObject({ failed: false });
  });

  it('never permit a path above or beside their own', () => {
    expect(
      fc.check(
        fc.property(path, path, (granted, wanted) => {
          const claims = {
            iss: 'https://i.test',
            aud: 'x',
            scope: `read:/home/alice${granted}`,
            iat: 1_790_000_000,
            nbf: 1_790_000_000,
            exp: 1_790_000_600,
          };
          const verified = verifyWithKeys(signUnchecked(EC, claims), KEYS, OPTIONS);
          const allowed = outcome(() => enforce(verified, { audience: 'x' }).test('read', wanted));
          return (
            'code' in allowed ||
            !allowed.value ||
            /^\/home\/alice(?:\/|$)/.test(normalisePath(wanted))
          );
        }),
        { numRuns: 500 },
      ),
    ).toMatchObject({ failed: false });
  });
});
