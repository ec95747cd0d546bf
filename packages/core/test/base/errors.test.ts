// The error class: what a catcher can rely on.
import { describe, expect, it } from 'vitest';
import { CodedError, isCoded, systemCode } from '../../src/base/errors.ts';

describe('a coded error', () => {
  it('keeps code, fields and cause', () => {
    const cause = Object.assign(new Error('no'), { code: 'ENOSPC' });
    const error = new CodedError('CRED_FILE_IO', 'disk full', { file: 'a.use' }, cause);
    expect(isCoded(error)).toBe(true);
    expect(isCoded(error, 'CONFIG_READ')).toBe(false);
    expect(error.fields).toEqual({ file: 'a.use' });
    expect(systemCode(error)).toBe('ENOSPC');
  });

  it('finds no system code where there is none', () => {
    expect(systemCode(new CodedError('USAGE', 'x'))).toBeUndefined();
    expect(systemCode('text')).toBeUndefined();
  });
});
