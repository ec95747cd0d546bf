// What `scitokens token explain` says of a token and a configuration, and what a real
// XRootD with the same configuration does.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { AUDIENCE, startCompared, type Asked, type Compared } from './explanation.ts';
import { isXrootdMissing } from './needs.ts';
import type { Sections } from './rig.ts';

const missing = isXrootdMissing();
const LONG = 'a-name-of-an-issuer-that-is-much-longer-than-49';

/** Each issuer's section, without its line `issuer`. */
const SECTIONS: Sections = {
  plain: ['base_path = /'],
  below: ['base_path = /vo'],
  two: ['base_path = /osg, /vo'],
  restricted: ['base_path = /', 'restricted_path = /home/alice /osg'],
  narrow: ['base_path = /vo', 'restricted_path = /home'],
  subject: ['base_path = /', 'map_subject = yes', 'default_user = osg'],
  user: ['base_path = /', 'default_user = osg'],
  named: ['base_path = /', 'default_user = osg', 'name_mapfile = DIR/names.json'],
  vonamed: ['base_path = /vo', 'map_subject = True', 'name_mapfile = DIR/vo.json'],
  comment: ['base_path = /vo ; a comment', '; another', '# another', 'Default_User: osg'],
  twice: ['base_path = /osg', 'base_path = /vo'],
  continued: ['base_path = /osg', '  /vo'],
  empty: ['base_path ='],
  // Read in pieces of 199 bytes: the last is a continuation, another setting, or an error.
  fits: [`base_path = ${'/x,'.repeat(61)}/vo`],
  replaced: [`base_path = ${'/x,'.repeat(62)}  /osg,/y`],
  cut: [`base_path = ${'/x,'.repeat(61)}/osgdefault_user = cut`],
  relative: ['base_path = osg'],
  [`${LONG}-one`]: ['base_path = /osg'],
  [`${LONG}-two`]: ['base_path = /vo'],
};
const FILES = {
  'names.json': JSON.stringify([
    { sub: 'bob', result: 'bob' },
    { sub: 'alice', path: '/home//alice', result: 'al' },
    { sub: 'alice', path: '/osg', result: 'ignored', ignore: 'for a test' },
    { group: '/cms', path: '/vo', result: 'cms', comment: 'members' },
    { group: '/cms', path: '/vo', result: 'second' },
  ]),
  'vo.json': JSON.stringify([{ path: '/home', result: 'homes' }]),
};

const read = (path: string): Asked => ({ operation: 'read', path });
const write = (path: string): Asked => ({ operation: 'write', path });
const create = (path: string): Asked => ({ operation: 'create', path });
const remove = (path: string): Asked => ({ operation: 'delete', path });

type Row = readonly [issuer: string, what: string, claims: object, asked: Asked];

/** Both agree. */
const SAME: readonly Row[] = [
  ['plain', 'reading', {}, read('/home/alice/f')],
  ['plain', 'a scope for the directory', { scope: 'read:/home/alice' }, read('/home/alice/f')],
  ['plain', 'a scope beside it', { scope: 'read:/home/bob' }, read('/home/alice/f')],
  ['plain', 'a scope below it', { scope: 'read:/home/alice/x' }, read('/home/alice/f')],
  ['plain', 'a scope without a path', { scope: 'read' }, read('/home/alice/f')],
  ['plain', 'reading with write', { scope: 'write:/' }, read('/home/alice/f')],
  ['plain', 'writing with read', { scope: 'read:/' }, write('/home/alice/new')],
  ['plain', 'no scopes', { scope: '' }, read('/home/alice/f')],
  ['plain', 'no scope claim', { scope: undefined }, read('/home/alice/f')],
  ['plain', 'a list of scopes', { scope: ['read:/'] }, read('/home/alice/f')],
  ['plain', 'deleting', {}, remove('/osg/old')],
  ['plain', 'deleting with read', { scope: 'read:/' }, remove('/osg/f')],
  ['plain', 'a new directory', { scope: 'write:/osg' }, { operation: 'mkdir', path: '/osg/d' }],
  [
    'plain',
    'a directory elsewhere',
    { scope: 'write:/osg' },
    { operation: 'mkdir', path: '/vo/d' },
  ],
  ['plain', 'another audience', { aud: 'https://other.test' }, read('/home/alice/f')],
  ['plain', 'a list with the audience', { aud: ['x', AUDIENCE] }, read('/home/alice/f')],
  ['plain', 'an audience in capital letters', { aud: AUDIENCE.toUpperCase() }, read('/osg/f')],
  ['plain', 'ANY', { aud: 'ANY' }, read('/home/alice/f')],
  ['plain', 'ANY without a version', { aud: 'ANY', ver: undefined }, read('/home/alice/f')],
  ['plain', 'no audience', { aud: undefined }, read('/home/alice/f')],
  ['plain', 'the second audience', { aud: 'second' }, read('/home/alice/f')],
  ['plain', 'version 1 with an unknown claim', { ver: undefined, x: 1 }, read('/osg/f')],
  ['plain', 'version 1', { ver: undefined }, read('/osg/f')],
  ['plain', 'an unknown version', { ver: 'scitoken:3.0' }, read('/osg/f')],
  ['plain', 'expired', { exp: 1_700_000_000 }, read('/osg/f')],
  ['plain', 'not yet valid', { nbf: 4_000_000_000 }, read('/osg/f')],
  ['plain', 'no expiry', { exp: undefined }, read('/osg/f')],
  ['plain', 'no subject', { sub: undefined }, read('/osg/f')],
  ['plain', 'an issuer that is not configured', { iss: 'https://x.test' }, read('/osg/f')],
  ['below', 'the base path', { scope: 'read:/home' }, read('/vo/home/f')],
  ['below', 'the path of the scope', { scope: 'read:/home' }, read('/home/alice/f')],
  ['below', 'all of it', {}, write('/vo/new')],
  ['two', 'the first base path', {}, read('/osg/f')],
  ['two', 'the second base path', {}, read('/vo/f')],
  ['two', 'no base path', {}, read('/home/alice/f')],
  ['restricted', 'a scope for it', { scope: 'read:/home/alice' }, read('/home/alice/f')],
  ['restricted', 'a scope below it', { scope: 'write:/osg/x' }, write('/osg/x')],
  ['restricted', 'a scope beside it', { scope: 'read:/vo' }, read('/vo/f')],
  ['narrow', 'a scope for it', { scope: 'read:/home' }, read('/vo/home/f')],
  ['narrow', 'a scope beside it', { scope: 'read:/data' }, read('/vo/data/f')],
  ['subject', 'a user from sub', { sub: 'bob' }, write('/vo/sub')],
  ['user', 'a default user', {}, write('/vo/user')],
  ['named', 'a rule for the subject', { sub: 'bob' }, read('/osg/f')],
  ['named', 'a rule for subject and path', {}, read('/home/alice/f')],
  ['named', 'a rule that is ignored', {}, read('/osg/f')],
  ['named', 'a rule for a group', { sub: 'c', 'wlcg.groups': ['/x', '/cms'] }, read('/vo/f')],
  ['named', 'a group in another path', { sub: 'c', 'wlcg.groups': ['/cms'] }, read('/osg/f')],
  ['named', 'a user without a scope', { sub: 'bob', scope: 'read:/vo' }, read('/osg/f')],
  ['vonamed', 'a rule below the base path', {}, read('/vo/home/f')],
  ['vonamed', 'no rule', {}, read('/vo/f')],
  ['comment', 'comments and case', {}, write('/vo/comment')],
  ['twice', 'the first of two values', {}, read('/osg/f')],
  ['twice', 'the second of two values', {}, read('/vo/f')],
  ['continued', 'a value on the next line', {}, read('/vo/f')],
  ['continued', 'a value with a next line', {}, read('/osg/f')],
  ['fits', 'a line of 199 bytes', {}, write('/vo/fits')],
  ['replaced', 'the beginning of a longer line', {}, read('/x/f')],
  ['replaced', 'the rest of a longer line', {}, write('/osg/replaced')],
  ['cut', 'a longer line that has another setting', {}, write('/osg/cut')],
  ['empty', 'no base path', {}, read('/osg/f')],
  ['relative', 'a relative base path', {}, read('/osg/f')],
  [`${LONG}-one`, 'the first of two names that are cut to one', {}, read('/osg/f')],
  [`${LONG}-two`, 'the second of two names that are cut to one', {}, read('/vo/f')],
];
const WLCG = { ver: undefined, 'wlcg.ver': '1.0' };
const SAME_WLCG: readonly Row[] = [
  ['plain', 'storage.read', { ...WLCG, scope: 'storage.read:/osg' }, read('/osg/f')],
  ['plain', 'a new file', { ...WLCG, scope: 'storage.create:/osg' }, create('/osg/created')],
  ['plain', 'an old file', { ...WLCG, scope: 'storage.create:/osg' }, write('/osg/f')],
  ['plain', 'an old file', { ...WLCG, scope: 'storage.modify:/osg' }, write('/osg/f')],
  ['plain', 'deleting', { ...WLCG, scope: 'storage.create:/osg' }, remove('/osg/f')],
  ['plain', 'groups only', { ...WLCG, scope: '', 'wlcg.groups': ['/cms'] }, read('/osg/f')],
];

/** The XRootD here is older than the one that is explained, and says so. */
const OLDER: readonly (readonly [...Row, accepted: boolean])[] = [
  [
    'plain',
    'a name that begins alike',
    { scope: 'read:/home/alice' },
    read('/home/alicebob/f'),
    false,
  ],
  ['restricted', 'a scope above it', { scope: 'read:/' }, read('/home/alice/f'), true],
  ['plain', 'an escape', { scope: 'read:/home/%61lice' }, read('/home/alice/f'), true],
  ['plain', 'an invalid escape', { scope: 'write:/x%4 read:/osg' }, read('/osg/f'), false],
  ['plain', 'a backslash', { scope: 'read:/osg write:/x\\y' }, read('/osg/f'), false],
  ['plain', 'a fraction', { exp: 4_000_000_000.5 }, read('/osg/f'), true],
  ['plain', 'no nbf', { ...WLCG, nbf: undefined, scope: 'storage.read:/' }, read('/osg/f'), true],
];

describe.skipIf(missing)('explain and XRootD', () => {
  let world: Compared;
  beforeAll(async () => {
    world = await startCompared([`audience = ${AUDIENCE}, second`], SECTIONS, FILES);
  });
  afterAll(() => world?.rig.stop());

  it.each([...SAME, ...SAME_WLCG])('agree for %s: %s', async (issuer, _what, claims, asked) => {
    const bearer = world.sign(issuer, claims);
    const real = await world.real(bearer, asked);
    const { accepted, user } = world.explained(bearer, asked);
    expect({ accepted, ...(accepted ? { user } : {}) }).toEqual({
      accepted: real.accepted,
      ...(real.accepted ? { user: real.user } : {}),
    });
  });

  it.each(OLDER)(
    'name what is older for %s: %s',
    async (issuer, _what, claims, asked, accepted) => {
      const bearer = world.sign(issuer, claims);
      const explained = world.explained(bearer, asked);
      expect([explained.accepted, (await world.real(bearer, asked)).accepted]).toEqual([
        accepted,
        !accepted,
      ]);
      expect(explained.steps.filter(({ step }) => step === 'older')).toHaveLength(1);
    },
  );

  it('agree about signatures', async () => {
    const good = world.sign('plain', {});
    const [header = '', payload = ''] = good.split('.');
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    const other = world.sign('plain', { sub: 'bob' }).split('.')[2] ?? '';
    for (const bearer of [`${header}.${payload}.${other}`, `${none}.${payload}.`]) {
      const [real, explained] = [
        await world.real(bearer, read('/osg/f')),
        world.explained(bearer, read('/osg/f')),
      ];
      expect([real.accepted, explained.accepted]).toEqual([false, false]);
    }
  });
});

describe.skipIf(missing)('explain and XRootD with onmissing = allow', () => {
  let world: Compared;
  beforeAll(async () => {
    const global = ['audience_json = ["a, b", "c"]', 'onmissing = allow'];
    world = await startCompared(global, { vo: ['base_path = /vo', 'map_subject = true'] });
  });
  afterAll(() => world?.rig.stop());

  it.each<readonly [string, object, Asked]>([
    ['an audience with a blank', { aud: 'a, b' }, read('/vo/f')],
    ['another audience', { aud: 'a' }, read('/vo/f')],
    ['another path', { aud: 'c' }, read('/osg/f')],
    ['an expired token', { aud: 'c', exp: 1_700_000_000 }, read('/osg/f')],
    ['an issuer that is not configured', { iss: 'https://x.test' }, read('/osg/f')],
  ])('agree for %s', async (_what, claims, asked) => {
    const bearer = world.sign('vo', claims);
    const [real, { accepted, user }] = [
      await world.real(bearer, asked),
      world.explained(bearer, asked),
    ];
    expect({ accepted, user }).toEqual({ accepted: real.accepted, user: real.user });
  });
});

describe.skipIf(missing)('explain and XRootD without an audience', () => {
  let world: Compared;
  beforeAll(async () => {
    world = await startCompared(['onmissing = deny'], { vo: ['base_path = /vo'] });
  });
  afterAll(() => world?.rig.stop());

  it.each<readonly [string, object]>([
    ['a token without one', { aud: undefined, ver: undefined }],
    ['a token with one', { ver: undefined }],
    ['ANY', { aud: 'ANY' }],
  ])('agree for %s', async (_what, claims) => {
    const bearer = world.sign('vo', claims);
    const asked = read('/vo/f');
    const [real, { accepted }] = [await world.real(bearer, asked), world.explained(bearer, asked)];
    expect(accepted).toBe(real.accepted);
  });
});
