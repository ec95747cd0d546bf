// The error class: what a catch block can rely on.
import {
  CodedError,
  ERROR_CODES,
  type ErrorCode,
  isCoded,
  messageOf,
  systemCode,
} from '../../../src/base/errors/errors.ts';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { format, resolveConfig } from 'prettier';
import { describe, expect, it } from 'vitest';

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

const page = fileURLToPath(new URL('../../../../../docs/errors.md', import.meta.url));
const codes = Object.keys(ERROR_CODES) as ErrorCode[];

const HEAD = `# Error codes

Every error has a code. The code is in the log of the portal, in \`condor_credmon status\` (column \`ERROR\`) and in
\`--json\` output. Codes are never renamed.

- **Who acts**: the user, the administrator, or nobody (it passes with time).
- **Retry** is for renewals. *backoff*: retried after a growing delay. *until change*: not retried until a file or the client
  of the token changes. *until restart*: the same, and retried once after a restart of the daemon.
`;

const RETRY = {
  backoff: 'backoff',
  'until-change': 'until change',
  'until-restart': 'until restart',
};
const ACTOR = { user: 'user', administrator: 'administrator', time: 'nobody' };

function errorPage(): string {
  const groups = [...new Set(codes.map((code) => ERROR_CODES[code].group))];
  const sections = groups.map((group) => {
    const rows = codes
      .filter((code) => ERROR_CODES[code].group === group)
      .map((code) => {
        const { text, fix, actor, retry } = ERROR_CODES[code];
        const cells = [`\`${code}\``, text, fix, ACTOR[actor], RETRY[retry]];
        return `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`;
      });
    return `\n## ${group}\n\n| Code | Meaning | What to do | Who acts | Retry |\n| --- | --- | --- | --- | --- |\n${rows.join('')}`;
  });
  return HEAD + sections.join('');
}

/** All columns and their allowed values. */
const COLUMNS: Readonly<Record<string, RegExp>> = {
  group: /^[A-Z]/,
  text: /^.{10,160}$/,
  fix: /^.{5,200}$/,
  actor: /^(?:user|administrator|time)$/,
  outcome: /^(?:revoked|denied|failed)$/,
  retry: /^(?:backoff|until-change|until-restart)$/,
  issuer: /^(?:answered|unavailable|not-asked)$/,
  exit: /^(?:failed|hold|log|usage)$/,
};

describe('the table of error codes', () => {
  it.each(codes)('has every column of %s', (code) => {
    const { step = {}, intended = true, ...row } = ERROR_CODES[code];
    expect(intended).toBe(true);
    expect(Object.keys(row)).toEqual(Object.keys(COLUMNS));
    for (const [column, value] of Object.entries(row))
      expect(value).toMatch(COLUMNS[column] ?? /^$/);
    for (const text of Object.values(step))
      expect(String(text).replace(/\{(?:user|service|delete|add|store|login)\}/g, '')).not.toMatch(
        /[{}]/,
      );
  });

  it('has an actor that agrees with the outcome of a renewal', () => {
    const wrong = codes.filter((code) => {
      const { actor, outcome, retry } = ERROR_CODES[code];
      return (
        (outcome === 'revoked' && actor !== 'user') ||
        (outcome === 'denied' && actor !== 'administrator') ||
        (outcome === 'failed' && retry !== 'backoff')
      );
    });
    expect(wrong).toEqual([]);
  });

  it('is docs/errors.md (UPDATE_DOCS=1 writes it)', async () => {
    const wanted = await format(errorPage(), {
      ...(await resolveConfig(page)),
      parser: 'markdown',
    });
    if (process.env['UPDATE_DOCS']) writeFileSync(page, wanted);
    expect(existsSync(page) ? readFileSync(page, 'utf8') : '').toBe(wanted);
  });
});
