// The log line of a token.
import { auditText, checkWish, chooseScopes } from '../../src/issuance/issue.ts';
import { isCoded } from '@credmon/core/base';
import { describe, expect, it } from 'vitest';

const issued = {
  token: 'CANARY',
  source: 'fetched',
  provider: 'lab',
  subject: undefined,
  audience: [],
  scopes: ['a', 'b'],
  issuedAt: 5,
  expiresAt: Number.POSITIVE_INFINITY,
  jti: undefined,
  note: undefined,
} as const;

it('says what is not known, and never the token', () => {
  expect(auditText(issued, '/t', 'user id 7')).toBe(
    'fetched a token of lab as user id 7 asked: subject unknown, audience none, scopes "a b", lifetime without end, jti none; to /t',
  );
  expect(auditText({ ...issued, expiresAt: 65 }, '/t', 'user id 7')).toContain('lifetime 60 s');
});

const REFUSED = 'refused';
const allowed = {
  provider: 'frontend',
  subject: 'alice',
  byRule: ['read:/alice'],
  further: ['compute.read'],
};

/** The scopes, or the text of the refusal. */
function chosen(asked: readonly string[], change: Partial<typeof allowed> = {}): unknown {
  try {
    return chooseScopes(asked, { ...allowed, ...change });
  } catch (error) {
    return isCoded(error, 'USER_REFUSED') ? `${REFUSED}: ${error.message}` : error;
  }
}

describe('the scopes of a single token', () => {
  it.each<[string, readonly string[], readonly string[]]>([
    ['without a request are those of the rules', [], ['read:/alice']],
    ['are requested ones of the rules', ['read:/alice'], ['read:/alice']],
    ['are paths below those of the rules', ['read:/alice/data'], ['read:/alice/data']],
    ['are those that root added', ['compute.read'], ['compute.read']],
    ['are each named once', ['compute.read', 'compute.read'], ['compute.read']],
  ])('%s', (_, asked, scopes) => {
    expect(chosen(asked)).toEqual(scopes);
  });

  it.each([
    ['another path', 'read:/bob'],
    ['the parent of a path', 'read:/'],
    ['a path with the same beginning', 'read:/alice2'],
    ['a path that leads out', 'read:/alice/../bob'],
    ['another authorization', 'write:/alice'],
    ['an unknown scope', 'compute.create'],
  ])('are not %s', (_, scope) => {
    expect(chosen(['compute.read', scope])).toBe(
      `refused: the rules of frontend do not give the scopes ${scope} for alice; to allow them, set CREDMON_frontend_TOKEN_ALLOW = compute.read ${scope}`,
    );
  });

  it('are named if the rules give none', () => {
    expect(chosen([], { byRule: [] })).toBe(
      'refused: the rules of frontend give no scopes for alice; name them with --scope',
    );
  });
});

describe('a request', () => {
  const wish = { provider: 'p', subject: 'alice', audience: [], scopes: [], lifetime: undefined };
  it.each([
    [{}, undefined],
    [
      { subject: 'vofrontend-ce1', audience: ['https://ce.example:9619'], scopes: ['a.b:/c'] },
      undefined,
    ],
    [{ subject: '../bob' }, '"../bob" is not a valid subject: use letters, digits and "+=_.-"'],
    [{ subject: 'a b' }, '"a b" is not a valid subject: use letters, digits and "+=_.-"'],
    [{ subject: '' }, '"" is not a valid subject: use letters, digits and "+=_.-"'],
    [{ audience: ['a\nAudit: x'] }, '"a\\nAudit: x" is not a valid audience'],
    [{ scopes: ['a"b'] }, String.raw`"a\"b" is not a valid scope`],
  ])('%j', (change, text) => {
    let said: string | undefined;
    try {
      checkWish({ ...wish, ...change });
    } catch (error) {
      said = isCoded(error, 'USAGE') ? error.message : String(error);
    }
    expect(said).toBe(text);
  });
});
