// Where metrics may be served, and why not elsewhere.
import { addressText, parseMetricsAddress } from '../../src/settings/metrics-address.ts';
import { settingsWith } from '../support/access-point.ts';
import { describe, expect, it } from 'vitest';

describe('CREDMON_METRICS_LISTEN', () => {
  it.each([
    ['127.0.0.1:9820', { kind: 'tcp', host: '127.0.0.1', port: 9820 }],
    ['[::1]:0', { kind: 'tcp', host: '::1', port: 0 }],
    ['unix:/run/credmon/metrics.sock', { kind: 'unix', path: '/run/credmon/metrics.sock' }],
    ['fd:3', { kind: 'fd', descriptor: 3 }],
  ] as const)('%s is an address, and is written so', (text, address) => {
    const read = parseMetricsAddress(text);
    expect(read).toEqual(address);
    expect(typeof read === 'string' ? '' : addressText(read)).toBe(text);
  });

  it.each([
    ['0.0.0.0:9820', '0.0.0.0 is not a loopback address'],
    ['[::]:9820', ':: is not a loopback address'],
    ['192.0.2.1:9820', '192.0.2.1 is not a loopback address'],
    ['ap.example.org:9820', 'ap.example.org is not a loopback address'],
    ['127.0.0.1', 'it must be'],
    ['9820', 'it must be'],
    ['127.0.0.1:65536', 'it must be'],
    ['::1:9820', 'it must be'],
    ['unix:metrics.sock', 'needs an absolute path'],
    ['fd:x', 'it must be'],
  ])('%s is rejected: %s', (text, why) => {
    expect(parseMetricsAddress(text)).toContain(why);
    expect(() => settingsWith({ CREDMON_METRICS_LISTEN: text })).toThrow(why);
  });

  it('is off when it is not set', () => {
    expect(settingsWith({}).metrics).toBeUndefined();
  });
});

const value = (text?: string): string | undefined => {
  try {
    return settingsWith(text === undefined ? {} : { CREDMON_RUN_DIR: text }).runDir;
  } catch (error) {
    return (error as Error).message;
  }
};

it.each([
  ['/run/condor/credmon', '/run/condor/credmon'],
  ['/run/condor/credmon//', '/run/condor/credmon'],
  ['none', undefined],
  ['None', undefined],
])('%s is %s', (text, expected) => expect(value(text)).toBe(expected));

it('is $(RUN)/credmon by default, but never in the credential directory', () => {
  expect(settingsWith({ LOG: '/log' }).runDir).toBe('/log/credmon');
  expect(settingsWith({ RUN: '/run/condor' }).runDir).toBe('/run/condor/credmon');
  expect(settingsWith({ LOG: '/creds' }).runDir).toBeUndefined();
});

it.each([
  ['credmon', 'CREDMON_RUN_DIR is "credmon": it must be an absolute path, or none'],
  ['$(SEC_CREDENTIAL_DIRECTORY_OAUTH)/run', 'is in the credential directory'],
])('%s is a mistake', (text, expected) => expect(value(text)).toContain(expected));
