// The built `condor_credmon token`: on a terminal, in a pipe, by the daemon for a member of
// a group who is not root, and from the script for factory entries as it stands.
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { execFileSync } from 'node:child_process';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { findSecrets } from '@credmon/test-fixtures/files/find-secrets';
import { jwtClaims } from '@credmon/core/base';
import {
  executablePath,
  startProcess,
  type Child,
} from '@credmon/test-fixtures/processes/processes';
import {
  createKey,
  initKeyDirectory,
  publishInPlace,
  rotateKeys,
  writeKey,
} from '@credmon/scitokens';
import { waitUntil } from '@credmon/test-fixtures/clocks/wait-until';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { isMissing } from '../support/needs.ts';
import { root } from './daemon-runs.ts';

let place: string;
let knobs: Record<string, string>;
/** Another user must be able to enter the directory. */
beforeEach(() => {
  place = mkdtempSync('/tmp/credmon-token-');
  chmodSync(place, 0o755);
  const { privateKey } = createKey({ algorithm: 'ES256' });
  const key = { key: privateKey, kid: 'local', algorithm: 'ES256' } as const;
  writeFileSync(join(place, 'key.pem'), writeKey(key, 'pem-private'), { mode: 0o600 });
  mkdirSync(join(place, 'creds'), { mode: 0o700 });
  knobs = {
    LOG: place,
    CREDMON_OAUTH_LOG: join(place, 'CredMonOAuthLog'),
    CREDMON_RUN_DIR: join(place, 'run'),
    CREDMON_ALLOW_LOOPBACK_HTTP: 'true',
    SEC_CREDENTIAL_DIRECTORY_OAUTH: join(place, 'creds'),
    LOCAL_CREDMON_frontend_ISSUER: 'https://frontend.example/vo',
    LOCAL_CREDMON_frontend_PRIVATE_KEY: join(place, 'key.pem'),
    LOCAL_CREDMON_frontend_AUTHZ_TEMPLATE: 'read:/{username}',
    LOCAL_CREDMON_frontend_TOKEN_AUDIENCE: 'https://data.example',
  };
});
afterEach(() => rmSync(place, { recursive: true }));

function environment(): Record<string, string> {
  const text = Object.entries(knobs).map(([name, value]) => `${name} = ${value}\n`);
  writeFileSync(join(place, 'condor_config'), text.join(''), { mode: 0o644 });
  return {
    CONDOR_CONFIG: join(place, 'condor_config'),
    PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
    HOME: place,
  };
}
const words = (args: readonly string[]): readonly string[] => [
  process.execPath,
  executablePath(root, 'condor_credmon'),
  'token',
  ...args,
];
const sub = (token: string): unknown => jwtClaims(token.trim())?.['sub'];
async function ended(child: Child): Promise<{ code: number | null; output: string }> {
  const { code } = await child.exited;
  return { code, output: child.output };
}

describe.skipIf(process.getuid?.() !== 0)('condor_credmon token', () => {
  const args = ['frontend', '--subject', 'pilot'];

  /** On a terminal of its own. */
  const onTerminal = (
    ...more: readonly string[]
  ): Promise<{ code: number | null; output: string }> => {
    const line = words([...args, ...more]).map((word) => `'${word}'`);
    return ended(startProcess('script', ['-qefc', line.join(' '), '/dev/null'], environment()));
  };

  it('shows a token on a terminal only with --print, and writes one line to the log', async () => {
    const refused = await onTerminal();
    expect([refused.code, refused.output]).toEqual([
      2,
      expect.stringContaining('name a file with --output, or use --print') as unknown,
    ]);
    expect(existsSync(join(place, 'CredMonOAuthLog'))).toBe(false);
    const file = join(place, 'token');
    const written = await onTerminal('--output', file, '--json');
    expect(written.code).toBe(0);
    const token = readFileSync(file, 'utf8').trim();
    const log = readFileSync(join(place, 'CredMonOAuthLog'), 'utf8');
    expect(findSecrets({ token }, { terminal: written.output, log })).toEqual([]);
    expect(log.match(/Audit: .*/g)).toEqual([
      expect.stringMatching(
        /^Audit: signed a token of frontend as user id 0 asked: subject pilot, audience https:\/\/data\.example, scopes "read:\/pilot", lifetime 1200 s, jti [\w-]+; to /,
      ) as unknown,
    ]);
    expect((await onTerminal('--print')).output).toMatch(/^eyJ/);
  });

  it('prints into a pipe', async () => {
    const { code, output } = await ended(
      startProcess('sh', ['-c', '"$@" | cat', 'sh', ...words(args)], environment()),
    );
    expect([code, sub(output)]).toEqual([0, 'pilot']);
  });

  describe.skipIf(isMissing('setpriv'))('of an ordinary user, by the daemon', () => {
    const NOBODY = 65_534;
    /** The group of the user nobody, which is configured. */
    const GROUP = execFileSync('id', ['-gn', '--', `+${NOBODY}`], { encoding: 'utf8' }).trim();
    let daemon: Child | undefined;
    afterEach(async () => {
      await daemon?.stop();
      daemon = undefined;
    });

    const asNobody = (
      ...more: readonly string[]
    ): Promise<{ code: number | null; output: string }> => {
      const ids = ['--reuid', `${NOBODY}`, '--regid', `${NOBODY}`, '--clear-groups'];
      return ended(startProcess('setpriv', [...ids, ...words([...args, ...more])], environment()));
    };
    async function startDaemon(): Promise<void> {
      const [program = '', ...rest] = words([]).slice(0, -1);
      daemon = startProcess(program, rest, environment());
      await waitUntil(() => existsSync(join(place, 'run/daemon.json')), { what: 'the heartbeat' });
    }
    const audits = (): readonly string[] =>
      readFileSync(join(place, 'CredMonOAuthLog'), 'utf8').match(/Audit: .*/g) ?? [];

    it('needs the daemon', async () => {
      const { code, output } = await asNobody();
      expect([code, output]).toEqual([
        1,
        expect.stringContaining('cannot ask for a token: ') as unknown,
      ]);
    });

    it('is issued for a member of the group, with a key that only root can read', async () => {
      knobs['CREDMON_TOKEN_GROUP'] = GROUP;
      await startDaemon();
      const { code, output } = await asNobody(
        '--audience',
        'https://ce.example',
        '--lifetime',
        '60',
      );
      expect([code, jwtClaims(output.trim())]).toMatchObject([
        0,
        { sub: 'pilot', aud: 'https://ce.example', scope: 'read:/pilot' },
      ]);
      expect(audits()).toEqual([
        expect.stringMatching(
          /^Audit: signed a token of frontend as user id 65534 asked: subject pilot, audience https:\/\/ce\.example, scopes "read:\/pilot", lifetime 60 s, jti [\w-]+; to standard output$/,
        ) as unknown,
      ]);
      expect(
        findSecrets(
          { token: output.trim() },
          { log: readFileSync(join(place, 'CredMonOAuthLog'), 'utf8') },
        ),
      ).toEqual([]);
      const denied = await asNobody('--scope', 'read:/bob');
      expect([denied.code, denied.output]).toEqual([
        1,
        expect.stringContaining('do not give the scopes read:/bob for pilot') as unknown,
      ]);
      // The answers are files of that user alone, in a directory that nobody can list.
      expect(statSync(join(place, 'run/results')).mode & 0o777).toBe(0o711);
      for (const name of readdirSync(join(place, 'run/results'))) {
        const { mode, uid } = statSync(join(place, 'run/results', name));
        expect([mode & 0o777, uid]).toEqual([0o400, NOBODY]);
      }
    });

    it('is refused for others', async () => {
      knobs['CREDMON_TOKEN_GROUP'] = 'daemon';
      await startDaemon();
      const { code, output } = await asNobody();
      expect([code, output]).toEqual([
        1,
        expect.stringContaining(
          'only root and the members of the group daemon may issue a token',
        ) as unknown,
      ]);
      expect(audits()).toEqual([]);
    });
  });
});

describe('configs/glideinwms/entry-tokens.sh with entries.conf', () => {
  it('makes a token for each entry of a list, and goes on after one that fails', async () => {
    const folder = join(root, 'configs/glideinwms');
    const keys = join(place, 'keys');
    const now = Math.floor(Date.now() / 1000) - 10;
    initKeyDirectory(keys);
    rotateKeys(keys, { now });
    publishInPlace(keys, now);
    rotateKeys(keys, { now });
    const text = readFileSync(join(folder, 'entries.conf'), 'utf8').replace(
      '/etc/condor/frontend-keys',
      keys,
    );
    writeFileSync(
      join(place, 'condor_config'),
      `LOG = ${place}\nSEC_CREDENTIAL_DIRECTORY_OAUTH = ${place}/creds\n${text}`,
    );
    const bin = join(place, 'bin');
    mkdirSync(bin);
    const program = `#!/bin/sh\nexec '${process.execPath}' '${executablePath(root, 'condor_credmon')}' "$@"\n`;
    writeFileSync(join(bin, 'condor_credmon'), program, { mode: 0o755 });
    const list = join(place, 'entries');
    writeFileSync(
      list,
      '# entries\n\nce1 ce1.example.edu:9619\nbad/name x\nce2 ce2.example.edu:9619\n',
    );
    const tokens = join(place, 'tokens.d');
    mkdirSync(tokens);
    const { code, output } = await ended(
      startProcess(join(folder, 'entry-tokens.sh'), [list, tokens, userInfo().username], {
        CONDOR_CONFIG: join(place, 'condor_config'),
        PATH: `${bin}:/usr/bin:/bin`,
      }),
    );
    expect([code, output]).toEqual([
      1,
      expect.stringContaining('"vofrontend-bad/name" is not a valid subject') as unknown,
    ]);
    expect(readdirSync(tokens).sort()).toEqual(['ce1.scitoken', 'ce2.scitoken']);
    const token = readFileSync(join(tokens, 'ce2.scitoken'), 'utf8').trim();
    expect(jwtClaims(token)).toMatchObject({
      'wlcg.ver': '1.0',
      iss: 'https://frontend.example.org/vo',
      sub: 'vofrontend-ce2',
      aud: 'ce2.example.edu:9619',
      scope: 'compute.read compute.modify compute.create compute.cancel',
    });
  });
});
