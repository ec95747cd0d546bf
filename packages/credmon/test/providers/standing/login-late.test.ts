// An answer for a standing token that comes after the time-out: it is stored, and until
// then the refresh token is not sent again.
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HttpResponse } from '@credmon/core/base';
import { expect, it } from 'vitest';
import { beginPass } from '../../../src/daemon/pass.ts';
import { standingFiles, openStandingLogins, storeLogin } from '../../../src/host/standing-files.ts';
import { topOfLogin } from '../../../src/providers/standing/login.ts';
import { withStanding } from '../../../src/providers/standing/store.ts';
import { settingsWith } from '../../support/access-point.ts';
import { bench, json, noAnswer, TOKEN_URL } from '../../support/bench.ts';

const lateAnswer = json({
  access_token: 'late',
  token_type: 'bearer',
  expires_in: 1000,
  refresh_token: 'r2',
});

/** A bench with the standing token `ce1`, whose login gave `r1`. */
function standing() {
  const path = join(mkdtempSync(join(tmpdir(), 'credmon-late-')), 'ce1');
  const knobs = {
    lab_CLIENT_ID: 'ap',
    lab_TOKEN_URL: TOKEN_URL,
    CREDMON_STANDING_TOKENS: 'ce1',
    CREDMON_STANDING_ce1_PROVIDER: 'lab',
    CREDMON_STANDING_ce1_PATH: path,
  };
  const on = bench({ knobs });
  const settings = settingsWith(knobs, on.directory);
  const [token] = settings.standing;
  if (token?.kind !== 'login') throw new Error('no login');
  const logIn = (refreshToken: string): void =>
    storeLogin(on.directory, 'ce1', topOfLogin(token, { refreshToken, subject: undefined, at: 1 }));
  logIn('r1');
  const store = withStanding(
    on.store,
    () => settings.standing,
    standingFiles(on.directory),
    openStandingLogins(on.directory, { locked: true }),
  );
  const ends: ((answer: HttpResponse | Error) => void)[] = [];
  on.answer = (_, timeOut) =>
    new Promise((resolve, reject) => {
      ends.push((answer) => (answer instanceof Error ? reject(answer) : resolve(answer)));
      timeOut?.();
    });
  return {
    on,
    logIn,
    pass: async () => (await beginPass({ ...on.context, store }, on.lookup, on.memory)).settled,
    end: async (index: number, answer: HttpResponse | Error) => {
      const left = on.memory.late.size;
      ends[index]?.(answer);
      await expect.poll(() => on.memory.late.size).toBeLessThan(left);
    },
    sent: () => on.asked.map(({ form }) => form['refresh_token']),
    stored: () =>
      readFileSync(join(on.directory, '.credmon-standing/standing/ce1.top'), 'utf8').includes(
        '"r2"',
      ),
    text: () => readFileSync(path, 'utf8'),
  };
}

it('R12 R13 its late answer is stored, and the refresh token is not sent again meanwhile', async () => {
  const { on, pass, sent, end, stored, text } = standing();
  await pass();
  on.clock.advance(90);
  await pass();
  expect(sent()).toEqual(['r1']);
  await end(0, lateAnswer);
  expect([stored(), text(), on.memory.failures.size]).toEqual([true, 'late\n', 0]);
  on.clock.advance(60);
  await pass();
  expect(sent()).toEqual(['r1']);
});

it('R10 is sent again when the connection has ended without an answer', async () => {
  const { on, pass, sent, end } = standing();
  await pass();
  await end(0, noAnswer(TOKEN_URL));
  on.clock.advance(90);
  await pass();
  expect(sent()).toEqual(['r1', 'r1']);
});

it('R21 does not overwrite another login', async () => {
  const { on, pass, sent, end, logIn, stored, text } = standing();
  await pass();
  logIn('n1');
  on.clock.advance(30);
  await pass();
  expect(sent()).toEqual(['r1', 'n1']);
  await end(1, json({ access_token: 'new', token_type: 'bearer', expires_in: 1000 }));
  await end(0, lateAnswer);
  expect([stored(), text()]).toEqual([false, 'new\n']);
});
