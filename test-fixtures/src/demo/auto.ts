// The demo without a user: logs in, waits for two renewals of every token, and checks the
// result.
import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { loginThroughPortal } from '../browsers/browserless-login.ts';
import { findSecrets, textsBelow } from '../files/find-secrets.ts';
import { visibleText } from '../browsers/html-forms.ts';
import { tokenId } from '../servers/issuer.ts';
import { PATIENCE } from '../clocks/patience.ts';
import { listing, readJson } from '../files/token-files.ts';
import { waitUntil } from '../clocks/wait-until.ts';
import { observe, type Sighting } from './observer.ts';
import { checkAlive, type Stage } from './stage.ts';
import { tableLines } from './table.ts';

const RENEWALS = 2;

/**
 * Runs the checks and prints each with `print`.
 * @throws Error with the reason if a check fails
 */
export async function runAutomatically(
  stage: Stage,
  ttl: number,
  stop: AbortSignal,
  print: (line: string) => void,
): Promise<void> {
  const check = (what: string, holds: boolean, detail = ''): void => {
    if (!holds) throw new Error(`not so: ${what}${detail === '' ? '' : `: ${detail}`}`);
    print(`ok  ${what}`);
  };
  const pages = await loginThroughPortal(stage.keyFile.url);
  check(
    'the login ends on a page that says so',
    visibleText(pages.at(-1)?.body ?? '').includes('All done'),
  );
  const home = dirname(stage.tokens[0]?.usePath ?? '');
  const expected = stage.tokens.flatMap(({ service }) =>
    ['meta', 'top', 'use'].map((kind) => `${service}.${kind} 400`),
  );
  const files = listing(home).filter((name) => !name.startsWith('.'));
  check(
    'the credential directory holds .top, .use and .meta of every token',
    files.join() === expected.sort().join(),
    files.join(', '),
  );
  check('the key file is gone', !existsSync(stage.keyFile.path));
  const first = stage.tokens.map(({ usePath }) => refreshToken(usePath));

  const sightings = await renewals(stage, ttl, stop, print);
  check(
    `every token was renewed ${RENEWALS} times by the daemon`,
    sightings.every(({ renewals }) => renewals >= RENEWALS),
  );
  check(
    'no .use was ever expired',
    sightings.every(({ everExpired }) => !everExpired),
  );
  const { log } = stage.issuer;
  check(
    'the issuer saw rotated refresh tokens in use',
    first.every((token) => log.chain(tokenId(token)).length > RENEWALS),
  );
  check(
    'the issuer saw no refresh token twice',
    log.presentedTwice().length === 0,
    log.presentedTwice().join(', '),
  );
  await checkSilence(stage, first, check);
  const exits = [await stage.daemon.stop(), await stage.portal.stop()];
  check(
    'both processes end with exit code 0',
    exits.every(({ code }) => code === 0),
    JSON.stringify(exits),
  );
}

async function renewals(
  stage: Stage,
  ttl: number,
  stop: AbortSignal,
  print: (line: string) => void,
): Promise<readonly Sighting[]> {
  const observer = observe(stage.tokens);
  let shown = '';
  return waitUntil(
    () => {
      if (stop.aborted) throw new Error('interrupted');
      checkAlive(stage);
      const now = Date.now() / 1000;
      const sightings = observer.look(now);
      const counts = sightings.map(({ renewals }) => renewals).join();
      if (counts !== shown) for (const line of tableLines(sightings, now)) print(`    ${line}`);
      shown = counts;
      return sightings.every(({ renewals }) => renewals >= RENEWALS) ? sightings : undefined;
    },
    { what: `${RENEWALS} renewals of every token`, seconds: ttl * RENEWALS + PATIENCE, every: 0.1 },
  ).catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    throw new Error(`${reason}; the daemon said:\n${stage.daemon.output}`, { cause: error });
  });
}

async function checkSilence(
  stage: Stage,
  refreshTokens: readonly string[],
  check: (what: string, holds: boolean, detail?: string) => void,
): Promise<void> {
  const secrets = {
    'the client secret': stage.clientSecret,
    ...Object.fromEntries(
      refreshTokens.map((token, index) => [`refresh token ${index + 1}`, token]),
    ),
    ...Object.fromEntries(
      stage.tokens.map(({ service, usePath }) => [
        `the access token of ${service}`,
        String(readJson(usePath)['access_token']),
      ]),
    ),
  };
  const texts = {
    ...textsBelow(stage.workspace.logDirectory),
    daemon: stage.daemon.output,
    portal: stage.portal.output,
  };
  const found = findSecrets(secrets, texts);
  check('no secret is in any log', found.length === 0, found.join(', '));
}

function refreshToken(usePath: string): string {
  return String(readJson(usePath.replace(/use$/, 'top'))['refresh_token']);
}
