// CREDMON_WEB_PREFIX: each invalid form is an error with the reason.
import { describe, expect, it } from 'vitest';
import { createKnobReader } from '@credmon/core/config';
import { isCoded } from '@credmon/core/base';
import { readPrefix } from '../../src/settings/addresses.ts';
import { fakeConfig } from '../support/config.ts';

/** The parsed prefix, or the errors. */
function reading(prefix: string, allowLoopbackHttp = true): unknown {
  const config = fakeConfig({ CREDMON_WEB_PREFIX: prefix });
  const read = createKnobReader(config);
  const value = readPrefix(read, allowLoopbackHttp);
  try {
    read.finish();
    return value;
  } catch (error) {
    if (!isCoded(error, 'CONFIG_INVALID')) throw error;
    return error.message
      .split('\n')
      .slice(1)
      .map((line) =>
        line.replace(/^test\.conf, line 1: CREDMON_WEB_PREFIX = .* cannot be used: /, ''),
      );
  }
}

const BLANK = 'it contains white space';
const HOST = 'its host is not a host name or an IP address';
const PATH = 'its path may contain only letters, digits and . _ ~ - (no percent-encoding)';
const SLASHES = 'its path contains //';
const STEP = 'its path contains /./ or /../';
const END =
  'it ends with a slash, but CredD appends one; remove the slash here and in the redirect URIs at the providers';
const USER = 'it contains user information';
const NO_URL = 'it is not a URL such as https://host or https://host/path';

describe('the prefix', () => {
  it.each([
    ['https://h.example', '', true],
    ['https://h.example:8443', '', true],
    ['https://H.example/credmon', '/credmon', true],
    ['https://h.example/a/b-c_d.e~f', '/a/b-c_d.e~f', true],
    ['https://[2001:db8::1]/x', '/x', true],
    ['http://127.0.0.1:8081', '', false],
  ])('%s is valid', (prefix, mount, secure) => {
    expect(reading(prefix)).toEqual({ prefix, mount, secure });
  });

  it.each([
    ['https://h.example/', [END]],
    ['https://h.example//x', [SLASHES]],
    ['https://h.example/x//y', [SLASHES]],
    ['https://h.example/x/', [END]],
    ['https://h.example//', [SLASHES, END]],
    ['https://h.example/a b', [BLANK, PATH]],
    ['https://h.example/*', [PATH]],
    ['https://*.example/x', [HOST]],
    ['https://h.example/:key', [PATH]],
    ['https://h.example/a%2fb', [PATH]],
    ['https://h.example/%2e%2e/x', [PATH]],
    ['https://h.example\\x', [PATH]],
    ['https://h.example/../x', [STEP]],
    ['https://h.example/x/.', [STEP]],
    ['https://h.example/x?a=b', ['it has a query']],
    ['https://h.example/x#y', ['it has a fragment']],
    ['https://h.example?a#b', ['it has a query', 'it has a fragment']],
    ['https://user:canary@h.example', [USER]],
    ['https://@h.example', [USER]],
    ['https://h.example:x', [HOST]],
    ['https://', [HOST]],
    ['h.example', [NO_URL]],
    ['https:/h.example', [NO_URL]],
    ['ftp://h.example', ['CREDMON_WEB_PREFIX (ftp://h.example) rejected: must begin with https:']],
    ['https://h.example:99999', ['CREDMON_WEB_PREFIX is not a URL']],
    ['https://u@h.example//a b/?q', [BLANK, USER, PATH, SLASHES, END, 'it has a query']],
  ])('%s is invalid', (prefix, problems) => {
    expect(reading(prefix)).toEqual(problems);
  });

  it('R43 is not shown with a password', () => {
    const config = fakeConfig({ CREDMON_WEB_PREFIX: 'https://u:canary@h.example/x' });
    const read = createKnobReader(config);
    readPrefix(read, false);
    expect(() => read.finish()).toThrow('https://...@h.example/x');
    expect(() => read.finish()).not.toThrow('canary');
  });
});
