// Names looked up by getent: the same results as Node's own lookup, without its thread.
import { chmodSync, closeSync, mkdtempSync, openSync, writeFileSync } from 'node:fs';
import dns, { type LookupAddress, type LookupOptions } from 'node:dns';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { programLookup } from '../../../src/base/process/program-lookup.ts';

const path = process.env['PATH'] ?? '';
afterEach(() => {
  process.env['PATH'] = path;
});

/** The result of a lookup: an error's code and name, or the addresses. */
function answerOf(host: string, options: LookupOptions = {}): Promise<unknown> {
  const lookup = programLookup((...asked) => dns.lookup(...asked));
  return new Promise((resolve) =>
    lookup(host, options, (error, address: string | LookupAddress[], family?: number) =>
      resolve(
        error ? [error.code, error.message] : family === undefined ? address : [address, family],
      ),
    ),
  );
}

/** A getent that runs `script` with the name as `$3`. */
function fakeGetent(script: string): void {
  const folder = mkdtempSync(join(tmpdir(), 'credmon-getent-'));
  writeFileSync(join(folder, 'getent'), `#!/bin/sh\n${script}\n`);
  chmodSync(join(folder, 'getent'), 0o755);
  process.env['PATH'] = `${folder}:${path}`;
}
const TWO = `printf '2001:db8::1     STREAM host\\n2001:db8::1     DGRAM\\n192.0.2.7       STREAM\\n192.0.2.7       RAW\\n'`;
const six = { address: '2001:db8::1', family: 6 };
const four = { address: '192.0.2.7', family: 4 };

it.each([
  ['the first of all addresses', TWO, {}, [six.address, 6]],
  ['all addresses once, in their order', TWO, { all: true }, [six, four]],
  ['those of one family', TWO, { family: 4, all: true }, [four]],
  ['the first of one family', TWO, { family: 4 }, [four.address, 4]],
  ['a family by its name', TWO, { family: 'IPv6' }, [six.address, 6]],
  [
    'no address of the family',
    "printf '192.0.2.7 STREAM h\\n'",
    { family: 6 },
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND a.example'],
  ],
  ['an unknown name', 'exit 2', {}, ['ENOTFOUND', 'getaddrinfo ENOTFOUND a.example']],
  ['a failed lookup', 'exit 3', {}, ['EAI_AGAIN', 'getaddrinfo EAI_AGAIN a.example']],
  [
    'output without an address',
    'echo nonsense',
    {},
    ['ENOTFOUND', 'getaddrinfo ENOTFOUND a.example'],
  ],
] as [string, string, LookupOptions, unknown][])(
  'finds %s',
  async (_, script, options, expected) => {
    fakeGetent(script);
    expect(await answerOf('a.example', options)).toEqual(expected);
  },
);

it('looks up a name that looks like an option', async () => {
  fakeGetent('[ "$2" = -- ] && echo "192.0.2.9 $3"');
  expect(await answerOf('-h')).toEqual(['192.0.2.9', 4]);
});

it('asks Node if there is no getent, and always for localhost', async () => {
  fakeGetent("printf '192.0.2.7 STREAM h\\n'");
  expect(await answerOf('localhost', { family: 4 })).toEqual(['127.0.0.1', 4]);
  process.env['PATH'] = mkdtempSync(join(tmpdir(), 'credmon-empty-'));
  expect(await answerOf('127.0.0.1', { family: 4 })).toEqual(['127.0.0.1', 4]);
});

it('R3 a getent that is being replaced is a failed lookup, and the next one works', async () => {
  fakeGetent(TWO);
  const getent = join((process.env['PATH'] ?? '').split(':')[0] ?? '', 'getent');
  const writer = openSync(getent, 'r+');
  const lookup = programLookup((...asked) => dns.lookup(...asked));
  const ask = (): Promise<unknown> =>
    new Promise((resolve) =>
      lookup('a.example', {}, (error, address) => resolve(error?.code ?? address)),
    );
  const busy = await Promise.all(Array.from({ length: 40 }, ask));
  closeSync(writer);
  expect([new Set(busy), await ask()]).toEqual([new Set(['EAI_AGAIN']), '2001:db8::1']);
});
