// The error pages: every error of a login has a page written for users.
import { describe, expect, it } from 'vitest';
import { CodedError, ERROR_CODES } from '@credmon/core/base';
import errorPages from '../../src/pages/error-pages.json' with { type: 'json' };
import { pageFor } from '../../src/pages/send-page.ts';

describe('error pages', () => {
  it.each(Object.entries(errorPages))(
    'R41 %s says what happened and what to do, and is not a bare 500',
    (name, page) => {
      expect(page.status === 500 || page.status < 400).toBe(false);
      expect([page.title, page.happened, page.next].every((text) => text.length > 10)).toBe(true);
      expect(name in ERROR_CODES || /^[a-z-]+$/.test(name)).toBe(true);
    },
  );

  it.each([
    [new CodedError('LOGIN_REFUSED', 'why'), 'LOGIN_REFUSED', 'why'],
    [new CodedError('CRED_FILE_IO', '/secret/path'), 'CRED_FILE_IO', undefined],
    [new CodedError('DIRECTORY_LOCKED', 'x'), 'unexpected', undefined],
    [new Error('secret'), 'unexpected', undefined],
    [{ statusCode: 404 }, 'no-such-page', undefined],
    [{ statusCode: 429 }, 'too-many-requests', undefined],
    [{ statusCode: 503 }, 'busy', undefined],
    [{ statusCode: 415 }, 'bad-request', undefined],
    [{ statusCode: 403, code: 'FST_CSRF_INVALID_TOKEN' }, 'form-expired', undefined],
    [undefined, 'unexpected', undefined],
  ])('%s is shown as %s', (error, name, detail) => {
    const found = pageFor(error);
    expect([found.name, found.detail]).toEqual([name, detail]);
  });
});
