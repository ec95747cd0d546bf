// CREDMON_WEB_SESSION_STORE: valid values, and errors that do not quote the value.
import { describe, expect, it } from 'vitest';
import { createKnobReader } from '@credmon/core/config';
import { readSessionStore } from '../../src/settings/settings.ts';
import { fakeConfig } from '../support/config.ts';

function reading(knobs: Record<string, string>): unknown {
  const read = createKnobReader(fakeConfig(knobs));
  const value = readSessionStore(read);
  try {
    read.finish();
    return value;
  } catch (error) {
    return String(error).split('\n').slice(1).join('\n');
  }
}
const store = (text: string): unknown => reading({ CREDMON_WEB_SESSION_STORE: text });

describe('the session store', () => {
  it.each([
    ['directory', undefined],
    ['unix:/run/redis.sock', { kind: 'unix', path: '/run/redis.sock', database: 0 }],
    ['redis://127.0.0.1', { kind: 'tcp', host: '127.0.0.1', port: 6379, tls: false, database: 0 }],
    ['redis://[::1]:7000/3', { kind: 'tcp', host: '::1', port: 7000, tls: false, database: 3 }],
    [
      'rediss://portal@redis.example/',
      { kind: 'tcp', host: 'redis.example', port: 6379, tls: true, database: 0, user: 'portal' },
    ],
  ])('%s', (text, expected) => {
    expect(store(text)).toEqual(expected);
  });

  it('reads its password from a file', () => {
    const knobs = {
      CREDMON_WEB_SESSION_STORE: 'unix:/s',
      CREDMON_WEB_SESSION_STORE_PASSWORD_FILE: '/p',
    };
    expect(reading(knobs)).toEqual({ kind: 'unix', path: '/s', database: 0, passwordFile: '/p' });
    expect(reading({ CREDMON_WEB_SESSION_STORE_PASSWORD_FILE: '/p' })).toContain(
      'does not name a server',
    );
  });

  it.each([
    ['redis://redis.example', 'use rediss://'],
    ['redis://u:canary@127.0.0.1', 'CREDMON_WEB_SESSION_STORE_PASSWORD_FILE'],
    ['rediss://h/canary', 'rediss://HOST'],
    ['rediss://h/1?canary=1', 'rediss://HOST'],
    ['http://canary', 'rediss://HOST'],
    ['unix:canary', 'an absolute path'],
    ['canary', 'rediss://HOST'],
  ])('R26 R43 %s is an error that does not quote it', (text, expected) => {
    expect(store(text)).toMatch(/^test\.conf, line 1: CREDMON_WEB_SESSION_STORE cannot be used: /);
    expect(store(text)).toContain(expected);
    expect(store(text)).not.toContain('canary');
  });
});
