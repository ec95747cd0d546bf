// The log line of a token.
import { expect, it } from 'vitest';
import { auditText } from '../../src/issuance/issue.ts';

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
