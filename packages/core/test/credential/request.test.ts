// The strict key-file parser: CredD's files are read byte for byte, others are rejected
// as a whole.
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isCoded } from '../../src/base/errors/errors.ts';
import { MAX_KEY_FILE_BYTES, readCredentialRequest } from '../../src/credential/request.ts';

const CANARY = 'canary-client-secret';

const plain = {
  Handle: '',
  Scopes: 'read, write',
  Audience: '',
  ClientId: 'condor',
  Provider: 'mytok',
  TokenUrl: 'https://issuer.example/token',
  LocalUser: 'alice',
  ReturnUrl: 'https://ap.example/return/mytok',
  ClientSecret: CANARY,
  AuthorizationUrl: 'https://issuer.example/auth',
};
type Fields = Partial<Record<keyof typeof plain, string>>;

/** One ad as written by CredD: only the double quote is escaped. */
const ad = (fields: Fields = {}): string =>
  Object.entries({ ...plain, ...fields })
    .map(([name, value]) => `${name} = "${value.replaceAll('"', '\\"')}"\n`)
    .join('');
const read = (text: string, allowLoopbackHttp = false) =>
  readCredentialRequest(Buffer.from(text), { allowLoopbackHttp });

function refusal(text: string | Uint8Array, allowLoopbackHttp = false): string {
  try {
    readCredentialRequest(Buffer.from(text), { allowLoopbackHttp });
  } catch (error) {
    if (!isCoded(error, 'KEY_FILE_INVALID')) throw error;
    return error.message;
  }
  return 'accepted';
}

const expected = (fields: Record<string, string> = {}) => ({
  provider: 'mytok',
  handle: '',
  stem: 'mytok',
  scopes: 'read, write',
  audience: '',
  clientId: 'condor',
  clientSecret: CANARY,
  returnUrl: 'https://ap.example/return/mytok',
  authorizationUrl: 'https://issuer.example/auth',
  tokenUrl: 'https://issuer.example/token',
  ...fields,
});

describe('reading a key file', () => {
  it('reads one request', () => {
    expect(read(ad())).toEqual({ localUser: 'alice', requests: [expected()] });
  });

  it('reads several requests with handles and cuts the domain of the local user', () => {
    const text = [
      ad({ LocalUser: 'alice@pool.example' }),
      ad({ Handle: 'h1', LocalUser: 'alice' }),
    ].join('\n');
    expect(read(text)).toEqual({
      localUser: 'alice',
      requests: [expected(), expected({ handle: 'h1', stem: 'mytok_h1' })],
    });
  });

  it.each([
    ['a value that ends in a backslash', 'abc\\', 'abc\\'],
    ['quotes', 'a"b"c', 'a"b"c'],
    ['a backslash before a quote', 'a\\"b', 'a\\"b'],
    ['backslash letters, which are not escapes', 'a\\nb\\t', 'a\\nb\\t'],
    ['UTF-8 and tabs', 'é\t木', 'é\t木'],
    ['blanks around', ' a , b ', ' a , b '],
  ])('R38 keeps %s byte for byte', (_title, written, value) => {
    expect(read(ad({ Scopes: written })).requests[0]?.scopes).toBe(value);
  });

  it('reads attribute names in any case and order, and ignores attributes it does not know', () => {
    const lines = `${ad()}options = "x"\n`.trimEnd().split('\n').toReversed();
    const text = lines.map((line) => line.replace(/^\w+/, (name) => name.toUpperCase())).join('\n');
    expect(read(text)).toEqual({ localUser: 'alice', requests: [expected()] });
  });

  it('accepts http on loopback when allowed', () => {
    const url = 'http://127.0.0.1:9/token';
    expect(read(ad({ TokenUrl: url }), true).requests[0]?.tokenUrl).toBe(url);
  });
});

describe('rejecting a key file', () => {
  const injected = `x"\nLocalUser = Handle\nZZ = 1`;
  const table: readonly (readonly [string, string | Uint8Array, RegExp])[] = [
    ['nothing', '', /no request/],
    ['only blank lines', '\n\n\n', /no request/],
    ['a line that is not an assignment', `${ad()}hello\n`, /line 11: not of the form/],
    ['an expression', ad().replace('"alice"', 'Handle'), /line 7: not of the form/],
    ['a number', ad().replace('"alice"', '5'), /not of the form/],
    ['a comment', `# x\n${ad()}`, /line 1: not of the form/],
    ['new syntax', '[ Provider = "a" ]', /not of the form/],
    ['blanks before the name', ` ${ad()}`, /not of the form/],
    ['a carriage return', ad().replaceAll('\n', '\r\n'), /not of the form/],
    ['garbage after the text', ad().replace('"alice"', '"alice" x'), /not of the form/],
    ['two texts in a line', ad().replace('"alice"', '"al" "ice"'), /line 7: unescaped quote/],
    ['the same attribute twice', `${ad()}LOCALUSER = "bob"\n`, /line 11: duplicate attribute/],
    ['an injected line', ad({ Scopes: injected }), /line 3: not of the form/],
    [
      'an injected line with quotes',
      ad({ Scopes: 'x"\nLocalUser = "bob"\nZ = "' }),
      /not of the form/,
    ],
    ['an injected empty line', ad({ Audience: 'x"\n\nLocalUser = "bob"' }), /not of the form/],
    ['a text over two lines', ad({ Scopes: 'a\nb' }), /not of the form/],
    ['a null character', ad({ Scopes: 'a\0b' }), /line 2: control character in the text/],
    ['an escape character', ad({ Audience: '\u001b[31m' }), /control character/],
    [
      'bytes that are not UTF-8',
      Buffer.concat([Buffer.from([0xff, 0xfe]), Buffer.from(ad())]),
      /UTF-8/,
    ],
    ['a byte order mark', `\uFEFF${ad()}`, /not of the form/],
    ['too much', `${ad()}X = "${'x'.repeat(MAX_KEY_FILE_BYTES)}"\n`, /larger than/],
    ['two users', `${ad()}\n${ad({ Handle: 'b', LocalUser: 'bob' })}`, /LocalUser differs/],
    ['the same token twice', `${ad()}\n${ad()}`, /same token/],
    [
      'the same file under different names',
      `${ad({ Provider: 'a_b' })}\n${ad({ Provider: 'a', Handle: 'b' })}`,
      /same token/,
    ],
    [
      '101 requests',
      Array.from({ length: 101 }, (_, n) => ad({ Handle: `h${n}` })).join('\n'),
      /more than 100/,
    ],
    ['a long stem', ad({ Provider: 'a'.repeat(150), Handle: 'b'.repeat(150) }), /too long/],
    ['no client id', ad({ ClientId: '' }), /ClientId is empty/],
  ];
  it.each(table)('R38 rejects %s', (_title, text, reason) => {
    expect(refusal(text)).toMatch(reason);
  });

  it.each(Object.keys(plain))('R38 rejects a request without %s', (missing) => {
    const text = ad()
      .split('\n')
      .filter((line) => !line.startsWith(`${missing} =`))
      .join('\n');
    expect(refusal(text)).toContain(`has no ${missing}`);
  });

  const names = [
    '../../bob/x',
    '.',
    '..',
    '.hidden',
    'a/b',
    'my prov',
    'a*b',
    'a\\b',
    'é',
    'a:b',
    '%2e',
    'x'.repeat(201),
  ];
  it.each(
    names.flatMap((value) =>
      (['Provider', 'Handle', 'LocalUser'] as const).map((field) => [field, value] as const),
    ),
  )('R38 rejects %s = "%s"', (field, value) => {
    expect(refusal(ad({ [field]: value }))).toContain(`${field} is not a name that CredD allows`);
  });
  it.each([
    ['Provider', ''],
    ['LocalUser', ''],
    ['LocalUser', '@pool.example'],
    ['LocalUser', 'alice@../bob'],
  ] as const)('R38 also rejects %s = "%s"', (field, value) => {
    expect(refusal(ad({ [field]: value }))).toContain(`${field} is not a name that CredD allows`);
  });

  const urls = [
    'issuer',
    '/token',
    'http://issuer.example/',
    'ftp://issuer.example/',
    'https://u:p@issuer.example/',
    'https://issuer.example/#f',
    ' https://issuer.example/',
    'javascript:alert(1)',
    'http://127.0.0.1/',
    'https:// x/',
  ];
  it.each(
    urls.flatMap((value) =>
      (['TokenUrl', 'AuthorizationUrl', 'ReturnUrl'] as const).map(
        (field) => [field, value] as const,
      ),
    ),
  )('R26 R38 rejects %s = "%s"', (field, value) => {
    expect(refusal(ad({ [field]: value }))).toContain(field);
  });

  it('R38 rejects an empty ReturnUrl, but not an empty endpoint, which the issuer can name', () => {
    expect(refusal(ad({ ReturnUrl: '' }))).toContain('ReturnUrl');
    const [request] = read(ad({ TokenUrl: '', AuthorizationUrl: '' }), false).requests;
    expect([request?.tokenUrl, request?.authorizationUrl]).toEqual(['', '']);
  });

  it('R26 rejects http beyond loopback also with the loopback exception', () => {
    expect(refusal(ad({ TokenUrl: 'http://10.0.0.1/token' }), true)).toContain('only to loopback');
  });

  it('R43 never quotes a value', () => {
    for (const [, text] of table) expect(refusal(text)).not.toMatch(/canary|bob|alice/);
  });
});

describe('properties', () => {
  it('R38 arbitrary bytes are read or rejected with the one code, without other errors', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        expect(refusal(bytes)).toMatch(/^(accepted|invalid key file: .+)$/);
      }),
    );
  });

  it('R38 no scopes and audience can change another attribute', () => {
    const hostile = fc.string({
      unit: fc.constantFrom('"', '\\', '\n', ' ', '=', 'LocalUser', 'bob', 'x', 'Handle'),
      maxLength: 24,
    });
    const unharmed = (scopes: string, audience: string): boolean => {
      const text = ad({ Scopes: scopes, Audience: audience });
      if (refusal(text) !== 'accepted') return true;
      const honest = { localUser: 'alice', requests: [expected({ scopes, audience })] };
      return JSON.stringify(read(text)) === JSON.stringify(honest);
    };
    expect(fc.check(fc.property(hostile, hostile, unharmed), { numRuns: 2000 }).failed).toBe(false);
  });
});

it('the example of docs/web.md is a key file as CredD writes it', () => {
  const page = readFileSync(new URL('../../../../docs/web.md', import.meta.url), 'utf8');
  const text = (page.split('## The key file')[1] ?? '').match(/(?:^ {4}\w+ = ".*"\n)+/m)?.[0] ?? '';
  const file = text.replaceAll(/^ {4}/gm, '');
  const names = [...file.matchAll(/^\w+/gm)].map(String);
  const byLength = (a: string, b: string): number => a.length - b.length || (a < b ? -1 : 1);
  expect([names.length, names]).toEqual([10, names.toSorted(byLength)]);
  const { localUser, requests } = readCredentialRequest(Buffer.from(file), {
    allowLoopbackHttp: false,
  });
  expect([localUser, requests.map(({ stem }) => stem)]).toEqual(['alice', ['mytok_h1']]);
  for (const name of names) expect(page).toContain(`| \`${name}\``);
});
