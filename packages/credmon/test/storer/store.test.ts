// What the storer does with a request before anybody is asked to log in.
import { CodedError, createSend, DEFAULT_SEND_LIMITS } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { describe, expect, it } from 'vitest';
import { confidentialClient } from '../../src/storer/device-login.ts';
import { parseRequest } from '../../src/storer/arguments.ts';
import { readStorerSettings } from '../../src/storer/settings.ts';
import { storeAll } from '../../src/storer/store.ts';
import type { Stored } from '../../src/storer/programs.ts';

const KNOBS = { lab_CLIENT_ID: 'ap', lab_TOKEN_URL: 'https://issuer.example/token' };
const SECRET = { lab_CLIENT_SECRET_FILE: '/etc/condor/lab.secret' };
const REFUSED =
  'lab has a client secret (lab_CLIENT_SECRET_FILE = /etc/condor/lab.secret), and a device login runs as the user, who must not read it: the administrator registers a public client for device logins and leaves lab_CLIENT_SECRET_FILE out, or users log in with a browser instead';

/** Who started the storer. */
interface Starter {
  readonly bySubmit: boolean;
  readonly storesAlone: boolean;
}

/** The code and text of the error, with everything that was said before it. */
async function store(
  knobs: Record<string, string>,
  {
    stored = 'no',
    terminal = true,
    asked = 'lab',
    ...context
  }: { stored?: Stored; terminal?: boolean; asked?: string } & Partial<Starter> = {},
): Promise<readonly [string, string, readonly string[]]> {
  const printed: string[] = [];
  const env = Object.fromEntries(
    Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  const config = loadConfig({ subsystem: 'TOOL', env: { CONDOR_CONFIG: 'ONLY_ENV', ...env } });
  const { send, close } = createSend(DEFAULT_SEND_LIMITS);
  const ports = {
    send,
    clock: { now: () => 0, steady: () => 0, wait: async () => undefined },
    terminal: terminal
      ? { descriptor: 1, print: (text: string) => void printed.push(text) }
      : undefined,
    stderr: 2,
    run: async () => ({ code: 1, output: '' }),
    storeCred: {
      query: async () => stored,
      add: async () => undefined,
      addUse: async () => undefined,
    },
    unicode: false,
    mode: undefined,
    say: (text: string) => void printed.push(text),
    ...context,
  };
  try {
    const requests = asked.split(' ').map(parseRequest);
    await storeAll(ports, requests, readStorerSettings(config), false);
    return ['stored', '', printed];
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    return [error.code, error.message, printed];
  } finally {
    await close();
  }
}

it.each([true, false])(
  'R19 R29 a client with a secret starts no device login, and the error says why (terminal: %s)',
  async (terminal) => {
    expect(await store({ ...KNOBS, ...SECRET }, { terminal })).toEqual([
      'CONFIG_INVALID',
      REFUSED,
      ['lab is not stored: device login'],
    ]);
  },
);

it('R19 a stored credential is not replaced, with any client', async () => {
  expect(await store({ ...KNOBS, ...SECRET }, { stored: 'yes' })).toEqual([
    'stored',
    '',
    ['lab is already stored'],
  ]);
});

describe('a name of condor_submit that is not for the storer', () => {
  // HTCondor 23.9: the job is submitted with the tokens that are stored after the storer.
  const old = { bySubmit: true, storesAlone: true };
  const web = { ...KNOBS, ...SECRET };
  const skipped = 'lab is skipped: users sign in on the web';

  it('is left alone if its token is stored', async () => {
    expect(await store(web, { ...old, stored: 'yes' })).toEqual(['stored', '', [skipped]]);
  });

  it('with other scopes than stored fails the submit', async () => {
    const [code, text] = await store(web, { ...old, stored: 'mismatch' });
    expect([code, text]).toEqual([
      'LOGIN_REFUSED',
      'lab is stored for other scopes or another audience, and jobs may be using it; fix: condor_store_cred delete-oauth -s lab',
    ]);
  });

  it('fails the submit if nothing is stored, and says how to get the link of the portal', async () => {
    expect(await store(web, old)).toEqual([
      'TOKEN_NOT_STORED',
      [
        'lab is not stored: users sign in on the web.',
        'Get the link like this, open it in a browser, then submit again as usual:',
        '',
        '    _CONDOR_SEC_CREDENTIAL_STORER= condor_submit FILE',
      ].join('\n'),
      [skipped],
    ]);
  });

  it('that needs no login fails with the command that stores it', async () => {
    const knobs = { LOCAL_CREDMON_PROVIDER_NAMES: 'site' };
    const [code, text] = await store(knobs, { ...old, asked: 'site&scopes=read:/,write:/' });
    expect([code, text]).toEqual([
      'TOKEN_NOT_STORED',
      [
        'site is not stored: it needs no login (local).',
        'Store it once by hand, then submit again. FILE contains {} if it needs no input:',
        '',
        '    condor_store_cred add-oauth -s site -S read:/,write:/ -i FILE',
      ].join('\n'),
    ]);
  });

  it('comes after the logins of the other names', async () => {
    const [code, , printed] = await store(
      { ...web, VAULT_CREDMON_PROVIDER_NAMES: 'dune' },
      { ...old, asked: 'lab dune' },
    );
    expect([code, printed]).toEqual(['PROGRAM_FAILED', ['dune is not stored: vault login']]);
  });

  it('is left alone if condor_submit asks CredD for it after the storer, as since 25.14', async () => {
    expect(await store(web, { bySubmit: true })).toEqual(['stored', '', [skipped]]);
  });
});

it('a client with a secret is not a public client', () => {
  expect([
    confidentialClient('lab', { secretFile: undefined }),
    confidentialClient('lab', { secretFile: '/etc/condor/lab.secret' }),
  ]).toEqual([undefined, REFUSED]);
});
