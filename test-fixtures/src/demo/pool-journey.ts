// The demo with --pool: what alice types, what HTCondor answers, and what her job says about
// its tokens.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { loginThroughPortal } from '../browsers/browserless-login.ts';
import { visibleText } from '../browsers/html-forms.ts';
import { waitUntil } from '../clocks/wait-until.ts';
import { PATIENCE } from '../clocks/patience.ts';
import { findSecrets, textsBelow } from '../files/find-secrets.ts';
import { readJson } from '../files/token-files.ts';
import { tokenId } from '../servers/issuer.ts';
import { JOB, SUBMIT_FILE, type PoolDemo, type PoolStage } from './pool-stage.ts';

const SUBMITTED = /submitted to cluster (\d+)/;
const RENEWALS = 2;

/**
 * Shows the journey until `stop`, with a person at the browser.
 * @throws Error if a process has ended by itself, or HTCondor answers otherwise
 */
export async function runPoolForHuman(stage: PoolStage, demo: PoolDemo): Promise<void> {
  const { print, stop } = demo;
  print(`alice$ cat ${JOB.submit}\n${SUBMIT_FILE}`);
  const link = linkIn(await typed(stage, demo, `condor_submit ${JOB.submit}`));
  print('The job needs a token first. Open this page in a browser on this machine:\n');
  print(`  ${link}\n`);
  print('Ctrl-C ends the demo and leaves nothing behind. Waiting for your sign-in...\n');
  await until(stage, stop, () => existsSync(tokenFile(stage, 'top')));
  if (stop.aborted) return;
  print('You have signed in, and alice submits again:\n');
  await typed(stage, demo, `condor_submit ${JOB.submit}`);
  await followJob(stage, demo, () => false);
}

/**
 * Makes the journey without a person, and prints each check.
 * @throws Error with the reason if a check fails
 */
export async function runPoolAutomatically(stage: PoolStage, demo: PoolDemo): Promise<void> {
  const { print, stop } = demo;
  const check = (what: string, holds: boolean, detail = ''): void => {
    if (!holds) throw new Error(`not so: ${what}${detail === '' ? '' : `: ${detail}`}`);
    print(`ok  ${what}`);
  };
  const first = await typed(stage, demo, `condor_submit ${JOB.submit}`);
  check('condor_submit prints a link and submits nothing', !SUBMITTED.test(first), first);
  const pages = await loginThroughPortal(linkIn(first));
  const last = visibleText(pages.at(-1)?.body ?? '');
  check('the sign-in ends on a page that says so', last.includes('All done'), last);
  const refreshToken = String(readJson(tokenFile(stage, 'top'))['refresh_token']);
  const second = await typed(stage, demo, `condor_submit ${JOB.submit}`);
  check('condor_submit submits the job', SUBMITTED.test(second), second);
  const said = await followJob(stage, demo, (lines) => countTokens(lines) > RENEWALS);
  if (stop.aborted) throw new Error('interrupted');
  check(`the running job read ${RENEWALS + 1} tokens`, countTokens(said) > RENEWALS);
  check('none of them was expired', !said.some((line) => line.includes('EXPIRED')));
  const { log } = stage.provider.issuer;
  const chain = log.chain(tokenId(refreshToken)).length;
  check('the issuer saw rotated refresh tokens in use', chain > RENEWALS, String(chain));
  const twice = log.presentedTwice();
  check('the issuer saw no refresh token twice', twice.length === 0, twice.join(', '));
  const secrets = {
    'the client secret': stage.provider.clientSecret,
    'the refresh token': refreshToken,
    'the access token': String(readJson(tokenFile(stage, 'use'))['access_token']),
  };
  const logs = textsBelow(stage.pool.path('/var/log/condor'));
  const found = findSecrets(secrets, { ...logs, portal: stage.portal.output });
  check('no secret is in any log', found.length === 0, found.join(', '));
}

/** Prints a command line as typed and what it prints; returns that. */
async function typed(stage: PoolStage, { print }: PoolDemo, line: string): Promise<string> {
  print(`alice$ ${line}`);
  const { output } = await stage.alice(line);
  print(`${output.trim()}\n`);
  return output;
}

/** Prints each line of the job when it comes, until `isEnough` or the end of the demo. */
async function followJob(
  stage: PoolStage,
  { print, stop }: PoolDemo,
  isEnough: (lines: readonly string[]) => boolean,
): Promise<readonly string[]> {
  print('The job starts within seconds. It says when it reads a new token:\n');
  const path = `/home/alice/${JOB.output}`;
  let lines: readonly string[] = [];
  await until(stage, stop, () => {
    const all = existsSync(stage.pool.path(path)) ? stage.pool.read(path).split('\n') : [''];
    // The last one is not complete yet.
    const now = all.slice(0, -1);
    for (const line of now.slice(lines.length))
      print(`${new Date().toISOString().slice(11, 19)} UTC  the job ${line}`);
    lines = now;
    return isEnough(lines);
  });
  return lines;
}

/**
 * Waits for `look`, or the end of the demo.
 * @throws Error if a process has ended by itself
 */
async function until(stage: PoolStage, stop: AbortSignal, look: () => boolean): Promise<void> {
  await waitUntil(
    () => {
      for (const child of [stage.master, stage.portal])
        if (child.exit !== undefined && !stop.aborted)
          throw new Error(`${child.name} ended by itself:\n${child.output}`);
      return stop.aborted || look();
    },
    { what: 'the demo', seconds: 1000 * PATIENCE, every: 0.25 },
  );
}

function linkIn(output: string): string {
  const link = /https?:\/\/\S+\/key\/\S+/.exec(output)?.[0];
  if (link === undefined) throw new Error(`condor_submit printed no link:\n${output}`);
  return link;
}

function tokenFile({ pool }: PoolStage, kind: 'top' | 'use'): string {
  return join(pool.credentialDirectory, 'alice', `mytok.${kind}`);
}

function countTokens(lines: readonly string[]): number {
  return lines.filter((line) => line.startsWith('reads token')).length;
}
