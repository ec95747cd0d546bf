// The error class: what a catch block can rely on.
import { describe, expect, it } from 'vitest';
import { ERROR_CODES } from '../../../src/base/errors/error-codes.ts';
import { CodedError, isCoded, messageOf, systemCode } from '../../../src/base/errors/errors.ts';

describe('a coded error', () => {
  it('keeps code, fields and cause', () => {
    const cause = Object.assign(new Error('no'), { code: 'ENOSPC' });
    const error = new CodedError('CRED_FILE_IO', 'disk full', { file: 'a.use' }, cause);
    expect(isCoded(error)).toBe(true);
    expect(isCoded(error, 'CONFIG_READ')).toBe(false);
    expect(error.fields).toEqual({ file: 'a.use' });
    expect(systemCode(error)).toBe('ENOSPC');
  });

  it('has no system code without one', () => {
    expect(systemCode(new CodedError('USAGE', 'x'))).toBeUndefined();
    expect(systemCode('text')).toBeUndefined();
  });

  it('gets a text from any thrown value', () => {
    expect([messageOf(new Error('why')), messageOf('text'), messageOf(undefined)]).toEqual([
      'why',
      'text',
      'undefined',
    ]);
  });

  it('finds a system code in a cause, with a depth limit', () => {
    const loop = new Error('loop');
    loop.cause = loop;
    expect(systemCode(loop)).toBeUndefined();
    const inner = Object.assign(new Error('no'), { code: 'ECONNRESET' });
    expect(systemCode(new Error('a', { cause: new Error('b', { cause: inner }) }))).toBe(
      'ECONNRESET',
    );
    expect(systemCode(Object.assign(new Error('lower'), { code: 'not-one' }))).toBeUndefined();
  });

  it.each([
    [-122, 'EDQUOT'],
    [-116, 'ESTALE'],
    [-117, 'EUCLEAN'],
    [-4000, 'ERRNO_4000'],
  ])('R13 names the error number %d, which has no name in Node', (errno, name) => {
    const code = `Unknown system error ${errno}`;
    expect(systemCode(Object.assign(new Error(`${code}: ${code}, fsync`), { code, errno }))).toBe(
      name,
    );
  });

  it('every code has a meaning of one line', () => {
    for (const [code, { text }] of Object.entries(ERROR_CODES)) {
      expect(code).toMatch(/^[A-Z][A-Z_]+$/);
      expect(text).toMatch(/^\S[^\n]+$/);
    }
  });
});
