// The decision of XRootD about a token: all steps, the user, and where versions differ.
import { describe, expect, it } from 'vitest';
import type { Explanation, SignatureCheck } from '../../src/explain/token-steps.ts';
import { readXrootdConfig } from '../../src/explain/xrootd-config.ts';
import { explainXrootd, type XrootdRequest } from '../../src/explain/xrootd.ts';
import { readCompact } from '../../src/token/compact.ts';
import { signUnchecked } from '../../src/token/sign.ts';
import { EC, NOW } from '../testing.ts';

const VALID: SignatureCheck = { state: 'valid', algorithm: 'ES256' };
const GLOBAL = ['[Global]', 'audience = https://storage.test'];
const ISSUER = ['[Issuer a]', 'issuer = https://a.test', 'base_path = /vo'];
const CLAIMS = {
  iss: 'https://a.test',
  sub: 'alice',
  aud: 'https://storage.test',
  ver: 'scitoken:2.0',
  scope: 'read:/home/alice',
  iat: 1_790_000_000,
  nbf: 1_790_000_000,
  exp: 1_790_000_600,
};
const MAP = '[{"sub": "alice", "path": "/home", "result": "al"}]';

interface Case {
  readonly lines?: readonly string[];
  readonly global?: readonly string[];
  readonly claims?: object;
  readonly request?: XrootdRequest | 'none';
  readonly signature?: SignatureCheck;
  readonly audience?: readonly string[];
}

const READ = { path: '/vo/home/alice/f', operation: 'read' };

function explain({
  lines = [],
  global = GLOBAL,
  claims = {},
  request = READ,
  signature = VALID,
  audience,
}: Case): Explanation {
  const text = [...global, ...ISSUER, ...lines].join('\n');
  const config = readXrootdConfig(text, 's.cfg', () => MAP);
  const token = readCompact(signUnchecked(EC, { ...CLAIMS, ...claims }));
  const asked = request === 'none' ? {} : { request };
  return explainXrootd({ token, signature, now: NOW, config, audience, ...asked });
}

const shown = ({ steps, verdict }: Explanation): string[] => [
  ...steps.map(
    ({ step, state, text, place }) =>
      `${step} ${state}: ${text}${place === undefined ? '' : ` ${place.file}:${place.line}`}`,
  ),
  verdict,
];

describe('XRootD', () => {
  it('accepts a token: every step has its line', () => {
    expect(shown(explain({ lines: ['map_subject = true'] }))).toEqual([
      'issuer ok: https://a.test is [Issuer a] s.cfg:4',
      'signature ok: valid, ES256',
      'profile ok: scitoken:2.0',
      'times ok: expires in 9m59s',
      'audience ok: https://storage.test s.cfg:2',
      'subject ok: alice',
      'scopes ok: read:/home/alice',
      'user ok: alice, from sub s.cfg:6',
      'path ok: read on /vo/home/alice/f: read:/home/alice below base_path /vo s.cfg:5',
      'accepted: read /vo/home/alice/f as alice',
    ]);
  });

  it('judges the token alone without a request', () => {
    const claims = { scope: 'read:/home/alice write:/home openid' };
    const explanation = explain({ claims, request: 'none', lines: ['restricted_path = /home'] });
    expect(shown(explanation).slice(-3)).toEqual([
      'permits ok: read on /vo/home/alice s.cfg:6',
      'permits ok: write on /vo/home s.cfg:6',
      'accepted: the token',
    ]);
  });

  it('says plainly that a signature was not checked', () => {
    const signature = { state: 'not checked', reason: 'no keys' } as const;
    const explanation = explain({ signature });
    expect(explanation).toMatchObject({ accepted: true, signature: 'not checked' });
    expect(shown(explanation)[1]).toBe('signature note: NOT CHECKED: no keys');
    expect(explanation.verdict).toBe(
      'accepted: read /vo/home/alice/f, if the signature is valid: it was not checked',
    );
  });

  it.each<[string, Case, string]>([
    [
      'an issuer that is not configured',
      { claims: { iss: 'https://b.test' } },
      'issuer refused: https://b.test is not configured',
    ],
    [
      'an issuer with another slash',
      { claims: { iss: 'https://a.test/' } },
      'issuer refused: https://a.test/ is not configured; https://a.test differs in the slash at its end s.cfg:4',
    ],
    ['no issuer', { claims: { iss: 1 } }, 'issuer refused: iss is missing or not a string'],
    [
      'an invalid signature',
      { signature: { state: 'invalid', reason: 'bad' } },
      'signature refused: bad',
    ],
    [
      'an expired token',
      { claims: { exp: 1_790_000_000 } },
      'times refused: the token expired 1 s ago',
    ],
    [
      'another audience',
      { claims: { aud: 'x' } },
      `audience refused: the token's audience is "x", accepted is "https://storage.test" s.cfg:2`,
    ],
    [
      'another audience by option',
      { audience: ['y'] },
      `audience refused: the token's audience is "https://storage.test", accepted is "y"`,
    ],
    ['no subject', { claims: { sub: undefined } }, 'subject refused: sub is missing'],
    [
      'no scopes',
      { claims: { scope: undefined } },
      'scopes refused: the claim scope is missing or not a string',
    ],
    [
      'a misleading scope',
      { claims: { scope: 'read:/ write:/x%4' } },
      'scopes refused: the scope "write:/x%4" contains an invalid percent escape',
    ],
    [
      'another operation',
      { request: { ...READ, operation: 'delete' } },
      'path refused: no scope allows delete (needs modify or write) s.cfg:5',
    ],
    [
      'another path',
      { request: { ...READ, path: '/vo/home/alicebob' } },
      'path refused: read is allowed on /vo/home/alice, not on /vo/home/alicebob s.cfg:5',
    ],
    [
      'a path with a parent directory',
      { request: { ...READ, path: '/vo/home/alice/../bob' } },
      'path refused: /vo/home/alice/../bob is not an absolute path without ".."',
    ],
    [
      'a restricted path',
      { lines: ['restricted_path = /data'] },
      'path refused: restricted_path /data excludes /home/alice s.cfg:6',
    ],
    [
      'a missing user name',
      { lines: ['username_claim = uid'] },
      'user refused: the claim uid is missing or not a string s.cfg:6',
    ],
    [
      'scopes that do not count',
      { lines: ['authorization_strategy = group'] },
      'path refused: authorization_strategy of [Issuer a] has no capability: scopes do not count s.cfg:5',
    ],
    [
      'an issuer for other operations',
      { lines: ['acceptable_authorization = write'] },
      'path refused: acceptable_authorization of [Issuer a] is write',
    ],
    [
      'a second issuer that is required',
      {
        lines: [
          '[Issuer b]',
          'issuer = https://b.test',
          'base_path = /',
          'required_authorization = all',
        ],
      },
      'path refused: a token of https://b.test is also required s.cfg:7',
    ],
    [
      'a configuration that is not loaded',
      { lines: ['oops'] },
      'config refused: neither a section nor name = value: XRootD does not load the configuration s.cfg:6',
    ],
  ])('refuses %s, and says why', (_title, question, step) => {
    const explanation = explain(question);
    expect(explanation.accepted).toBe(false);
    expect(explanation.user).toBeUndefined();
    expect(shown(explanation)).toContain(step);
    const { path, operation } = { ...READ, ...(question.request as XrootdRequest | undefined) };
    expect(explanation.verdict).toBe(`refused: ${operation} ${path} (${step.split(' ')[0]})`);
  });

  it('refuses a token without a path of this storage', () => {
    const lines = ['restricted_path = /data'];
    expect(shown(explain({ request: 'none', lines })).slice(-3)).toEqual([
      'permits refused: nothing: no scope is for a path of this storage s.cfg:6',
      'onmissing note: onmissing = passthrough: refused, unless ofs.authlib has another plugin that allows it',
      'refused: the token (permits)',
    ]);
  });

  it.each<[string, Case, object]>([
    ['no user', {}, {}],
    ['the default user', { lines: ['default_user = osg'] }, { user: 'osg' }],
    ['the subject', { lines: ['default_user = osg', 'map_subject = 1'] }, { user: 'alice' }],
    [
      'a claim',
      { lines: ['map_subject = 1', 'username_claim = uid'], claims: { uid: 'u7' } },
      { user: 'u7' },
    ],
    ['a rule', { lines: ['default_user = osg', 'name_mapfile = m'] }, { user: 'al' }],
  ])('maps a token to %s', (_title, question, user) => {
    const { accepted, user: found } = explain(question);
    expect({ accepted, ...(found === undefined ? {} : { user: found }) }).toEqual({
      accepted: true,
      ...user,
    });
  });

  it.each<[string, Case, object]>([
    ['an expired token', { claims: { exp: 1_790_000_000 } }, {}],
    ['another path', { request: { ...READ, path: '/osg' }, lines: ['map_subject = 1'] }, {}],
    [
      'another path, with the user of a rule',
      { request: { ...READ, path: '/vo/home/x' }, lines: ['name_mapfile = m'] },
      { user: 'al' },
    ],
  ])('with onmissing = allow allows %s', (_title, question, user) => {
    const { accepted, verdict, ...rest } = explain({
      ...question,
      global: [...GLOBAL, 'onmissing = allow'],
    });
    expect([accepted, verdict]).toEqual([true, 'accepted: onmissing = allow allows every request']);
    expect(rest).toMatchObject(user);
    expect('user' in rest).toBe('user' in user);
  });

  it('names the groups for the next plugin', () => {
    const claims = { scope: 'openid', 'wlcg.groups': ['/cms', '/cms/prod'] };
    expect(shown(explain({ claims }))).toContain(
      'groups note: /cms, /cms/prod: for the next plugin of ofs.authlib',
    );
  });

  it.each<[string, Case, boolean, string]>([
    [
      'a name that begins alike',
      { request: { ...READ, path: '/vo/home/alicebob' } },
      false,
      'XRootD 5.5 allows this path',
    ],
    [
      'a scope above a restricted path',
      { claims: { scope: 'read:/' }, lines: ['restricted_path = /home'] },
      true,
      'XRootD 5.5 does not allow this path',
    ],
    [
      'a directory above the path',
      { request: { path: '/vo/home', operation: 'stat' } },
      true,
      'XRootD 5.5 does not allow this path',
    ],
    [
      'a claim for the user',
      { lines: ['username_claim = sub'] },
      true,
      'XRootD 5.5 ignores username_claim',
    ],
    [
      'an escape',
      { claims: { scope: 'read:/home/%61lice' } },
      true,
      'libscitokens 0.7 and 1.1 take "%" and "\\" in scopes for letters',
    ],
    [
      'a fraction of a second',
      { claims: { exp: 1_790_000_600.5 } },
      true,
      'libscitokens 0.7 refuses times that are not whole seconds',
    ],
    [
      'a WLCG token without nbf',
      { claims: { ver: undefined, 'wlcg.ver': '1.0', nbf: undefined, scope: 'storage.read:/' } },
      true,
      'libscitokens 0.7 refuses a token without nbf, also a WLCG token',
    ],
  ])('names older versions for %s', (_title, question, accepted, note) => {
    const { steps, ...explanation } = explain(question);
    expect(explanation.accepted).toBe(accepted);
    expect(steps.filter(({ step }) => step === 'older').map(({ text }) => text)).toEqual([note]);
  });

  const WLCG = { ver: undefined, 'wlcg.ver': '1.0' };
  it.each([
    ['storage.read:/', { read: true, list: true, stat: true, create: false, write: false }],
    ['storage.create:/', { read: false, create: true, write: false, delete: false, mkdir: true }],
    ['storage.modify:/', { create: true, write: true, delete: true, rename: true, chmod: true }],
    ['storage.stage:/', { stage: true, poll: true, read: false }],
    ['storage.poll:/', { stage: false, poll: true }],
    ['storage.create:/ storage.modify:/', { create: true, write: true, delete: true }],
  ])('allows by %s: %j', (scope, expected) => {
    const found = Object.keys(expected).map((operation) => [
      operation,
      explain({ claims: { ...WLCG, scope }, request: { ...READ, operation } }).accepted,
    ]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });

  it('warns about the section of the token and about [Global], not about other issuers', () => {
    const other = ['[Issuer b]', 'issuer = https://b.test', 'base_path = /', 'odd = 2'];
    const question = { global: [...GLOBAL, 'odd = 0'], lines: ['odd = 1', ...other] };
    const of = (explanation: Explanation): (number | undefined)[] =>
      explanation.steps.filter(({ step }) => step === 'config').map(({ place }) => place?.line);
    expect(of(explain(question))).toEqual([3, 7]);
    expect(of(explain({ ...question, claims: { iss: 'https://c.test' } }))).toEqual([3, 7, 11]);
  });
});
