// npm run demo -- --pool, as the README says it: the journey of a user with the real
// condor_submit, with and without a person, and nothing is left behind.
import { readdirSync, readlinkSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loginThroughPortal } from '@credmon/test-fixtures/browsers/browserless-login';
import { httpBrowser } from '@credmon/test-fixtures/browsers/http-browser';
import { isPoolMissing } from '@credmon/test-fixtures/pool/root-directory';
import { describe, expect, it } from 'vitest';
import { createDemoRuns, outcome } from '../support/demo-runs.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** The processes of a pool are those of a process namespace. */
function membersOf(namespace: string): string[] {
  return readdirSync('/proc').filter((pid) => /^\d+$/.test(pid) && namespaceOf(pid) === namespace);
}

function namespaceOf(pid: string): string {
  try {
    return readlinkSync(`/proc/${pid}/ns/pid`);
  } catch {
    return '';
  }
}

describe.skipIf(isPoolMissing())('npm run demo -- --pool', () => {
  // Both at once, because they mostly wait.
  it.concurrent(
    '--auto signs in, sees the job read renewed tokens, checks, and exits with 0',
    async () => {
      const runs = createDemoRuns(root);
      const child = runs.demo('--pool', '--auto', '--ttl', '15');
      expect(await outcome(child)).toBe('exit 0');
      expect(child.output.split('\n').filter((line) => line.startsWith('ok  '))).toEqual([
        'ok  condor_submit prints a link and submits nothing',
        'ok  the sign-in ends on a page that says so',
        'ok  condor_submit submits the job',
        'ok  the running job read 3 tokens',
        'ok  none of them was expired',
        'ok  the issuer saw rotated refresh tokens in use',
        'ok  the issuer saw no refresh token twice',
        'ok  no secret is in any log',
      ]);
      expect(child.output).toMatch(/demo: all of this held, in \d+ s/);
      expect([readdirSync(runs.temporary), runs.processes()]).toEqual([[], []]);
      runs.remove();
    },
  );

  it.concurrent(
    'shows what alice types, waits for the sign-in, follows the job, and ends at Ctrl-C',
    async () => {
      const runs = createDemoRuns(root);
      const child = runs.demo('--pool', '--ttl', '15');
      const [, link = ''] = await child.printed(/browser on this machine:\s+(http:\S+)\n/);
      expect(child.output).toMatch(/^alice\$ cat job\.sub\nexecutable = /m);
      expect(child.output).toContain(`alice$ condor_submit job.sub\nSubmitting job(s)\n`);
      expect(child.output).toContain(`Please visit: ${link}\n`);
      await child.printed(/Waiting for your sign-in/);
      await loginThroughPortal(link);
      await child.printed(/1 job\(s\) submitted to cluster 1\./);
      await child.printed(/UTC {2}the job reads token 2, which is valid for \d+ s$/m);
      expect(child.output).not.toContain('EXPIRED');
      for (const line of child.output.split('\n').filter((text) => !text.includes('/key/')))
        expect(line.length).toBeLessThanOrEqual(80);

      const [pool = ''] = runs
        .processes()
        .map(({ pid }) => namespaceOf(pid))
        .filter((namespace) => namespace !== namespaceOf('self'));
      expect(membersOf(pool).length).toBeGreaterThan(5);
      child.signal('SIGINT');
      expect(await outcome(child)).toBe('exit 0');
      expect([readdirSync(runs.temporary), runs.processes(), membersOf(pool)]).toEqual([
        [],
        [],
        [],
      ]);
      await expect(httpBrowser().open(link)).rejects.toThrow(/ECONNREFUSED/);
      runs.remove();
    },
  );
});
