// The audit log on disk: one JSON object a line, in a file that may be moved, missing or not
// writable.
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  checkAuditLog,
  createAuditLog,
  type AuditEntry,
  type AuditLog,
} from '../../src/log/audit-log.ts';
import { openLog } from '../../src/log/logger.ts';
import { DEFAULT_STYLE } from '../../src/log/line-format.ts';

let directory: string;
let path: string;
let said: string[];
let audit: AuditLog;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'credmon-audit-'));
  path = join(directory, 'Audit');
  said = [];
  audit = openAt(path);
});
afterEach(() => {
  audit.close();
  rmSync(directory, { recursive: true });
});

const openAt = (at: string): AuditLog =>
  createAuditLog({ path: at, subsystem: 'CREDMON_OAUTH' }, (text) => said.push(text));
const entry = (user: string): AuditEntry => ({
  event: 'renewed',
  user,
  service: 'mytok',
  handle: '',
  provider: 'oauth',
  details: { rotated: true },
});
const users = (file = path): unknown[] =>
  readFileSync(file, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => (JSON.parse(line) as { user: unknown }).user);

describe('the audit log', () => {
  it('has one JSON object a line, with time, process and event', () => {
    audit.record(entry('alice'));
    audit.record({ ...entry('x\n{"user":"root"}\u2028'), details: { code: 'Y' } });
    const [first = '', second = '', last] = readFileSync(path, 'utf8').split('\n');
    expect(JSON.parse(first)).toEqual({
      time: expect.stringMatching(/^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/) as string,
      subsystem: 'CREDMON_OAUTH',
      pid: process.pid,
      event: 'renewed',
      user: 'alice',
      service: 'mytok',
      handle: '',
      provider: 'oauth',
      rotated: true,
    });
    expect(JSON.parse(second)).toMatchObject({ user: 'x\n{"user":"root"}\u2028', code: 'Y' });
    expect([last, second.includes('\u2028')]).toEqual(['', false]);
    expect(statSync(path).mode & 0o777 & ~0o640).toBe(0);
  });

  it('begins a new line after a line that a killed process or a full disk has cut', () => {
    for (const cut of ['{"user":"a"}\n{"us', '{"user":"a"}\n', '']) {
      writeFileSync(path, cut);
      const other = openAt(path);
      other.record(entry('b'));
      other.record(entry('c'));
      other.close();
      const lines = readFileSync(path, 'utf8').split('\n');
      const found = lines.map((line) => /"user":"(.)"/.exec(line)?.[1] ?? line);
      const [before, torn] = cut.split('\n');
      const whole = before === '' ? [] : ['a'];
      expect(found).toEqual([...whole, ...(torn ? [torn] : []), 'b', 'c', '']);
    }
    expect(said).toEqual([]);
  });

  it('continues in a new file after the old one was moved, as logrotate does', () => {
    audit.record(entry('a'));
    renameSync(path, `${path}.1`);
    audit.record(entry('b'));
    rmSync(path);
    audit.record(entry('c'));
    expect([users(`${path}.1`), users()]).toEqual([['a'], ['c']]);
    expect(said).toEqual([]);
  });

  it('reports once that entries are lost, and how many when it works again', () => {
    const later = join(directory, 'later');
    audit = openAt(join(later, 'Audit'));
    audit.record(entry('a'));
    audit.record(entry('b'));
    mkdirSync(later);
    audit.record(entry('c'));
    expect(users(join(later, 'Audit'))).toEqual(['c']);
    expect(said).toEqual([
      `cannot write the audit log ${later}/Audit (ENOENT): entries are lost; nothing else stops`,
      `the audit log ${later}/Audit is written again; 2 entries are lost`,
    ]);
  });

  it.each([
    ['a link', (at: string) => symlinkSync('/etc/hostname', at), 'ELOOP'],
    ['a directory', (at: string) => mkdirSync(at), 'EISDIR'],
    ['a device', undefined, 'not a regular file'],
  ])('writes into nothing but a regular file: %s', (_, make, why) => {
    make?.(path);
    const at = make ? path : '/dev/full';
    openAt(at).record(entry('a'));
    expect(said).toEqual([
      `cannot write the audit log ${at} (${why}): entries are lost; nothing else stops`,
    ]);
  });

  it('appends to what another process wrote, and takes nothing after its end', () => {
    audit.record(entry('a'));
    writeFileSync(path, `${JSON.stringify({ user: 'other' })}\n`, { flag: 'a' });
    audit.record(entry('b'));
    audit.close();
    audit.record(entry('c'));
    expect([users(), said]).toEqual([['a', 'other', 'b'], []]);
  });
});

it('the log of a program records entries, and another file after a new configuration', async () => {
  const options = {
    path: join(directory, 'Log'),
    stderr: false,
    debug: false,
    maxBytes: 0,
    maxSeconds: 0,
    maxSaved: 1,
    truncate: false,
    mode: 0o640,
    style: DEFAULT_STYLE,
  };
  const log = await openLog(options);
  log.record(entry('nobody listens'));
  log.reopen({ ...options, audit: { path, subsystem: 'X' } });
  log.record(entry('a'));
  log.reopen({ ...options, audit: { path: join(directory, 'none/Audit'), subsystem: 'X' } });
  log.record(entry('lost'));
  log.close();
  expect(users()).toEqual(['a']);
  expect(readFileSync(options.path, 'utf8')).toMatch(/ERROR: cannot write the audit log .*ENOENT/);
});

describe('checkAuditLog', () => {
  const rules = (credentialDirectory = join(directory, 'creds')) => ({
    credentialDirectory,
    owners: [process.geteuid?.()],
  });
  const found = (at = path, allowed = rules()): string[] =>
    checkAuditLog(at, allowed).map(({ state, text }) =>
      `${state}: ${text}`.replaceAll(directory, '$D'),
    );
  const write = (mode: number): void => {
    writeFileSync(path, '');
    chmodSync(path, mode);
  };

  it.each<[string, () => string[], RegExp[]]>([
    ['no file yet', () => found(), [/^ok: will go to \$D\/Audit$/]],
    ['a file', () => (write(0o640), found()), [/^ok: goes to \$D\/Audit$/]],
    [
      'a file that others can read',
      () => (write(0o644), found()),
      [/^ok: goes to/, /^warning: .* can be read by others .*; fix: chmod 640 \$D\/Audit$/],
    ],
    [
      'a missing directory',
      () => found(join(directory, 'no/Audit')),
      [/^error: its directory \$D\/no is missing, and entries are lost; fix: install -d /],
    ],
    [
      'a directory that everybody can write',
      () => (chmodSync(directory, 0o777), found()),
      [/^error: other users can replace it: \$D can be written by everybody; fix: chmod o-w \$D$/],
    ],
    ['a sticky directory', () => (chmodSync(directory, 0o1777), found()), [/^ok: /]],
    [
      'the credential directory',
      () => found(path, rules(directory)),
      [/^error: \$D\/Audit is in the credential directory/],
    ],
    [
      'a directory beside the credential directory with a similar name',
      () => found(path, rules(`${directory}/Aud`)),
      [/^ok: /],
    ],
    [
      'a symbolic link',
      () => (symlinkSync('/dev/null', path), found()),
      [/^error: \$D\/Audit is a symbolic link/],
    ],
    [
      'a directory in its place',
      () => (mkdirSync(path), found()),
      [/^error: \$D\/Audit is a directory, and entries are lost/],
    ],
  ])('%s', (_what, look, wanted) => {
    const lines = look();
    expect(lines).toHaveLength(wanted.length);
    wanted.forEach((pattern, index) => expect(lines[index]).toMatch(pattern));
  });

  it.runIf(process.geteuid?.() === 0)('a file of a user who is not one of its owners', () => {
    write(0o640);
    chownSync(path, 65_534, 65_534);
    expect(found()[1]).toBe('warning: $D/Audit belongs to user id 65534; fix: chown root $D/Audit');
  });
});
