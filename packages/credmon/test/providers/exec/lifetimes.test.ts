// Tokens of a site's own program: their lifetime without expires_in, and bare files.
import { afterEach, beforeEach, expect, it } from 'vitest';
import { accessPoint, type AccessPoint } from '../../support/access-point.ts';

let on: AccessPoint;
beforeEach(() => {
  on = accessPoint();
  on.store('alice/svc.top', '{"scopes":"read"}');
});
afterEach(() => on.close());

/** One pass with a program that prints these members. */
async function passWith(knobs: Record<string, string>, answer: object = {}): Promise<void> {
  const output = JSON.stringify({ access_token: 'opaque', scope: 'read', ...answer });
  const program = on.secret('program', `#!/bin/sh\ncat >/dev/null\necho '${output}'\n`, 0o700);
  on.configure({
    EXEC_CREDMON_PROVIDER_NAMES: 'svc',
    EXEC_CREDMON_svc_COMMAND: program,
    ...knobs,
  });
  await on.pass();
}

it.each([
  ['the general one', {}, { expires_in: 1200 }],
  ['that of its provider', { CREDMON_svc_DEFAULT_TOKEN_LIFETIME: '600' }, { expires_in: 600 }],
  [
    'none, where tokens do not expire',
    { CREDMON_svc_DEFAULT_TOKEN_LIFETIME: 'unlimited' },
    { does_not_expire: true },
  ],
])('R15 a token without a lifetime has %s', async (_, knobs, expected) => {
  await passWith(knobs);
  expect(on.read('alice/svc.use')).toMatchObject({ access_token: 'opaque', ...expected });
});

it('R20 a bare token has its times beside it, and is not fetched at every pass', async () => {
  await passWith({ CREDMON_svc_TOKEN_USE_JSON: 'false' }, { expires_in: 7200 });
  expect(on.text('alice/svc.use')).toBe('opaque\n');
  const issued = on.clock.now();
  expect(on.read('alice/.svc.issued')).toMatchObject({
    issued_at: issued,
    expires_at: issued + 7200,
    scope: 'read',
  });
  on.clock.advance(2000);
  await on.pass();
  expect(on.lines).toEqual(['Successfully renewed alice/svc (exec), good for 7200 s']);
});
