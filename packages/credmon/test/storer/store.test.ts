// What the storer does with a request before anybody is asked to log in.
import { CodedError, createSend, DEFAULT_SEND_LIMITS } from '@credmon/core/base';
import { loadConfig } from '@credmon/core/config';
import { expect, it } from 'vitest';
import { confidentialClient } from '../../src/storer/device-login.ts';
import { parseRequest } from '../../src/storer/request.ts';
import { readStorerSettings } from '../../src/storer/settings.ts';
import { storeAll } from '../../src/storer/store.ts';

const KNOBS = { lab_CLIENT_ID: 'ap', lab_TOKEN_URL: 'https://issuer.example/token' };
const SECRET = { lab_CLIENT_SECRET_FILE: '/etc/condor/lab.secret' };
const REFUSED =
  'lab has a client secret (lab_CLIENT_SECRET_FILE = /etc/condor/lab.secret), and a device login runs as the user, who must not read it: the administrator registers a public client for device logins and leaves lab_CLIENT_SECRET_FILE out, or users log in with a browser instead';

/** The code and text of the error, with everything that was said before it. */
async function store(
  knobs: Record<string, string>,
  { stored = false, terminal = true } = {},
): Promise<readonly [string, string, readonly string[]]> {
  const printed: string[] = [];
  const env = Object.fromEntries(
    Object.entries(knobs).map(([name, value]) => [`_CONDOR_${name}`, value]),
  );
  const config = loadConfig({ subsystem: 'TOOL', env: { CONDOR_CONFIG: 'ONLY_ENV', ...env } });
  const { send, close } = createSend(DEFAULT_SEND_LIMITS);
  const context = {
    send,
    clock: { now: () => 0, steady: () => 0, wait: async () => undefined },
    terminal: terminal
      ? { descriptor: 1, print: (text: string) => void printed.push(text) }
      : undefined,
    stderr: 2,
    run: async () => ({ code: 1, output: '' }),
    storeCred: {
      query: async () => (stored ? ('yes' as const) : ('no' as const)),
      add: async () => undefined,
      addUse: async () => undefined,
    },
    unicode: false,
    mode: undefined,
    say: () => undefined,
  };
  try {
    await storeAll(context, [parseRequest('lab')], readStorerSettings(config), false);
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
      [],
    ]);
  },
);

it('R19 a stored credential is not replaced, with any client', async () => {
  expect(await store({ ...KNOBS, ...SECRET }, { stored: true })).toEqual(['stored', '', []]);
});

it('a client with a secret is not a public client', () => {
  expect([
    confidentialClient('lab', { secretFile: undefined }),
    confidentialClient('lab', { secretFile: '/etc/condor/lab.secret' }),
  ]).toEqual([undefined, REFUSED]);
});
