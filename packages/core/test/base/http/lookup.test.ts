// Name lookups that hang, in a separate network namespace whose only name server never
// answers.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { sharedLookup, type Lookup } from '../../../src/base/http/lookup.ts';
import { programOf } from '../../store/child.ts';
import { mayUnshareNetwork } from '../privileges.ts';

it('R1 asks once for concurrent equal lookups, and again later', () => {
  const asked: string[] = [];
  const answers: (() => void)[] = [];
  const ask: Lookup = (host, options, found) => {
    asked.push(`${host} ${options.family}`);
    answers.push(() => found(null, '192.0.2.1', 4));
  };
  const lookup = sharedLookup(ask);
  const found: string[] = [];
  const want = (host: string, family: number): void =>
    lookup(host, { family }, (_, address) => found.push(`${host} ${JSON.stringify(address)}`));
  for (let count = 0; count < 3; count += 1) want('a.example', 4);
  want('a.example', 6);
  want('b.example', 4);
  expect(asked).toEqual(['a.example 4', 'a.example 6', 'b.example 4']);
  for (const answer of answers.splice(0)) answer();
  expect(found).toHaveLength(5);
  want('a.example', 4);
  expect(asked).toHaveLength(4);
});

it('reports a failure to all callers', () => {
  const failure = new Error('ENOTFOUND');
  const lookup = sharedLookup((_host, _options, found) => queueMicrotask(() => found(failure, '')));
  return Promise.all(
    [1, 2].map(
      () =>
        new Promise<void>((resolve) =>
          lookup('a.example', {}, (error) => {
            expect(error).toBe(failure);
            resolve();
          }),
        ),
    ),
  );
});

it.skipIf(!mayUnshareNetwork)(
  'R1 twenty lookups of a name without an answer do not delay the lookup of another name',
  () => {
    const resolver = join(mkdtempSync(join(tmpdir(), 'credmon-lookup-')), 'resolv.conf');
    writeFileSync(resolver, 'nameserver 127.0.0.1\noptions timeout:2 attempts:1\n');
    const program = programOf(`
      import { createSocket } from 'node:dgram';
      import { createServer } from 'node:http';
      import { once } from 'node:events';
      import { createSend } from './base/http/send.ts';
      const silent = createSocket('udp4').bind(53, '127.0.0.1');
      const server = createServer((_, response) => response.end('here')).listen(0, '127.0.0.1');
      await Promise.all([once(silent, 'listening'), once(server, 'listening')]);
      const { send } = createSend({ connectSeconds: 2, totalSeconds: 3, maxBodyBytes: 1000 });
      const hanging = Array.from({ length: 20 }, () => send({ method: 'GET', url: 'http://silent.example/' }));
      const ends = Promise.allSettled(hanging);
      await once(silent, 'message');
      const { body } = await send({ method: 'GET', url: 'http://localhost:' + server.address().port + '/' });
      console.log(Buffer.from(body).toString());
      process.exit();`);
    const steps = 'ip link set lo up && mount --bind "$0" /etc/resolv.conf && exec "$@"';
    const args = [
      '--mount',
      '--net',
      'sh',
      '-c',
      steps,
      resolver,
      process.execPath,
      '--input-type=module',
      '-',
    ];
    const environment = { ...process.env, UV_THREADPOOL_SIZE: '4' };
    const said = execFileSync('unshare', args, {
      input: program,
      encoding: 'utf8',
      env: environment,
    });
    expect(said).toBe('here\n');
  },
);
