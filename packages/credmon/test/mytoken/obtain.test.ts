// The answers of a mytoken server in the protocol of token programs: who must act, what is
// kept, and what is never printed.
import { createSend } from '@credmon/core/base';
import {
  OP,
  startMytoken,
  type FakeMytoken,
  type MytokenFault,
  type MytokenRights,
} from '@credmon/test-fixtures/servers/fake-mytoken';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  noLogin,
  obtainToken,
  ofFile,
  redeemCode,
  withKept,
  type ProgramOutput,
} from '../../src/mytoken/obtain.ts';
import type { Login } from '../../src/mytoken/protocol.ts';

let server: FakeMytoken;
let kept: string[];
beforeEach(async () => {
  server = await startMytoken();
  kept = [];
});
afterEach(() => server.close());

const NOW = 1_790_000_000;

async function obtain(
  login: Login | string,
  options: {
    issuer?: string;
    scopes?: string[];
    audience?: string[];
    url?: string;
    keep?: (mytoken: string) => void;
  } = {},
): Promise<ProgramOutput> {
  const { send, close } = createSend({
    connectSeconds: 1,
    totalSeconds: 1,
    maxBodyBytes: 65_536,
  });
  const { scopes = [], audience = [], issuer, url = server.url } = options;
  try {
    return await obtainToken(
      { scopes, audience },
      typeof login === 'string' ? { kind: 'mytoken', text: login } : login,
      { server: url, issuer, allowLoopbackHttp: true },
      { ask: send, send, now: () => NOW, keep: options.keep ?? ((text) => kept.push(text)) },
    );
  } finally {
    await close();
  }
}

describe('an access token', () => {
  it('is printed with its type, lifetime and scopes', async () => {
    const output = await obtain(server.issue('alice'), {
      scopes: ['openid', 'profile'],
      audience: ['https://a', 'https://b'],
      issuer: OP,
    });
    expect(output).toEqual({
      json: {
        access_token: expect.stringMatching(/^CANARYat/),
        token_type: 'Bearer',
        expires_in: 600,
        scope: 'openid profile',
      },
      exit: 0,
    });
    expect(server.requests.map(({ path, body }) => [path, body])).toEqual([
      ['/.well-known/mytoken-configuration', {}],
      [
        '/api/v0/token/access',
        {
          grant_type: 'mytoken',
          oidc_issuer: OP,
          scope: 'openid profile',
          audience: 'https://a https://b',
          comment: 'HTCondor job',
        },
      ],
    ]);
    expect(kept).toEqual([]);
  });

  it('without requested scopes and audience is for what the mytoken allows', async () => {
    const { json } = await obtain(server.issue('alice', { restrictions: [{ scope: 'compute' }] }));
    expect(json).toMatchObject({ scope: 'compute' });
    expect(server.requests.at(-1)?.body).toEqual({
      grant_type: 'mytoken',
      comment: 'HTCondor job',
    });
  });

  it.each([{ rotating: true }, { rotating: true, short: true }])(
    'R16 of a mytoken that is replaced (%j): the new one is kept, and works',
    async (rights) => {
      const first = server.issue('alice', rights);
      expect((await obtain(first)).exit).toBe(0);
      expect(kept.map((text) => server.isUsable(text))).toEqual([true]);
      expect((await obtain(kept[0] ?? '')).exit).toBe(0);
      expect(kept.length).toBe(2);
      expect((await obtain(first)).json).toMatchObject({ error: 'invalid_grant' });
    },
  );

  it('R16 a new mytoken is kept, although the answer is invalid', async () => {
    server.setFault('no-token');
    const output = await obtain(server.issue('alice', { rotating: true }));
    expect(output).toEqual({
      json: undefined,
      exit: 1,
      message: 'invalid answer of the mytoken server: it has no access_token',
    });
    expect(kept.map((text) => server.isUsable(text))).toEqual([true]);
  });

  it('is not printed if the new mytoken cannot be stored', async () => {
    const keep = (): never => {
      throw new Error('ENOSPC');
    };
    expect(await obtain(server.issue('alice', { rotating: true }), { keep })).toEqual({
      json: undefined,
      exit: 1,
      message: 'ENOSPC',
    });
  });
});

describe('a transfer code', () => {
  it('is exchanged once; its mytoken is kept before it is used', async () => {
    const mytoken = server.issue('alice');
    const code = { kind: 'transfer_code', text: server.transferCode(mytoken) } as const;
    const keep = (text: string): void => {
      kept.push(text);
      expect(server.requests.map(({ path }) => path)).not.toContain('/api/v0/token/access');
    };
    expect((await obtain(code, { keep })).exit).toBe(0);
    expect(kept).toEqual([mytoken]);
    expect((await obtain(code)).json).toEqual({
      error: 'invalid_grant',
      error_description:
        'the mytoken server rejects the transfer code: Bad polling or transfer code',
    });
  });

  it('of a mytoken that is replaced keeps both, the newer one last', async () => {
    const mytoken = server.issue('alice', { rotating: true });
    await obtain({ kind: 'transfer_code', text: server.transferCode(mytoken) });
    expect(kept.map((text) => server.isUsable(text))).toEqual([false, true]);
  });

  it('that has expired is an end', async () => {
    const code = server.transferCode(server.issue('alice'));
    server.expireCode(code);
    expect((await obtain({ kind: 'transfer_code', text: code })).json).toMatchObject({
      error: 'invalid_grant',
    });
  });

  it('can be exchanged without an access token', async () => {
    const { send, close } = createSend();
    const options = { server: server.url, issuer: undefined, allowLoopbackHttp: true };
    const ports = { ask: send, send, now: () => NOW, keep: (text: string) => kept.push(text) };
    const mytoken = server.issue('alice');
    const code = server.transferCode(mytoken);
    expect(await redeemCode(code, options, ports)).toEqual({ json: undefined, exit: 0 });
    expect(kept).toEqual([mytoken]);
    expect(await redeemCode(code, options, ports)).toMatchObject({
      exit: 1,
      message: expect.stringContaining('rejects the transfer code'),
    });
    await close();
    await server.close();
    expect((await redeemCode(code, options, ports)).exit).toBe(1);
  });
});

const REFUSED: readonly (readonly [string, MytokenRights, object])[] = [
  [
    'without the capability AT',
    { capabilities: ['tokeninfo'] },
    { error: 'invalid_grant', error_description: 'the mytoken lacks the capability AT' },
  ],
  [
    'for other scopes',
    { restrictions: [{ scope: 'compute' }] },
    {
      error: 'invalid_grant',
      error_description:
        'the restrictions of the mytoken do not allow this: scopes, audience, host or number of uses',
    },
  ],
  ['that is used up', { restrictions: [{ usages_AT: 0 }] }, { error: 'invalid_grant' }],
  [
    'that is not valid yet',
    { restrictions: [{ nbf: NOW * 2 }] },
    {
      error: 'temporarily_unavailable',
      error_description: 'the restrictions of the mytoken do not allow this yet',
      retry_after: 86_400,
    },
  ],
  [
    'with a schedule',
    { restrictions: [{ schedule: {} }] },
    {
      error: 'temporarily_unavailable',
      error_description: 'the restrictions of the mytoken do not allow this now',
    },
  ],
  [
    'that is opaque and restricted',
    { short: true, restrictions: [{ usages_AT: 0 }] },
    { error: 'temporarily_unavailable' },
  ],
  [
    'of another provider',
    { issuer: 'https://other.example' },
    {
      error: 'invalid_grant',
      error_description: 'the mytoken is of another OpenID provider than --issuer',
    },
  ],
];

describe('R9 a mytoken', () => {
  it.each(REFUSED)('%s', async (_title, rights, json) => {
    const output = await obtain(server.issue('alice', rights), { scopes: ['openid'], issuer: OP });
    expect(output).toEqual({ json: expect.objectContaining(json), exit: 1 });
  });

  it('that is revoked or unknown must be stored again', async () => {
    const mytoken = server.issue('alice');
    server.revoke(mytoken);
    expect((await obtain(mytoken)).json).toEqual({
      error: 'invalid_grant',
      error_description: 'the mytoken server rejects the mytoken',
    });
    expect((await obtain('unknown')).json).toEqual({
      error: 'invalid_grant',
      error_description: 'the mytoken server rejects the mytoken: token not valid',
    });
  });

  it.each([
    ['invalid_grant: Token is not active', 'invalid_grant'],
    ['interaction_required', 'invalid_grant'],
    ['invalid_scope: unknown scope', 'invalid_scope'],
    ['invalid_client: bad secret', 'temporarily_unavailable'],
    ['', 'temporarily_unavailable'],
  ])('whose provider answers %j', async (text, error) => {
    server.setProviderError(text);
    expect((await obtain(server.issue('alice'))).json).toMatchObject({
      error,
      error_description: expect.stringMatching(/^the OpenID provider answered /),
    });
  });
});

describe('a server', () => {
  it.each<[MytokenFault, object]>([
    ['hang', { json: expect.objectContaining({ error: 'temporarily_unavailable' }), exit: 1 }],
    [
      'internal',
      {
        json: {
          error: 'temporarily_unavailable',
          error_description: 'the mytoken server answered HTTP status 500: database is locked',
        },
        exit: 1,
      },
    ],
    [
      'busy',
      {
        json: {
          error: 'temporarily_unavailable',
          error_description: 'the mytoken server answered HTTP status 429',
          retry_after: 77,
        },
        exit: 1,
      },
    ],
    ['html', { json: undefined, exit: 1, message: expect.stringContaining('no access_token') }],
    ['redirect', { json: undefined, exit: 1, message: expect.stringContaining('status 302') }],
    ['other-host', { json: undefined, exit: 1, message: expect.stringContaining('another host') }],
  ])('R14 with the fault %s', async (fault, output) => {
    const mytoken = server.issue('alice');
    server.setFault(fault);
    expect(await obtain(mytoken)).toEqual(output);
    // The mytoken went nowhere else.
    const paths = server.requests.map(({ path }) => path);
    expect(paths.filter((path) => path.startsWith('/api'))).toHaveLength(
      ['hang', 'other-host'].includes(fault) ? 0 : 1,
    );
  });

  it('R43 that repeats the mytoken in its error: it is not printed', async () => {
    const mytoken = server.issue('alice', { short: true });
    server.setFault('echo');
    const output = JSON.stringify(await obtain(mytoken));
    expect(output).toContain('the token [...] is odd');
    expect(output).not.toContain(mytoken);
  });

  it('that is another one says so', async () => {
    const output = await obtain('mt', { url: `${server.url}/elsewhere` });
    expect(output).toEqual({
      json: undefined,
      exit: 1,
      message: `${server.url}/elsewhere answered HTTP status 404 for its metadata`,
    });
  });

  it('that is gone is tried again', async () => {
    await server.close();
    expect((await obtain('mt')).json).toMatchObject({ error: 'temporarily_unavailable' });
  });
});

describe('the output', () => {
  const refusal: ProgramOutput = {
    json: { error: 'invalid_grant', error_description: 'gone' },
    exit: 1,
  };

  it('gives the daemon a kept mytoken to store', () => {
    expect(withKept({ json: { access_token: 'at' }, exit: 0 }, 'mt')).toEqual({
      json: { access_token: 'at', refresh_token: 'mt' },
      exit: 0,
    });
    expect(withKept(refusal, undefined)).toEqual(refusal);
  });

  it('gives it the mytoken also after a failure, which the next call repeats', () => {
    expect(withKept(refusal, 'mt')).toEqual({
      json: { refresh_token: 'mt' },
      exit: 1,
      message: 'new mytoken stored; gone',
    });
    expect(withKept({ json: undefined, exit: 1, message: 'no' }, 'mt')).toMatchObject({
      message: 'new mytoken stored; no',
    });
  });

  it('for a mytoken file is no end: the daemon does not see a new file', () => {
    expect(ofFile(refusal)).toEqual({
      json: undefined,
      exit: 1,
      message: 'gone; store another one in --mytoken-file',
    });
    const waiting = { json: { error: 'temporarily_unavailable' }, exit: 1 } as const;
    expect(ofFile(waiting)).toEqual(waiting);
  });

  it('without a stored mytoken asks the user for one', () => {
    expect(noLogin('helmholtz').json).toEqual({
      error: 'invalid_grant',
      error_description: 'no mytoken or transfer code in the credential of helmholtz',
    });
  });
});
